/** The node's end: which group of pods ends when. Pure; who is in a group is seen when it begins. */
import { maxToldPods } from "../../events/kinds/node-health.ts"
import type { CommandOf } from "./commands.ts"
import { secondsSince } from "./drain.ts"
import { tellReady } from "./learn-status.ts"
import type { NodeDecision, ShutdownInState } from "./state.ts"

export const learnInhibitor = (d: NodeDecision, command: CommandOf<"InhibitorReported">): void => {
  const known = d.state.inhibitor
  if (command.outcome === "failed") {
    const message = command.message ?? ""
    if (known === undefined || !("failed" in known) || known.failed !== message) {
      d.emit({ _tag: "ShutdownInhibitorFailed", message })
    }
    return
  }
  const { delayLimitSeconds = 0, gracePeriodSeconds = 0 } = command
  const isKnown =
    known !== undefined &&
    !("failed" in known) &&
    known.delayLimitSeconds === delayLimitSeconds &&
    known.gracePeriodSeconds === gracePeriodSeconds
  if (!isKnown) d.emit({ _tag: "ShutdownInhibitorTaken", delayLimitSeconds, gracePeriodSeconds })
}

const noErrors = { runtimeErrors: [], networkErrors: [] }

export const announce = (d: NodeDecision, { active, groups }: CommandOf<"ShutdownAnnounced">): void => {
  const known = d.state.shutdown
  if (!active) {
    if (known !== undefined) d.emit({ _tag: "NodeShutdownCancelled" }, known.because)
    return
  }
  if (known !== undefined) return
  const started = d.emit({ _tag: "NodeShutdownStarted", groups })
  tellReady(d, noErrors, started)
  nextGroup(d, Number.NEGATIVE_INFINITY, [], 0)
}

/** The first group above this priority that has pods; none: the end. */
const nextGroup = (d: NodeDecision, above: number, left: ReadonlyArray<string>, leftCount: number): void => {
  const { groups, startedAt, because, current } = d.state.shutdown as ShutdownInState
  const next = groups.find(({ priority, pods }) => priority > above && pods > 0)
  const cause = current?.because ?? because
  if (next !== undefined) d.emit({ _tag: "NodeShutdownGroupStarted", ...next, left, leftCount }, cause)
  else d.emit({ _tag: "NodeShutdownCompleted", seconds: secondsSince(startedAt, d.at), left, leftCount }, cause)
}

export const endGroup = (d: NodeDecision, { priority, left, leftCount }: CommandOf<"ShutdownGroupEnded">): void => {
  const { shutdown } = d.state
  if (shutdown?.current?.priority !== priority) return
  const told = [...shutdown.left, ...left].slice(0, maxToldPods)
  nextGroup(d, priority, told, shutdown.leftCount + leftCount)
}

/** The machine was booted again: what it went down for is over. */
export const endOfBoot = (d: NodeDecision, because: string): void => {
  const { shutdown, started } = d.state
  if (shutdown === undefined || started === null || shutdown.bootId === started.bootId) return
  d.emit({ _tag: "NodeShutdownOver", bootId: started.bootId }, because)
}
