/**
 * How one type of event is declared: its name and version, the kind of actor that writes it, its severity, what it
 * means (for the docs page), the shape of its data, and one sentence that tells an instance of it to a person.
 *
 * Rules (law 8): a published definition is never edited in meaning. Within a version only optional fields are added;
 * anything else is a new version and an upcaster in `upcast.ts`.
 */
import { Schema } from "effect"
import type { ActorKind } from "./actor-kinds.ts"

export { type ActorKind, actorKinds } from "./actor-kinds.ts"

/** CloudEvents severity extension, `severitytext`; the numbers are OpenTelemetry's. */
export const severities = { TRACE: 1, DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17 } as const
export type Severity = keyof typeof severities

/** RFC 3339 in UTC with milliseconds, e.g. `2026-11-21T05:53:47.123Z`. Text, so that a log reads as it is. */
export const Timestamp = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/u, { title: "RFC 3339 timestamp in UTC" })
)
export type Timestamp = string

/** Times as this program writes them, with milliseconds, of which it is plain that they are times. */
const plainTime =
  /^\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/
/** What `millis` answers a number for. `Date.parse` takes ten times as long. */
export const isTime = (text: string): boolean => plainTime.test(text) || !Number.isNaN(Date.parse(text))

const digitAt = (text: string, at: number): number => text.charCodeAt(at) - 48
const twoDigits = (text: string, at: number): number => digitAt(text, at) * 10 + digitAt(text, at + 1)
const dateLength = "2026-11-21".length
/** Of the times of a log most are of the same day as the one before: the day is parsed once. */
let lastDate = "none"
let lastDateAt = Number.NaN

/** Milliseconds since the epoch; NaN: it is no time. */
export const millis = (timestamp: Timestamp): number => {
  if (!plainTime.test(timestamp)) return Date.parse(timestamp)
  if (!timestamp.startsWith(lastDate)) {
    lastDate = timestamp.slice(0, dateLength)
    lastDateAt = Date.parse(lastDate)
  }
  const seconds = (twoDigits(timestamp, 11) * 60 + twoDigits(timestamp, 14)) * 60 + twoDigits(timestamp, 17)
  return lastDateAt + seconds * 1000 + digitAt(timestamp, 20) * 100 + twoDigits(timestamp, 21)
}
/** `at`: milliseconds since the epoch. The last one is remembered: all events of a decision have the same. */
export const timestamp = (at: number): Timestamp => {
  if (at !== lastAt) {
    lastTimestamp = new Date(at).toISOString()
    lastAt = at
  }
  return lastTimestamp
}
let lastAt = Number.NaN
let lastTimestamp = ""

export interface EventDefinition<
  Tag extends string = string,
  Fields extends Schema.Struct.Fields = Schema.Struct.Fields
> {
  readonly tag: Tag
  readonly version: number
  /** `any`: written by the kernel on behalf of an actor of whatever kind. */
  readonly kind: ActorKind | "any"
  readonly severity: Severity
  /** Where some instances weigh otherwise than most. */
  readonly severityOf?: (data: Schema.TaggedStruct<Tag, Fields>["Type"]) => Severity
  /** One sentence: what this fact means. */
  readonly about: string
  readonly fields: Fields
  /** The data with its `_tag`, as the program handles it. */
  readonly schema: Schema.TaggedStruct<Tag, Fields>
  readonly tell: (data: Schema.TaggedStruct<Tag, Fields>["Type"]) => string
}

export const defineEvent = <const Tag extends string, const Fields extends Schema.Struct.Fields>(
  tag: Tag,
  options: {
    readonly kind: ActorKind | "any"
    readonly version?: number
    readonly severity?: Severity
    readonly severityOf?: (data: Schema.TaggedStruct<Tag, Fields>["Type"]) => Severity
    readonly about: string
    readonly fields: Fields
    readonly tell: (data: Schema.TaggedStruct<Tag, Fields>["Type"]) => string
  }
): EventDefinition<Tag, Fields> => ({
  tag,
  version: options.version ?? 1,
  kind: options.kind,
  severity: options.severity ?? "INFO",
  ...(options.severityOf === undefined ? {} : { severityOf: options.severityOf }),
  about: options.about,
  fields: options.fields,
  schema: Schema.TaggedStruct(tag, options.fields).annotate({ identifier: tag, description: options.about }) as never,
  tell: options.tell
})

/** `dev.chronode.<Tag>.v<version>`: the `type` attribute. */
export const typeName = (definition: { readonly tag: string; readonly version: number }): string =>
  `dev.chronode.${definition.tag}.v${definition.version}`
