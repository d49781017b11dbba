/** What an expression can ask of an event: its fields, by name and type. docs/filters.md tells them to people. */
import { serviceOfEndpoint } from "../../actors/endpoint/identity.ts"
import type { ActorId } from "../../events/actor-id.ts"
import { byTag, catalogue } from "../../events/catalogue.ts"
import { type Severity, severities } from "../../events/definition.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { sentence } from "../render.ts"
import { tagOf } from "./tags.ts"

/** CEL's name of its type for points in time. */
export const timestampType = "google.protobuf.Timestamp"

/** A severity as a value of its own type, so that it can only be compared with another. */
export class SeverityLevel {
  readonly name: Severity
  readonly rank: number
  constructor(name: Severity) {
    this.name = name
    this.rank = severities[name]
  }
}
export const severityLevels = Object.fromEntries(
  (Object.keys(severities) as ReadonlyArray<Severity>).map((name) => [name, new SeverityLevel(name)])
) as Readonly<Record<Severity, SeverityLevel>>

/** CEL types by field. `ns` is the namespace, a word that CEL reserves; `now` the time at which the command began. */
export const fieldTypes = {
  type: "string",
  version: "int",
  severity: "Severity",
  node: "string",
  kind: "string",
  ns: "string",
  name: "string",
  pod: "string",
  container: "string",
  probe: "string",
  volume: "string",
  service: "string",
  id: "string",
  cause: "string",
  correlation: "string",
  time: timestampType,
  recorded: timestampType,
  sequence: "int",
  data: "map<string, dyn>",
  text: "string",
  now: timestampType
} as const
export type FieldName = keyof typeof fieldTypes

/** The fields that an event's data can have: of one type, or of any. */
export const dataFields = (tags: Iterable<string> = byTag.keys()): ReadonlySet<string> =>
  new Set([...tags].flatMap((tag) => Object.keys(byTag.get(tag)?.fields ?? {})))

export const knownTags: ReadonlyArray<string> = catalogue.map(({ tag }) => tag)

/** JSON's whole numbers are CEL's int; its other numbers are double. */
const toCel = (value: unknown): unknown => {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(toCel)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toCel(inner)]))
}

const partFromEnd = (actor: ActorId, kind: string, index: number): string =>
  actor.kind === kind ? (actor.name.split(".").at(index) ?? "") : ""

const versionPattern = /\.v(\d+)$/u

/** One event's fields. Each is worked out when it is asked for: most expressions ask for few. */
export class EventFields {
  readonly #recorded: RecordedEvent
  readonly pod: string
  readonly now: Date
  #data: unknown

  constructor(recorded: RecordedEvent, pod: string, now: Date) {
    this.#recorded = recorded
    this.pod = pod
    this.now = now
  }
  /** `type`, under the name that stands for it inside an expression. */
  get eventType(): string {
    return tagOf(this.#recorded)
  }
  get version(): bigint {
    const { event } = this.#recorded
    return BigInt(
      event._tag === "Unknown"
        ? (versionPattern.exec(event.type)?.[1] ?? 0)
        : (byTag.get(event._tag) as { readonly version: number }).version
    )
  }
  get severity(): SeverityLevel {
    return severityLevels[this.#recorded.severity]
  }
  get node(): string {
    return this.#recorded.node
  }
  get kind(): string {
    return this.#recorded.actor.kind
  }
  get ns(): string {
    return this.#recorded.actor.namespace
  }
  get name(): string {
    return this.#recorded.actor.name
  }
  get container(): string {
    return this.#word("container") ?? partFromEnd(this.#recorded.actor, "probe", -2)
  }
  get probe(): string {
    return this.#word("probe") ?? partFromEnd(this.#recorded.actor, "probe", -1)
  }
  get volume(): string {
    return partFromEnd(this.#recorded.actor, "volume", -1) || (this.#word("volume") ?? "")
  }
  get service(): string {
    const { kind, namespace, name } = this.#recorded.actor
    if (kind === "service") return `${namespace}/${name}`
    return kind === "endpoint" ? `${namespace}/${serviceOfEndpoint(this.#recorded.actor)}` : ""
  }
  get id(): string {
    return this.#recorded.id
  }
  get cause(): string {
    return this.#recorded.cause ?? ""
  }
  get correlation(): string {
    return this.#recorded.correlation ?? ""
  }
  get time(): Date {
    return new Date(this.#recorded.time)
  }
  get recorded(): Date {
    return new Date(this.#recorded.recordedTime)
  }
  get sequence(): bigint {
    return BigInt(this.#recorded.sequence)
  }
  get data(): unknown {
    this.#data ??= toCel(this.#raw())
    return this.#data
  }
  get text(): string {
    return sentence(this.#recorded)
  }

  #raw(): Readonly<Record<string, unknown>> {
    const { event } = this.#recorded
    if (event._tag !== "Unknown") {
      const { _tag, ...data } = event
      return data
    }
    return typeof event.data === "object" && event.data !== null ? (event.data as Record<string, unknown>) : {}
  }

  /** A field of the data that is text. */
  #word(name: string): string | undefined {
    const { event } = this.#recorded
    const data = (event._tag === "Unknown" ? event.data : event) as Readonly<Record<string, unknown>> | null
    const value = data?.[name]
    return typeof value === "string" ? value : undefined
  }
}
