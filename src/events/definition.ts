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

export const millis = (timestamp: Timestamp): number => Date.parse(timestamp)
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
