/** Phase of a pod (`pkg/kubelet/kubelet_pods.go` getPhase). */
import type { PodPhase } from "../../../events/kinds/pod.ts"
import { isRestartedAfterExit, isRestartedAfterKill } from "../plan/restart.ts"
import { initContainersOf, isSidecar, type PolicyContainer, type PolicyPodSpec } from "../spec-extension.ts"
import { type ContainerStatus, type ContainerTerminated, statusOf } from "./status.ts"

/** Reason of containers that were removed to restart the whole pod (KEP-5532): they come back, whatever the policy. */
export const restartingAllReason = "RestartingAllContainers"

export interface PhaseInput {
  readonly spec: PolicyPodSpec
  /** Of init and regular containers. */
  readonly statuses: ReadonlyArray<ContainerStatus>
  /** The pod is to end (deleted, evicted, past its deadline): nothing of it is started again. */
  readonly terminal: boolean
  /** Its init containers have been through once in the present sandbox. */
  readonly initialized: boolean
}

type Situation =
  | { readonly is: "running" | "waiting" | "unknown" }
  /** Also a container that waits to be restarted. */
  | { readonly is: "stopped"; readonly last: ContainerTerminated; readonly waiting: boolean }

const situationOf = (status: ContainerStatus | undefined): Situation => {
  if (status?.state.running !== undefined) return { is: "running" }
  if (status?.state.terminated !== undefined) return { is: "stopped", last: status.state.terminated, waiting: false }
  if (status?.state.waiting === undefined) return { is: "unknown" }
  const last = status.lastState.terminated
  return last === undefined ? { is: "waiting" } : { is: "stopped", last, waiting: true }
}

const comesBack = (spec: PolicyPodSpec, container: PolicyContainer, last: ContainerTerminated): boolean =>
  last.reason === restartingAllReason ||
  (last.ownKill === true && isRestartedAfterKill(spec, container)) ||
  isRestartedAfterExit(spec, container, last.exitCode)

/** What the init containers say; `undefined`: nothing against the regular ones. */
const initPhase = ({ spec, statuses, initialized }: PhaseInput): "Failed" | "Pending" | undefined => {
  let pending = false
  for (const container of initContainersOf(spec)) {
    const status = statusOf(statuses, container.name)
    const situation = situationOf(status)
    if (isSidecar(container)) {
      const started = situation.is === "running" && status?.started === true
      // A sidecar that is not known or restarts does not hold up a pod that has run; a terminated one never counts.
      const held = situation.is === "waiting" || (situation.is === "running" && !started)
      if (held && !initialized) pending = true
    } else if (situation.is === "stopped") {
      if (situation.last.exitCode !== 0 && !comesBack(spec, container, situation.last)) return "Failed"
    } else pending = true
  }
  return pending ? "Pending" : undefined
}

/** Phase from the spec and the containers' statuses. A terminal phase that was reported once is the caller's to keep. */
export const podPhase = (input: PhaseInput): PodPhase => {
  const { spec, statuses, terminal } = input
  const init = initPhase(input)
  if (init !== undefined) return init

  const situations = (containers: ReadonlyArray<PolicyContainer>) =>
    containers.map((container) => ({ container, situation: situationOf(statusOf(statuses, container.name)) }))
  const main = situations(spec.containers)
  const sidecars = situations(initContainersOf(spec).filter(isSidecar))
  const all = sidecars.length === 0 ? main : [...main, ...sidecars]
  const any = (is: Situation["is"]) => all.some(({ situation }) => situation.is === is)

  if (any("waiting")) return "Pending"
  if (any("unknown")) return "Pending"
  if (any("running")) return "Running"
  const stopped = main.flatMap(({ container, situation }) =>
    situation.is === "stopped" ? [{ container, ...situation }] : []
  )
  if (stopped.length === 0) return "Pending"
  if (!terminal && stopped.some(({ container, last }) => comesBack(spec, container, last))) return "Running"
  return stopped.every(({ last, waiting }) => !waiting && last.exitCode === 0) ? "Succeeded" : "Failed"
}

export const isTerminalPhase = (phase: string): boolean => phase === "Succeeded" || phase === "Failed"
