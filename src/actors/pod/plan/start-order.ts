/**
 * Which containers are to run, now or later, and whose turn it is (`kuberuntime_manager.go` computePodActions,
 * `kuberuntime_container.go` computeInitContainerActions): init containers one after another, each sidecar among them
 * until it has started, then all regular ones. Pure questions to the state; nothing is decided here.
 */

import {
  type ContainerInState,
  containerSpec,
  type Exit,
  isAlive,
  isOwnKill,
  isRegular,
  type PodState
} from "../state.ts"
import { isStarted } from "../status/container-statuses.ts"
import { isRestartedAfterExit, isRestartedAfterKill, matchingRule } from "./restart.ts"

/** Whether a container that ended is to run again. Init containers run until they succeed (Always means OnFailure). */
export const isRestarted = (state: PodState, container: ContainerInState): boolean => {
  const { lastExit } = container
  const exitCode = lastExit?.exitCode ?? 0
  const pod = state.definition?.pod
  const written = pod === undefined ? undefined : containerSpec(pod, container.name)
  if (pod === undefined || written === undefined || container.ephemeral === true) return false
  if (container.init && container.sidecar !== true && exitCode === 0) return restartsAll(state, container, lastExit)
  if (lastExit !== null && isOwnKill(lastExit) && isRestartedAfterKill(pod.spec, written)) return true
  return isRestartedAfterExit(pod.spec, written, exitCode)
}

/** Whether this end restarts all containers of the pod. What the agent stopped itself says nothing by its exit code. */
export const restartsAll = (state: PodState, container: ContainerInState, exit: Exit | null): boolean => {
  const written = state.definition === null ? undefined : containerSpec(state.definition.pod, container.name)
  if (written === undefined || exit === null || exit.killedFor !== undefined) return false
  return matchingRule(written, exit.exitCode)?.action === "RestartAllContainers"
}

/** It is through with its work: an init container that succeeded. */
const isInitDone = (c: ContainerInState): boolean =>
  c.status === "exited" && c.again !== true && c.lastExit?.exitCode === 0

/** An init container that failed for good fails the pod. */
export const isInitFailed = (state: PodState): boolean =>
  state.containers.some(
    (c) =>
      c.init && c.sidecar !== true && c.status === "exited" && !isInitDone(c) && !(c.again || isRestarted(state, c))
  )

/** An ephemeral container that the runtime refused to start is not tried again: it was there (kubelet: it has a status). */
const isToRun = (state: PodState, c: ContainerInState): boolean =>
  c.ephemeral === true ? c.status === "waiting" && c.dead.length === 0 : isOwedRun(state, c)

const isOwedRun = (state: PodState, c: ContainerInState): boolean =>
  c.status === "waiting" || (c.status === "exited" && (c.again === true || isRestarted(state, c)))

/** Whether the next one may start: a sidecar has started, an init container succeeded. */
const isPast = (state: PodState, c: ContainerInState): boolean =>
  c.sidecar === true ? isStarted(state.definition!.pod, c) : isInitDone(c)

interface InitTurn {
  /** Init containers and sidecars that do not run and whose turn it is. */
  readonly due: ReadonlyArray<ContainerInState>
  /** The regular containers may start. */
  readonly through: boolean
}

/**
 * The furthest one that began tells how far initialization has come: what was before it is behind us, but for sidecars,
 * which are started again whenever they ended.
 */
const initTurn = (state: PodState): InitTurn => {
  const inits = state.containers.filter((c) => c.init)
  if (state.initialized) return { due: inits.filter((c) => c.sidecar === true && !isAlive(c)), through: true }
  const furthest = inits.findLastIndex((c) => c.status !== "waiting" && c.again !== true)
  const reached = inits[furthest]
  const current = reached !== undefined && !isPast(state, reached) ? reached : inits[furthest + 1]
  const sidecars = inits.slice(0, Math.max(furthest, 0)).filter((c) => c.sidecar === true && !isAlive(c))
  return {
    due: [...sidecars, ...(current === undefined || isAlive(current) ? [] : [current])],
    through: current === undefined
  }
}

/** Nothing of the pod runs on for its own sake: it failed, or its regular containers have ended for good. */
export const isOver = (state: PodState): boolean =>
  state.failed !== undefined ||
  isInitFailed(state) ||
  state.containers.every((c) => !isRegular(c) || (c.status === "exited" && !isToRun(state, c)))

/** Containers that are to be started now or later. For an ephemeral one alone nothing is kept up. */
export const toRun = (state: PodState): ReadonlyArray<ContainerInState> => {
  if (isOver(state)) return []
  return state.containers.filter((c) => {
    const isWanted = isRegular(c) || c.sidecar === true || (!state.initialized && !isInitDone(c))
    return isWanted && isToRun(state, c)
  })
}

/** A container that is being started or runs its postStart hook: the ones declared after it wait (kubelet starts one by one). */
const holdsUp = (state: PodState, c: ContainerInState): boolean =>
  containerSpec(state.definition!.pod, c.name)?.lifecycle?.postStart !== undefined &&
  (c.status === "starting" || (c.status === "running" && c.hooks?.PostStart?.status === "running"))

/** Containers to start at this moment, in order, as far as nothing but their own state (image, back-off) hinders them. */
export const dueToStart = (state: PodState): ReadonlyArray<ContainerInState> => {
  if (isOver(state)) return []
  const { due, through } = initTurn(state)
  const ephemeral = state.containers.filter((c) => c.ephemeral === true)
  const regular = through ? state.containers.filter(isRegular) : []
  const held = regular.findIndex((c) => holdsUp(state, c))
  return [...ephemeral, ...due, ...(held < 0 ? regular : regular.slice(0, held))].filter((c) => isToRun(state, c))
}

/** The init container that ended last before those that are due: what their start is caused by. */
export const endedBefore = (state: PodState): ContainerInState | undefined =>
  state.containers.filter((c) => c.init && (c.sidecar === true ? c.status === "running" : isInitDone(c))).at(-1)
