/** The evictions of a node as they were and as they would have been, for `replay --with`. */
import type { EvictionCourse, PlannedEviction } from "../../actors/what-if/eviction-course.ts"
import { timestamp } from "../../events/definition.ts"
import { signalAmount } from "../../events/sizes.ts"
import type { Paint } from "../text.ts"
import { localTime } from "../times.ts"

const clock = (at: number): string => localTime(at).slice(11)

const why = ({ event: { signal, threshold, available } }: PlannedEviction): string =>
  available === undefined ? `${signal}: ${threshold}` : `${threshold}: ${signalAmount(signal, available)}`

const line = (eviction: PlannedEviction): string =>
  `${clock(eviction.at)}  ${eviction.namespace}/${eviction.name} (${why(eviction)})`

export const evictionsText = ({ recorded, instead, dropped, added }: EvictionCourse, paint: Paint): string => {
  if (dropped.size + added.length === 0)
    return `Evictions: the same ${recorded.length === 1 ? "one" : recorded.length} in both courses.\n`
  const out = [
    paint("bold", "Evictions as they were:"),
    ...recorded.map((one) => `  ${line(one)}${dropped.has(one.id) ? "  would not have been" : ""}`),
    ...(recorded.length === 0 ? ["  none"] : []),
    paint("bold", "as they would have been:"),
    ...instead.map((one) => `  ${line(one)}${added.includes(one) ? "  was not" : ""}`),
    ...(instead.length === 0 ? ["  none"] : [])
  ]
  return `${out.join("\n")}\n`
}

const eventJson = ({ at, id, event }: PlannedEviction) => ({ id, time: timestamp(at), event })

export const evictionsJson = ({ recorded, instead, dropped, added }: EvictionCourse) => ({
  recorded: recorded.map((one) => ({ ...eventJson(one), kept: !dropped.has(one.id) })),
  instead: instead.map((one) => ({ ...eventJson(one), recorded: !added.includes(one) }))
})
