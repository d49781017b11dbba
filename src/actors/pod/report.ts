/** What the pod looks like from outside after a decision: readiness, phase and conditions, each told when it changes. */

import { containersReady, initialized, podReadyToStartContainers, ready } from "./conditions.ts"
import { containerStatuses, isReady } from "./container-statuses.ts"
import type { PodDecision } from "./evolve.ts"
import { isTerminalPhase, podPhase } from "./phase.ts"
import type { PodCondition } from "./status.ts"

export const planReport = (d: PodDecision): void => {
  const definition = d.state.definition
  if (definition === null) return
  const { pod } = definition
  const because = (own: string | undefined): string | undefined =>
    own?.startsWith("@") === true ? own : d.decided.length > 0 ? "@0" : undefined

  for (const c of d.state.containers) {
    const isNowReady = isReady(pod, c)
    if (isNowReady === c.ready) continue
    const cause = c.probes.readiness?.because.startsWith("@") === true ? c.probes.readiness.because : c.because
    d.emit({ _tag: "ContainerReadinessChanged", container: c.name, ready: isNowReady }, because(cause))
  }

  const statuses = [...containerStatuses(d.state, true), ...containerStatuses(d.state, false)]
  const phase = isTerminalPhase(d.state.phase)
    ? d.state.phase
    : podPhase({
        spec: pod.spec,
        statuses,
        terminal: d.state.termination !== null,
        initialized: d.state.initialized
      })
  if (phase !== d.state.phase) {
    d.emit({ _tag: "PodPhaseChanged", from: d.state.phase, to: phase }, because(lastMoved(d)))
  }

  const sandbox =
    d.state.sandbox === null ? undefined : { ready: d.state.sandbox.status === "ready", ips: d.state.sandbox.ips }
  const conditions = [
    podReadyToStartContainers(pod.spec, sandbox),
    initialized(pod.spec, statuses, phase),
    containersReady(pod.spec, statuses, phase),
    ready(pod.spec, statuses, phase)
  ]
  for (const condition of conditions) tellCondition(d, condition, because(lastMoved(d)))
}

const tellCondition = (d: PodDecision, condition: PodCondition, because: string | undefined): void => {
  const status = condition.status === "True"
  const [reason, message] = [condition.reason ?? "", condition.message ?? ""]
  const known = d.state.conditions[condition.type]
  if (known?.status === status && known.reason === reason && known.message === message) return
  d.emit({ _tag: "PodConditionChanged", condition: condition.type, status, reason, message }, because)
}

/** The last event of this decision that moved a container or the sandbox: what the outside view follows from. */
const lastMoved = (d: PodDecision): string | undefined => {
  const moves = [...d.state.containers.map((c) => c.because), d.state.sandbox?.because ?? ""].filter((b) =>
    b.startsWith("@")
  )
  return moves.sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)))[0]
}
