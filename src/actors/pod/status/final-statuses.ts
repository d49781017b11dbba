/**
 * What is told of the containers of a pod that is finished (`pkg/kubelet/status/status_manager.go` TerminatePod): nothing of it
 * will ever run again, so that what has no end of its own is given one.
 */
import type { PodPhase } from "../../../events/kinds/pod.ts"
import { initContainersOf, isSidecar, type PolicyPodSpec } from "../spec-extension.ts"
import { isTerminalPhase } from "./phase.ts"
import type { ContainerStatus } from "./status.ts"

type Status = Pick<ContainerStatus, "name" | "state" | "lastState" | "started">
export interface PodStatuses<S extends Status> {
  readonly init: ReadonlyArray<S>
  readonly main: ReadonlyArray<S>
}

const unknownEnd = {
  terminated: {
    exitCode: 137,
    reason: "ContainerStatusUnknown",
    message: "The container could not be located when the pod was terminated"
  }
} as const

const hasBegun = ({ state, lastState }: Status): boolean =>
  state.waiting === undefined || lastState.terminated !== undefined

const hasSucceeded = ({ state, lastState }: Status): boolean =>
  state.terminated?.exitCode === 0 || lastState.terminated?.exitCode === 0

/** Whether the init containers have been through, as far as the statuses tell. */
const isInitialized = (spec: PolicyPodSpec, { init, main }: PodStatuses<Status>): boolean => {
  const last = initContainersOf(spec).at(-1)
  if (last === undefined || main.some(hasBegun)) return true
  const status = init.at(-1)
  if (status === undefined) return false
  return isSidecar(last) ? status.started === true : hasSucceeded(status)
}

const ended = <S extends Status>(status: S): S =>
  status.state.terminated === undefined ? { ...status, state: unknownEnd } : status

/** Of init containers those that began, the first one in any case; of the others all, where it was their turn. */
export const finalStatuses = <S extends Status>(spec: PolicyPodSpec, statuses: PodStatuses<S>): PodStatuses<S> => {
  const { init, main } = statuses
  const begun = Math.max(init.findLastIndex(hasBegun), 0)
  return {
    init: init.map((status, i) => (i <= begun ? ended(status) : status)),
    main: isInitialized(spec, statuses) ? main.map(ended) : main
  }
}

/** A pod that is finished has succeeded or failed. */
export const finalPhase = (phase: PodPhase): PodPhase => (isTerminalPhase(phase) ? phase : "Failed")
