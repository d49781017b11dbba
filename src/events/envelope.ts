/**
 * The CloudEvents 1.0 envelope: an event as it stands in the journal, on NATS and in an incident file. Structured JSON,
 * `application/cloudevents+json`, at most 64 KiB (what every CloudEvents consumer must accept).
 *
 * Extensions: `sequence` (20 digits, order in the journal), `actorsequence` (from 1, without gaps, per source),
 * `recordedtime`, `causationid` (id of the event that directly caused this one), `correlationid` (the whole flow: a
 * pod's uid), `traceparent`, `severitytext`, and `command`: the command that was decided, as JSON text, on the first
 * event of each decision. Events of the same source that follow without `command` belong to the same decision.
 */
import { type ActorId, actorPath, parseActorPath, parseSource, sourceOf } from "./actor-id.ts"
import type { NodeEvent } from "./catalogue.ts"
import { byTag } from "./catalogue.ts"
import { type Severity, type Timestamp, typeName } from "./definition.ts"

export const maxEventBytes = 64 * 1024
export const contentType = "application/cloudevents+json"

export interface CloudEvent {
  readonly specversion: "1.0"
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject?: string
  readonly time: Timestamp
  readonly datacontenttype: "application/json"
  readonly sequence: string
  readonly actorsequence: number
  readonly recordedtime: Timestamp
  readonly causationid?: string
  readonly correlationid?: string
  readonly traceparent?: string
  readonly severitytext: Severity
  readonly command?: string
  readonly data: Readonly<Record<string, unknown>>
}

/** An event of a type (or version) that this program does not know: kept raw and shown. */
export interface UnknownEvent {
  readonly _tag: "Unknown"
  readonly type: string
  readonly data: unknown
}

/** What an event is besides its data. */
export interface EventMeta {
  readonly id: string
  /** When it happened. */
  readonly time: Timestamp
}

/** An event with everything the envelope says of it. */
export interface RecordedEvent<E = NodeEvent | UnknownEvent> extends EventMeta {
  readonly node: string
  readonly actor: ActorId
  readonly subject: string | undefined
  readonly sequence: number
  readonly actorSequence: number
  /** When it was appended to the journal. */
  readonly recordedTime: Timestamp
  readonly cause: string | undefined
  readonly correlation: string | undefined
  readonly traceparent: string | undefined
  readonly severity: Severity
  /** JSON text of the command; only on the first event of a decision. */
  readonly command: string | undefined
  readonly event: E
}

const sequenceDigits = 20
/** A sequence as it stands in a text, 1 to 20 digits; NaN: it is none. */
export const readSequence = (text: string, start: number, end: number): number => {
  if (end <= start || end > start + sequenceDigits) return Number.NaN
  let sequence = 0
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    sequence = sequence * 10 + digit
  }
  return sequence
}

export const sequenceText = (sequence: number): string => String(sequence).padStart(sequenceDigits, "0")

/** The CloudEvent of a recorded event, its keys in the order in which they are written everywhere. */
export const toCloudEvent = (recorded: RecordedEvent<NodeEvent>): CloudEvent => {
  const { _tag, ...data } = recorded.event
  const definition = byTag.get(_tag)
  if (definition === undefined) throw new Error(`no event type ${_tag} in the catalogue`)
  return {
    specversion: "1.0",
    id: recorded.id,
    source: sourceOf(recorded.node, actorPath(recorded.actor)),
    type: typeName(definition),
    ...(recorded.subject === undefined ? {} : { subject: recorded.subject }),
    time: recorded.time,
    datacontenttype: "application/json",
    sequence: sequenceText(recorded.sequence),
    actorsequence: recorded.actorSequence,
    recordedtime: recorded.recordedTime,
    ...(recorded.cause === undefined ? {} : { causationid: recorded.cause }),
    ...(recorded.correlation === undefined ? {} : { correlationid: recorded.correlation }),
    ...(recorded.traceparent === undefined ? {} : { traceparent: recorded.traceparent }),
    severitytext: recorded.severity,
    ...(recorded.command === undefined ? {} : { command: recorded.command }),
    data
  }
}

/** Characters that stand for themselves in a URI, and in JSON (ECMA-262 encodeURI). */
const plainPath = /^[\w\-.!~*'();,/?:@&=+$#]*$/u
const prefix = { node: "", text: "" }
/** As JSON text. Made anew each time: to keep it would cost an actor that seldom speaks a third of its memory. */
const sourceText = (node: string, actor: ActorId): string => {
  const path = actorPath(actor)
  if (!plainPath.test(path)) return JSON.stringify(sourceOf(node, path))
  if (prefix.node !== node) {
    prefix.node = node
    prefix.text = JSON.stringify(sourceOf(node, "")).slice(0, -1)
  }
  return `${prefix.text}${path}"`
}

const typeTexts = new Map<string, string>()
const typeText = (tag: string): string => {
  const known = typeTexts.get(tag)
  if (known !== undefined) return known
  const definition = byTag.get(tag)
  if (definition === undefined) throw new Error(`no event type ${tag} in the catalogue`)
  const text = JSON.stringify(typeName(definition))
  typeTexts.set(tag, text)
  return text
}

/** The event without its `_tag`, as JSON text. */
const dataText = (event: NodeEvent): string => {
  const text = JSON.stringify(event)
  const opening = `{"_tag":"${event._tag}"`
  if (text.startsWith(opening)) return text.length === opening.length + 1 ? "{}" : `{${text.slice(opening.length + 1)}`
  const { _tag, ...data } = event
  return JSON.stringify(data)
}

const optional = (name: string, value: string | undefined): string =>
  value === undefined ? "" : `,"${name}":${JSON.stringify(value)}`

/** The bytes that are stored, chained, published and exported: `toCloudEvent` as JSON, put together without the object. */
export const encode = (recorded: RecordedEvent<NodeEvent>): string => {
  const { event } = recorded
  return (
    `{"specversion":"1.0","id":${JSON.stringify(recorded.id)},"source":${sourceText(recorded.node, recorded.actor)}` +
    `,"type":${typeText(event._tag)}${optional("subject", recorded.subject)},"time":${JSON.stringify(recorded.time)}` +
    `,"datacontenttype":"application/json","sequence":"${sequenceText(recorded.sequence)}"` +
    `,"actorsequence":${recorded.actorSequence},"recordedtime":${JSON.stringify(recorded.recordedTime)}` +
    optional("causationid", recorded.cause) +
    optional("correlationid", recorded.correlation) +
    optional("traceparent", recorded.traceparent) +
    `,"severitytext":"${recorded.severity}"${optional("command", recorded.command)},"data":${dataText(event)}}`
  )
}

export { parseActorPath, parseSource }
