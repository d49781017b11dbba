/** The pod's containers as the API would report them, from the actor's state. Phase, conditions and `get` read these. */
import type { Pod } from "../../../events/pod-spec.ts"
import { type ContainerInState, containerSpec, type Exit, isOwnKill, type PodState } from "../state.ts"
import { restartingAllReason } from "./phase.ts"
import type { ContainerStateStatus, ContainerStatus, ContainerTerminated } from "./status.ts"

const terminatedBy = (exit: Exit): ContainerTerminated => ({
  exitCode: exit.exitCode,
  reason: exit.reason,
  ...(exit.message === "" ? {} : { message: exit.message }),
  startedAt: exit.startedAt === "" ? null : exit.startedAt,
  finishedAt: exit.finishedAt,
  containerID: exit.containerId,
  ...(isOwnKill(exit) ? { ownKill: true as const } : {})
})
const terminated = (exit: Exit): ContainerStateStatus => ({ terminated: terminatedBy(exit) })

/** `ContainerCreating`; `PodInitializing` for all containers of a pod that has init containers (`kubelet_pods.go`). */
const initialReason = (state: PodState): string =>
  state.containers.some((c) => c.init) ? "PodInitializing" : "ContainerCreating"

/** What kubelet says of a container that ended so that all of them start over (KEP-5532): it comes back, whatever its end was. */
const restartingAll = {
  reason: restartingAllReason,
  message: "The container is removed because RestartAllContainers in place"
}
/** kubelet removes such a container and does not look how it ended (`kubelet_pods.go`). */
const removedExitCode = 137
const startsOver = (c: ContainerInState): boolean =>
  c.again === true && (c.status === "exited" || c.status === "starting")

const stateOf = (state: PodState, c: ContainerInState): ContainerStateStatus => {
  if (startsOver(c)) return { waiting: c.status === "exited" ? (c.waiting ?? restartingAll) : restartingAll }
  switch (c.status) {
    case "running":
    case "killing":
      return { running: { startedAt: c.startedAt } }
    case "exited":
      // What the runtime lost is waited for, as kubelet tells it: its end is not known, only that it is gone.
      if (isLost(c)) return { waiting: c.waiting ?? { reason: initialReason(state) } }
      if (c.lastExit !== null && (c.waiting === null || isDone(state, c))) return terminated(c.lastExit)
      return { waiting: c.waiting ?? { reason: "ContainerCreating" } }
    case "starting":
      // A restart that is under way still shows the end of the life before.
      if (c.lastExit !== null && !isLost(c)) return terminated(c.lastExit)
      return { waiting: { reason: initialReason(state) } }
    case "waiting":
      return { waiting: c.waiting ?? { reason: initialReason(state) } }
  }
}

/** Reason of the end of a container that the runtime does not know any more (`kubelet_pods.go`). */
export const lostReason = "ContainerStatusUnknown"
const isLost = ({ lastExit }: ContainerInState): boolean => lastExit?.reason === lostReason

const isDone = (state: PodState, c: ContainerInState): boolean => state.termination !== null && c.status === "exited"

/** Running, its postStart hook is through, and its startup probe has passed, where it has them. */
export const isStarted = (pod: Pod, c: ContainerInState): boolean => {
  if ((c.status !== "running" && c.status !== "killing") || c.kill?.reason === "Unknown") return false
  const written = containerSpec(pod, c.name)
  if (written?.lifecycle?.postStart !== undefined && c.hooks?.PostStart?.status !== "succeeded") return false
  return written?.startupProbe === undefined || c.probes.startup?.result === "success"
}

/**
 * Running and started, and its readiness probe passes or it has none (`prober_manager.go` UpdatePodStatus). A completed init
 * container is ready. `whileStopping`: also one that is being stopped.
 */
export const isReady = (pod: Pod, c: ContainerInState, whileStopping = true): boolean => {
  if (c.ephemeral === true) return false
  if (c.init && c.sidecar !== true) return c.status === "exited" && c.lastExit?.exitCode === 0
  if (!(c.status === "running" || (whileStopping && c.status === "killing")) || !isStarted(pod, c)) return false
  return containerSpec(pod, c.name)?.readinessProbe === undefined || c.probes.readiness?.result === "success"
}

const lastStateOf = (c: ContainerInState, last: Exit | null): ContainerStateStatus => {
  if (last === null) return {}
  const isRemoved = startsOver(c) || last.killedFor === "RestartAllContainers"
  return isRemoved
    ? { terminated: { ...terminatedBy(last), ...restartingAll, exitCode: removedExitCode } }
    : terminated(last)
}

export type ContainerKind = "init" | "regular" | "ephemeral"

export const kindOf = (c: ContainerInState): ContainerKind =>
  c.init ? "init" : c.ephemeral === true ? "ephemeral" : "regular"

/** Those of one kind, as the API has them apart; default all, in the order of the state. */
export const containerStatuses = (state: PodState, kind?: ContainerKind): ReadonlyArray<ContainerStatus> => {
  const pod = state.definition?.pod
  if (pod === undefined) return []
  const statuses: Array<ContainerStatus> = []
  for (const c of state.containers) {
    if (kind !== undefined && kindOf(c) !== kind) continue
    const current = stateOf(state, c)
    const last = current.terminated === undefined ? c.lastExit : c.previousExit
    const status = {
      name: c.name,
      state: current,
      lastState: lastStateOf(c, last),
      ready: c.ready,
      started: isStarted(pod, c),
      restartCount: Math.max(c.attempt, 0),
      image: containerSpec(pod, c.name)?.image ?? "",
      imageID: c.imageId,
      ...(c.stopSignal === undefined ? {} : { stopSignal: c.stopSignal }),
      ...(c.user === undefined ? {} : { user: { linux: c.user } })
    }
    statuses.push(c.containerId === "" ? status : { ...status, containerID: c.containerId })
  }
  return statuses
}
