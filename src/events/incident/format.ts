/**
 * The incident file: a slice of a node's log that can be carried away, mailed and read without anything else. NDJSON of
 * CloudEvents, UTF-8, one line each:
 *
 * ```
 * {"specversion":"1.0",…,"type":"dev.chronode.IncidentExported.v2",…,"data":{"formatVersion":2,"node":…},"headerhash":"<64 hex>"}
 * {…the first state of an actor, of a file that is a slice: see first-state.ts…}
 * {…the stored event…,"data":{…},"chainprev":"<64 hex>","chainhash":"<64 hex>"}
 * {…the stored event…,"data":{…},"chainhash":"<64 hex>"}
 * ```
 * The first line is the header; it has no sequence and is not in the chain; `headerhash` is the SHA-256 of the line without
 * it, and the header holds the SHA-256 of the first state. Every line after these is exactly what the journal stores with two extension attributes before the final brace: `chainhash`, the chain's hash after this event, and before
 * it `chainprev`, the hash before it, only where the line above is not the event's predecessor. Cutting them off gives
 * the stored bytes back, to which the hashes belong. Any CloudEvents reader can read the file, and a plain NDJSON file
 * of CloudEvents is read here too, as one without a chain.
 */
import { hash } from "node:crypto"
import { Result, Schema } from "effect"
import { v7 } from "uuid"
import { actorId, actorPath, sourceOf } from "../actor-id.ts"
import { Timestamp } from "../definition.ts"
import { maxEventBytes } from "../envelope.ts"

/**
 * Newer formats are refused: an older program cannot know what it would misread. Format 1 had no first state, no
 * configuration and no `headerhash`; it is read for ever.
 */
export const formatVersion = 2
export const headerType = "dev.chronode.IncidentExported.v2"
const oldHeaderType = "dev.chronode.IncidentExported.v1"
/** The header's type in any version. */
export const headerTypePrefix = "dev.chronode.IncidentExported.v"

export const hashOpening = ',"chainhash":"'
export const prevOpening = ',"chainprev":"'
/** `,"chainhash":"<64 hex>"}` */
export const hashSuffixBytes = hashOpening.length + 64 + 2
/** `,"chainprev":"<64 hex>"` */
export const prevSuffixBytes = prevOpening.length + 64 + 1
/** A line that is longer is no event. */
export const maxLineBytes = maxEventBytes + hashSuffixBytes + prevSuffixBytes

const text = Schema.String
/** What the log knew of its node before the first event of the file, by its last `NodeStarted` and `RuntimeConnected`. */
export const IncidentConfiguration = Schema.Struct({
  agent: Schema.optionalKey(
    Schema.Struct({
      /** When it started, and the sequence of the event that says so. */
      time: text,
      sequence: Schema.Int,
      version: text,
      host: text,
      kernel: text,
      architecture: text,
      cgroupVersion: text,
      bootId: text,
      /** Absent where retention dropped the event, and its node's checkpoint tells of it. */
      recording: Schema.optionalKey(text)
    })
  ),
  runtime: Schema.optionalKey(
    Schema.Struct({
      time: text,
      sequence: Schema.Int,
      endpoint: text,
      name: text,
      version: text,
      apiVersion: text,
      events: Schema.Boolean,
      cgroupDriver: text
    })
  ),
  /** Decision flags in force; absent: not known. */
  flags: Schema.optionalKey(Schema.Array(Schema.Int))
})
export type IncidentConfiguration = typeof IncidentConfiguration.Type

export const IncidentHeader = Schema.Struct({
  formatVersion: Schema.Int,
  node: Schema.String,
  chronodeVersion: Schema.String,
  exportedAt: Timestamp,
  /** 0 where the file holds no event. */
  firstSequence: Schema.Int,
  lastSequence: Schema.Int,
  /** What was asked for, in the words of whoever exported; empty: everything. */
  filter: Schema.Record(Schema.String, Schema.Unknown),
  events: Schema.optionalKey(Schema.Int),
  /** Chain hash after the last event. */
  lastHash: Schema.optionalKey(Schema.String),
  configuration: Schema.optionalKey(IncidentConfiguration),
  /** Of the lines that follow the header: the state after the event before the first one. */
  firstState: Schema.optionalKey(
    Schema.Struct({
      /** Sequence of that event, chain hash after it, and when it was recorded. */
      sequence: Schema.Int,
      hash: Schema.String,
      time: Schema.String,
      lines: Schema.Int,
      sha256: Schema.String
    })
  )
})
export type IncidentHeader = typeof IncidentHeader.Type

export class IncidentError extends Schema.TaggedError<IncidentError>()("IncidentError", {
  reason: Schema.Literals([
    "InputOutput",
    "NotIncident",
    "NewerVersion",
    "LineTooLong",
    "Damaged",
    "RowOutOfOrder",
    "Exists"
  ]),
  path: Schema.String,
  /** In the file, from 1; 0 where it is not about a line. */
  line: Schema.Int,
  /** Names the file, the line and what to do. */
  message: Schema.String
}) {}

const headerHashOpening = ',"headerhash":"'
const headerHashSuffix = headerHashOpening.length + 64 + 2

/** The header as a line, without its line feed. */
export const headerLine = (header: IncidentHeader): string => {
  const line = JSON.stringify({
    specversion: "1.0",
    id: v7(),
    source: sourceOf(header.node, actorPath(actorId("node", "", header.node))),
    type: headerType,
    time: header.exportedAt,
    datacontenttype: "application/json",
    data: header
  })
  return `${line.slice(0, -1)}${headerHashOpening}${hash("sha256", line, "hex")}"}`
}

/** Whether a header's line is what was written. */
const headerHolds = (line: string): boolean => {
  const at = line.length - headerHashSuffix
  const said = line.slice(at + headerHashOpening.length, -2)
  return line.startsWith(headerHashOpening, at) && hash("sha256", `${line.slice(0, at)}}`, "hex") === said
}

/** A stored line as it stands in the file. `previousHash` only where the line above is not its predecessor. */
export const incidentLine = (line: string, hash: string, previousHash: string | undefined): string =>
  previousHash === undefined
    ? `${line.slice(0, -1)}${hashOpening}${hash}"}`
    : `${line.slice(0, -1)}${prevOpening}${previousHash}"${hashOpening}${hash}"}`

/** `chainhash` of a line of the file; undefined: it has none. */
export const hashIn = (text: string): string | undefined => {
  const at = text.length - hashSuffixBytes
  return text.startsWith(hashOpening, at) && text.endsWith('"}')
    ? text.slice(at + hashOpening.length, at + hashOpening.length + 64)
    : undefined
}

/** `chainprev` of a line of the file; undefined: it has none. */
export const previousHashIn = (text: string): string | undefined => {
  const at = text.length - hashSuffixBytes - prevSuffixBytes
  return hashIn(text) !== undefined && text.startsWith(prevOpening, at)
    ? text.slice(at + prevOpening.length, at + prevOpening.length + 64)
    : undefined
}

/** The stored event of a line of the file: what it is without the chain's attributes. */
export const storedLine = (text: string): string => {
  if (hashIn(text) === undefined) return text
  const suffix = hashSuffixBytes + (previousHashIn(text) === undefined ? 0 : prevSuffixBytes)
  return `${text.slice(0, text.length - suffix)}}`
}

export type HeaderReading =
  | { readonly _tag: "Header"; readonly header: IncidentHeader }
  | { readonly _tag: "NoHeader" }
  | { readonly _tag: "Newer"; readonly version: string }
  | { readonly _tag: "Invalid"; readonly problem: string }

const decodeHeader = Schema.decodeUnknownResult(IncidentHeader)

/** What the first line of a file is. */
export const readHeaderLine = (line: string): HeaderReading => {
  let json: { readonly type?: unknown; readonly data?: unknown } | null
  try {
    json = JSON.parse(line) as typeof json
  } catch {
    return { _tag: "NoHeader" } // its own problem is told when it is read as an event
  }
  const type = json?.type
  if (typeof type !== "string" || !type.startsWith(headerTypePrefix)) return { _tag: "NoHeader" }
  const version = (json?.data as { readonly formatVersion?: unknown } | undefined)?.formatVersion
  if (typeof version === "number" && version > formatVersion) return { _tag: "Newer", version: String(version) }
  if (type !== headerType && type !== oldHeaderType)
    return { _tag: "Newer", version: type.slice(headerTypePrefix.length) }
  if (type === headerType && !headerHolds(line.trimEnd())) return { _tag: "Invalid", problem: "it was changed" }
  const decoded = decodeHeader(json?.data)
  return Result.isSuccess(decoded)
    ? { _tag: "Header", header: decoded.success }
    : { _tag: "Invalid", problem: String(decoded.failure).replaceAll("\n", " ") }
}
