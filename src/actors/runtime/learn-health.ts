/**
 * Whether the runtime is looked at as it should be (`pkg/kubelet/pleg/generic.go` Healthy): the last finished look at all
 * containers must not be older than three minutes. Which call does not answer is told with it. Pure.
 */
import { Duration } from "effect"
import { millis } from "../../events/definition.ts"
import type { CommandOf } from "./commands.ts"
import type { RuntimeDecision } from "./state.ts"

/** kubelet's genericPlegRelistThreshold. */
export const relistThreshold = Duration.minutes(3)

/** `3m5s`, as Go writes whole seconds. */
const goDuration = (millis: number): string => {
  const seconds = Math.floor(millis / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds % 60}s`
}

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
    ? `pleg was last seen active ${goDuration(age)} ago; threshold is ${goDuration(threshold)}`
    : "pleg has yet to be successful"
  const hanging = calls.map(({ call, since }) => `${call} has not answered since ${since}`).join(", ")
  const message = `PLEG is not healthy: ${seen}${hanging === "" ? "" : ` (${hanging})`}`
  d.emit({ _tag: "RuntimeUnhealthy", lastRelist, thresholdSeconds: threshold / 1000, calls, message })
}
