/**
 * Whether the runtime is looked at as it should be (`pkg/kubelet/pleg/generic.go` Healthy): the last finished look at all
 * containers must not be older than three minutes. Which call does not answer is told with it. Pure.
 */
import { Duration } from "effect"
import { millis } from "../../events/definition.ts"
import { goDuration } from "../../events/go-duration.ts"
import type { CommandOf } from "./commands.ts"
import type { RuntimeDecision } from "./state.ts"

/** kubelet's genericPlegRelistThreshold. */
export const relistThreshold = Duration.minutes(3)

/** `3m5s`: whole seconds. */
const wholeSeconds = (millis: number): string => goDuration(Math.floor(millis / 1000) * 1000)

export const learnHealth = (d: RuntimeDecision, command: CommandOf<"RuntimeHealthSeen">): void => {
  const { lastRelist, isRelisted, calls } = command
  const age = d.at - millis(lastRelist)
  const threshold = Duration.toMillis(relistThreshold)
  const known = d.state.unhealthy
  if (age < threshold) {
    if (known !== undefined && isRelisted) d.emit({ _tag: "RuntimeHealthy", lastRelist }, known.because)
    return
  }
  if (known !== undefined) return
  const seen = isRelisted
    ? `pleg was last seen active ${wholeSeconds(age)} ago; threshold is ${wholeSeconds(threshold)}`
    : "pleg has yet to be successful"
  const hanging = calls.map(({ call, since }) => `${call} has not answered since ${since}`).join(", ")
  const message = `PLEG is not healthy: ${seen}${hanging === "" ? "" : ` (${hanging})`}`
  d.emit({ _tag: "RuntimeUnhealthy", lastRelist, thresholdSeconds: threshold / 1000, calls, message })
}
