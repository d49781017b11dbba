/**
 * From bytes to events: JSON, then the envelope, then the data by its type. Types and versions that are not in the
 * catalogue stay raw (`UnknownEvent`); old versions are brought up step by step (`upcast.ts`).
 *
 * Import `effect/schema/SchemaJITCompiler/enable` first in an entry file: it makes decoding 5 to 8 times faster.
 */
import { Result } from "effect"
import { type ActorId, parseActorPath, parseSource } from "./actor-id.ts"
import { catalogue, type NodeEvent } from "./catalogue.ts"
import { makeDecoder } from "./decoder.ts"
import { isTime, type Severity, severities, typeName } from "./definition.ts"
import { type RecordedEvent, readSequence, type UnknownEvent } from "./envelope.ts"
import { upcast } from "./upcast.ts"

/** Why a line is no event. `where` is an attribute's name, `data` or empty (not JSON at all). */
export interface DecodeProblem {
  readonly where: string
  readonly message: string
}

const decoders: ReadonlyMap<string, { readonly tag: string; readonly decode: ReturnType<typeof makeDecoder> }> =
  new Map(catalogue.map((d) => [typeName(d), { tag: d.tag, decode: makeDecoder(d.schema as never) }]))

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""
const optionalText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const sources = new Map<string, { readonly node: string; readonly actor: ActorId }>()
/** Most events are of few actors. A node with Services has 100,000 of them that hardly ever say anything: those are not kept. */
const maxCachedSources = 4_096
/** Sources repeat: parsed once each. */
const sourceParts = (source: string): { readonly node: string; readonly actor: ActorId } | undefined => {
  const known = sources.get(source)
  if (known !== undefined) return known
  const parts = parseSource(source)
  const actor = parts === undefined ? undefined : parseActorPath(parts.path)
  if (parts === undefined || actor === undefined) return undefined
  if (sources.size >= maxCachedSources) sources.clear()
  const value = { node: parts.node, actor }
  sources.set(source, value)
  return value
}

const problem = (where: string, message: string): Result.Result<never, DecodeProblem> => Result.fail({ where, message })

/** One stored or exported line to an event. Never throws. */
export const decodeLine = (line: string): Result.Result<RecordedEvent, DecodeProblem> => {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (error) {
    return problem("", error instanceof Error ? error.message : String(error))
  }
  return decodeEvent(json)
}

/** A parsed CloudEvent to an event. Takes over `json`: do not use it afterwards. Never throws. */
export const decodeEvent = (json: unknown): Result.Result<RecordedEvent, DecodeProblem> => {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return problem("", "not a JSON object")
  const e = json as Record<string, unknown>
  if (e.specversion !== "1.0") return problem("specversion", `is ${JSON.stringify(e.specversion)}, not "1.0"`)
  if (!isText(e.id)) return problem("id", "is missing or no text")
  if (!isText(e.type)) return problem("type", "is missing or no text")
  if (!isText(e.source)) return problem("source", "is missing or no text")
  const source = sourceParts(e.source)
  if (source === undefined) return problem("source", `${e.source} is not /nodes/<node>/<kind>/<namespace>/<name>`)
  if (!isText(e.time) || !isTime(e.time)) return problem("time", "is missing or no RFC 3339 time")
  const sequence = typeof e.sequence === "string" ? readSequence(e.sequence, 0, e.sequence.length) : Number.NaN
  if (!Number.isSafeInteger(sequence)) return problem("sequence", "is missing or not up to 20 digits")
  if (!Number.isSafeInteger(e.actorsequence)) return problem("actorsequence", "is missing or no integer")
  const raised = upcast(e.type, e.data)
  const type = raised?.type ?? e.type
  const data = raised === undefined ? e.data : raised.data
  let event: NodeEvent | UnknownEvent
  const decoder = decoders.get(type)
  if (decoder === undefined) {
    event = { _tag: "Unknown", type, data }
  } else {
    if (typeof data !== "object" || data === null) return problem("data", "is no object")
    ;(data as Record<string, unknown>)._tag = decoder.tag
    const decoded = decoder.decode(data)
    if (Result.isFailure(decoded)) return problem("data", String(decoded.failure).replaceAll("\n", " "))
    event = decoded.success as NodeEvent
  }
  return Result.succeed({
    id: e.id,
    node: source.node,
    actor: source.actor,
    subject: optionalText(e.subject),
    time: e.time,
    sequence,
    actorSequence: e.actorsequence as number,
    recordedTime: optionalText(e.recordedtime) ?? e.time,
    cause: optionalText(e.causationid),
    correlation: optionalText(e.correlationid),
    traceparent: optionalText(e.traceparent),
    severity:
      typeof e.severitytext === "string" && e.severitytext in severities ? (e.severitytext as Severity) : "INFO",
    command: optionalText(e.command),
    event
  })
}
