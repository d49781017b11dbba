/** The pod's containers as the API would report them, from the actor's state. Phase, conditions and `get` read these. */
import type { Pod } from "../../events/pod-spec.ts"
import { type ContainerInState, containerSpec, type Exit, isOwnKill, type PodState } from "./state.ts"
import type { ContainerStateStatus, ContainerStatus } from "./status.ts"

const terminated = (exit: Exit): ContainerStateStatus => ({
  terminated: {
    exitCode: exit.exitCode,
    reason: exit.reason,
    ...(exit.message === "" ? {} : { message: exit.message }),
    startedAt: exit.startedAt === "" ? null : exit.startedAt,
    finishedAt: exit.finishedAt,
    containerID: exit.containerId,
    ...(isOwnKill(exit) ? { ownKill: true as const } : {})
  }
})

/** `ContainerCreating`, or `PodInitializing` for what waits for init containers (`kubelet_pods.go`). */
const initialReason = (state: PodState, c: ContainerInState): string =>
  !c.init && state.containers.some((other) => other.init) && !state.initialized
    ? "PodInitializing"
    : "ContainerCreating"

const stateOf = (state: PodState, c: ContainerInState): ContainerStateStatus => {
  switch (c.status) {
    case "running":
    case "killing":
      return { running: { startedAt: c.startedAt } }
    case "exited":
      if (c.lastExit !== null && (c.waiting === null || isDone(state, c))) return terminated(c.lastExit)
      return { waiting: c.waiting ?? { reason: "ContainerCreating" } }
    case "starting":
      // A restart that is under way still shows the end of the life before.
      if (c.lastExit !== null) return terminated(c.lastExit)
      return { waiting: { reason: initialReason(state, c) } }
    case "waiting":
      return { waiting: c.waiting ?? { reason: initialReason(state, c) } }
  }
}

const isDone = (state: PodState, c: ContainerInState): boolean => state.termination !== null && c.status === "exited"

/** Running, its postStart hook is through, and its startup probe has passed, where it has them. */
export const isStarted = (pod: Pod, c: ContainerInState): boolean => {
  if (c.status !== "running" && c.status !== "killing") return false
  const written = containerSpec(pod, c.name)
  if (written?.lifecycle?.postStart !== undefined && c.hooks?.PostStart?.status !== "succeeded") return false
  return written?.startupProbe === undefined || c.probes.startup?.result === "success"
}

/** Running and started, and its readiness probe passes or it has none. A completed init container is ready. */
export const isReady = (pod: Pod, c: ContainerInState): boolean => {
  if (c.init && c.sidecar !== true) return c.status === "exited" && c.lastExit?.exitCode === 0
  if (c.status !== "running" || !isStarted(pod, c)) return false
  return containerSpec(pod, c.name)?.readinessProbe === undefined || c.probes.readiness?.result === "success"
}

/** `init`: those of init containers, or those of the others; default all, in the order of the state. */
export const containerStatuses = (state: PodState, init?: boolean): ReadonlyArray<ContainerStatus> => {
  const pod = state.definition?.pod
  if (pod === undefined) return []
  const statuses: Array<ContainerStatus> = []
  for (const c of state.containers) {
    if (init !== undefined && c.init !== init) continue
    const current = stateOf(state, c)
    const last = current.terminated === undefined ? c.lastExit : c.previousExit
    const status = {
      name: c.name,
      state: current,
      lastState: last === null ? {} : terminated(last),
      ready: c.ready,
      started: isStarted(pod, c),
      restartCount: Math.max(c.attempt, 0),
      image: containerSpec(pod, c.name)?.image ?? "",
      imageID: c.imageId
    }
    statuses.push(c.containerId === "" ? status : { ...status, containerID: c.containerId })
  }
  return statuses
}
