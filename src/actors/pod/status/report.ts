/** What the pod looks like from outside after a decision: readiness, phase and conditions, each told when it changes. */

import type { PodPhase } from "../../../events/kinds/pod.ts"
import type { Pod } from "../../../events/pod-spec.ts"
import { isOn, podConditions, podScheduled, readyWhileStopping } from "../../kernel/flags.ts"
import type { PodDecision } from "../evolve.ts"
import { restartsAll } from "../plan/start-order.ts"
import { containerIn, isAlive, type PodState } from "../state.ts"
import {
  allContainersRestarting,
  containersReady,
  disruptionTarget,
  initialized,
  podReadyToStartContainers,
  ready
} from "./conditions.ts"
import { containerStatuses, isReady } from "./container-statuses.ts"
import { finalPhase } from "./final-statuses.ts"
import { isTerminalPhase, podPhase } from "./phase.ts"
import type { ContainerStatus, PodCondition } from "./status.ts"

/** Of a pod that is on a node (`kubelet_pods.go` generateAPIPodStatus). */
const scheduled: PodCondition = { type: "PodScheduled", status: "True" }

export const planReport = (d: PodDecision): void => {
  const definition = d.state.definition
  if (definition === null) return
  const { pod } = definition
  const because = (own: string | undefined): string | undefined =>
    own?.startsWith("@") === true ? own : d.decided.length > 0 ? "@0" : undefined

  for (const c of d.state.containers) {
    const isNowReady = isReady(pod, c, isOn(d.flags, readyWhileStopping))
    if (isNowReady === c.ready) continue
    const cause = c.probes.readiness?.because.startsWith("@") === true ? c.probes.readiness.because : c.because
    d.emit({ _tag: "ContainerReadinessChanged", container: c.name, ready: isNowReady }, because(cause))
  }

  const statuses = containerStatuses(d.state)
  const phase = phaseOf(d.state, pod, statuses)
  if (phase !== d.state.phase) {
    const { failed } = d.state
    const why = failed === undefined ? {} : { reason: failed.reason, message: failed.message }
    d.emit({ _tag: "PodPhaseChanged", from: d.state.phase, to: phase, ...why }, because(lastMoved(d)))
  }

  const sandbox =
    d.state.sandbox === null ? undefined : { ready: d.state.sandbox.status === "ready", ips: d.state.sandbox.ips }
  const conditions = [
    podReadyToStartContainers(pod.spec, sandbox),
    initialized(pod.spec, statuses, phase),
    containersReady(pod.spec, statuses, phase),
    ready(pod.spec, statuses, phase),
    ...disruptionTarget(d.state.failed, phase),
    ...(isOn(d.flags, podConditions) ? restartingAll(d.state, pod, phase) : [])
  ]
  if (isOn(d.flags, podScheduled)) tellCondition(d, scheduled, () => definition.because)
  for (const condition of resizeConditions(d.state)) tellCondition(d, condition, () => because(d.state.resize?.because))
  for (const condition of conditions) tellCondition(d, condition, () => because(lastMoved(d)))
}

/** PodResizePending and PodResizeInProgress (`status_manager.go`); told of pods that were resized once. */
const resizeConditions = ({ resize, conditions }: PodState): ReadonlyArray<PodCondition> => {
  const told = (type: string, holds: boolean, reason = "", message = ""): ReadonlyArray<PodCondition> => {
    if (!holds) return conditions[type] === undefined ? [] : [{ type, status: "False" }]
    return [{ type, status: "True", reason, message }]
  }
  if (resize === undefined && conditions.PodResizePending === undefined && conditions.PodResizeInProgress === undefined)
    return []
  const { pending, actuated, status, message } = resize ?? {}
  return [
    ...told("PodResizePending", pending?.reason !== undefined, pending?.reason, pending?.message),
    ...told("PodResizeInProgress", actuated !== undefined, ...(status === "failed" ? ["Error", message] : []))
  ]
}

/** A terminal phase never leaves. A pod that failed as a whole says so when nothing of it runs (`status_manager.go`). */
const phaseOf = (state: PodState, pod: Pod, statuses: ReadonlyArray<ContainerStatus>): PodPhase => {
  if (isTerminalPhase(state.phase)) return state.phase
  if (state.failed !== undefined) return state.containers.some(isAlive) ? state.phase : finalPhase(state.phase)
  return podPhase({
    spec: pod.spec,
    statuses,
    terminal: state.termination !== null,
    initialized: state.initialized
  })
}

/** Whether a container has ended so that all of them start over, and not all have ended yet. */
const restartingAll = (state: PodState, pod: Pod, phase: PodPhase): ReadonlyArray<PodCondition> => {
  const condition = allContainersRestarting(
    pod.spec,
    (name) => {
      const c = containerIn(state, name)
      const exit = c?.status === "exited" && c.again !== true ? c.lastExit : null
      return c === undefined || exit === null || !restartsAll(state, c, exit)
        ? undefined
        : { state: "CONTAINER_EXITED", exitCode: exit.exitCode }
    },
    phase
  )
  return condition === undefined ? [] : [condition]
}

/** `because`: asked only where there is something to tell, which is seldom. */
export const tellCondition = (d: PodDecision, condition: PodCondition, because: () => string | undefined): void => {
  const status = condition.status === "True"
  const { reason = "", message = "" } = condition
  const known = d.state.conditions[condition.type]
  if (known?.status === status && known.reason === reason && known.message === message) return
  const kept = known?.status === status && isOn(d.flags, podConditions) ? { since: known.since } : {}
  d.emit({ _tag: "PodConditionChanged", condition: condition.type, status, reason, message, ...kept }, because())
}

/** The last event of this decision that moved a container or the sandbox: what the outside view follows from. */
const lastMoved = (d: PodDecision): string | undefined => {
  const moves = [...d.state.containers.map((c) => c.because), d.state.sandbox?.because ?? ""].filter((b) =>
    b.startsWith("@")
  )
  return moves.sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)))[0]
}
