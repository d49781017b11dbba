/**
 * The snapshots of one log in one file: states of the fold at places of the log, so that a fold to any point begins near it.
 *
 * ```
 * chronode-snapshots 1 <bytes of the index> <SHA-256 of the index>\n
 * <index: JSON> <states, deflated JSON, and hashes of the events' ids, one behind the other>
 * ```
 * A cache, nothing else (law 3): whatever is wrong with it, its key or a part of it, it is not used.
 */
import { createHash } from "node:crypto"
import { deflateSync, inflateSync } from "node:zlib"
import { Result, Schema } from "effect"
import type { LogPlace } from "../event-log/log.ts"

const magic = "chronode-snapshots 1"
const headPattern = /^chronode-snapshots 1 (\d{1,9}) ([0-9a-f]{64})\n/u
/** The first line is not longer, bytes. */
const headBytes = 128
/** Of one state, inflated. */
const maxStateBytes = 256 * 1024 * 1024

const Blob = Schema.Struct({ at: Schema.Int, bytes: Schema.Int, sha256: Schema.String })
const Index = Schema.Struct({
  /** Of which log, and made by which code. */
  key: Schema.String,
  /** Events between two snapshots, about. */
  spacing: Schema.Int,
  entries: Schema.Array(
    Schema.Struct({
      /** A `LogPlace`, as it was written under this key. */
      place: Schema.Unknown,
      /** Earliest time at which an event between the snapshot before and this one was recorded, milliseconds. */
      earliest: Schema.Finite,
      events: Schema.Int,
      state: Blob,
      ids: Blob
    })
  )
})
type SnapshotIndex = typeof Index.Type
type Blob = typeof Blob.Type

const decodeIndex = Schema.decodeUnknownResult(Index)
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** One snapshot: in memory, or in a file of which each part is checked when it is asked for. */
export interface Snapshot {
  readonly place: LogPlace
  /** Events of the log up to there. */
  readonly events: number
  /** Earliest time at which an event since the snapshot before was recorded, milliseconds. */
  readonly earliest: number
  /** What `packState` gave. Undefined: it is damaged. */
  readonly state: () => Uint8Array | undefined
  /** Hashes of the ids of the events since the snapshot before. Undefined: they are damaged. */
  readonly ids: () => Uint8Array | undefined
}

export const packState = (state: unknown): Uint8Array => deflateSync(JSON.stringify(state), { level: 1 })

export const inflateState = (packed: Uint8Array | undefined): unknown =>
  packed === undefined
    ? undefined
    : (JSON.parse(inflateSync(packed, { maxOutputLength: maxStateBytes }).toString("utf8")) as unknown)

/** The bytes of a file; a snapshot that is damaged ends it. */
export const encodeSnapshots = (
  key: string,
  spacing: number,
  snapshots: ReadonlyArray<Snapshot>
): ReadonlyArray<Uint8Array> => {
  const blobs: Array<Uint8Array> = []
  let at = 0
  const blob = (bytes: Uint8Array): Blob => {
    const placed = { at, bytes: bytes.length, sha256: sha256(bytes) }
    blobs.push(bytes)
    at += bytes.length
    return placed
  }
  const entries: Array<SnapshotIndex["entries"][number]> = []
  for (const { place, events, earliest, ...parts } of snapshots) {
    const [state, ids] = [parts.state(), parts.ids()]
    if (state === undefined || ids === undefined) break
    entries.push({ place, events, earliest, state: blob(state), ids: blob(ids) })
  }
  const index = Buffer.from(JSON.stringify({ key, spacing, entries } satisfies SnapshotIndex))
  const head = Buffer.from(`${magic} ${index.length} ${sha256(index)}\n`)
  return [head, index, ...blobs]
}

export interface Snapshots {
  readonly spacing: number
  readonly snapshots: ReadonlyArray<Snapshot>
}

/** @param read bytes of the file; fewer at its end. Undefined: it is none, is damaged, or is of something else. */
export const openSnapshots = (
  read: (position: number, bytes: number) => Uint8Array,
  key: string
): Snapshots | undefined => {
  const head = headPattern.exec(Buffer.from(read(0, headBytes)).toString("latin1"))
  if (head === null) return undefined
  const [line, bytes, hash] = head as unknown as [string, string, string]
  const json = read(line.length, Number(bytes))
  if (sha256(json) !== hash) return undefined
  const decoded = decodeIndex(JSON.parse(Buffer.from(json).toString("utf8")))
  if (Result.isFailure(decoded) || decoded.success.key !== key) return undefined
  const start = line.length + json.length
  const blob = (of: Blob) => (): Uint8Array | undefined => {
    const found = read(start + of.at, of.bytes)
    return sha256(found) === of.sha256 ? found : undefined
  }
  return {
    spacing: decoded.success.spacing,
    snapshots: decoded.success.entries.map(({ place, events, earliest, state, ids }) => ({
      place: place as LogPlace,
      events,
      earliest,
      state: blob(state),
      ids: blob(ids)
    }))
  }
}
