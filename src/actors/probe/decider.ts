/**
 * When answers change what a probe says of its container (`pkg/kubelet/prober/worker.go`). An answer is written down
 * while it counts towards a change, when it breaks a row, and when it is the first of all; the tenth success of a healthy
 * container changes nothing and is no event.
 */
import type { Decided, Decider } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { ProbeCommand, type ProbeObserved, type StartProbe } from "./commands.ts"
import {
  type AskedContainer,
  evolveProbe,
  initialProbe,
  type ProbeEvent,
  type ProbeState,
  podNameOf,
  timing
} from "./state.ts"
import { describeTarget, targetOf, withPortNumbers } from "./target.ts"

type ProbeDecision = Decision<ProbeState, ProbeEvent>

const placeOf = ({ podUid, container, containerId, probe }: AskedContainer | StartProbe) => ({
  podUid,
  container,
  containerId,
  probe
})

const decide = (state: ProbeState, command: ProbeCommand): ReadonlyArray<Decided<ProbeEvent>> => {
  const d = new Decision<ProbeState, ProbeEvent>(state, evolveProbe, command.at)
  switch (command._tag) {
    case "StartProbe":
      start(d, command)
      break
    case "StopProbe":
      if (state.asked !== null) d.emit({ _tag: "ProbeStopped", ...placeOf(state.asked), reason: command.reason })
      break
    case "ProbeObserved":
      if (state.asked !== null) learn(d, state.asked, command)
      break
  }
  return d.decided
}

const start = (d: ProbeDecision, command: StartProbe): void => {
  const { asked } = d.state
  if (asked?.containerId === command.containerId) return
  if (asked !== null) d.emit({ _tag: "ProbeStopped", ...placeOf(asked), reason: "a new container runs" })
  const spec = withPortNumbers(command.spec, command.ports)
  const { host, startedAt } = command
  d.emit({
    _tag: "ProbeStarted",
    ...placeOf(command),
    spec,
    host,
    target: describeTarget(targetOf(spec, host)),
    startedAt
  })
}

const learn = (d: ProbeDecision, asked: AskedContainer, command: ProbeObserved): void => {
  const { result, output, timedOut, duration } = command
  // Of a container that is gone, or after the verdict: too late. An error says nothing of the container.
  if (command.containerId !== asked.containerId || asked.onHold || result === "error") return
  // It says what is known already, and breaks no row.
  if (result === asked.result && asked.last === result) return
  const { successThreshold, failureThreshold } = timing(asked.spec)
  const threshold = result === "success" ? successThreshold : failureThreshold
  const consecutive = asked.last === result ? asked.run + 1 : 1
  const counted = { ...placeOf(asked), consecutive, threshold, output }
  const answer = d.emit(
    result === "success"
      ? { _tag: "ProbeSucceeded", ...counted, duration }
      : { _tag: "ProbeFailed", ...counted, timedOut, duration },
    asked.because
  )
  if (result === asked.result || consecutive < threshold) return
  d.emit({ _tag: "ProbeResultChanged", ...counted, from: asked.result, to: result }, answer)
}

export const probeDecider: Decider<ProbeState, ProbeCommand, ProbeEvent> = {
  kind: "probe",
  stateVersion: 1,
  command: ProbeCommand as never,
  initial: () => initialProbe,
  decide,
  evolve: evolveProbe,
  finished: (state) => state.asked === null,
  subject: (state) => state.asked?.podUid,
  supervisor: (id) => ({ kind: "pod", namespace: id.namespace, name: podNameOf(id) })
}
