/** Rows of a journal, or of another incident file, as an incident file: packed, where its name ends in .zst. */
import { existsSync } from "node:fs"
import { type FileHandle, open, rename, rm } from "node:fs/promises"
import { Effect, Stream } from "effect"
import { timestamp } from "../definition.ts"
import { genesisHash } from "../journal/chain.ts"
import type { JournalRow } from "../journal/port.ts"
import { type FirstState, gatherStateLines, maxFirstStateBytes, stateLines } from "./first-state.ts"
import {
  formatVersion,
  headerLine,
  type IncidentConfiguration,
  IncidentError,
  type IncidentHeader,
  incidentLine,
  maxLineBytes
} from "./format.ts"
import { isPackedName, plainSink, zstdSink } from "./sink.ts"

/** What the exporter says of the file; the rest of the header is counted while writing. */
export interface IncidentOrigin {
  readonly node: string
  readonly chronodeVersion: string
  /** What was asked for: `{ pod: "default/web", since: "2026-…" }`. Empty: everything. */
  readonly filter: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly exportedAt: number
  readonly configuration?: IncidentConfiguration
  /** What was before the first row, of a file that does not begin with its node's log. */
  readonly first?: FirstStateBefore
}

/** The states after the event before the first row. */
export interface FirstStateBefore {
  readonly state: FirstState
  readonly sequence: number
  /** Chain hash after it: what the first row has as `previousHash`. */
  readonly hash: string
  /** When it was recorded. */
  readonly time: string
}

export interface WriteOptions {
  /** False, the default: a file that is there is left, and the export fails (`Exists`). */
  readonly overwrite?: boolean
  /** Hears of the events written so far, now and then. */
  readonly progress?: (events: number) => void
}

/** It holds what the journal holds, which is 0600 too. */
const privateFile = 0o600
/** Of the header's line, bytes: what a packed file needs for it. */
const leastRoom = 512
/** Text that is gathered before it is written. */
const writeCharacters = 1024 * 1024

/**
 * Writes rows, oldest first, to `path` as they come; memory does not grow with them. The file gets its name when it is
 * whole: a failed export leaves nothing. Answers the header.
 *
 * @param rows as a forward `Journal.read` gives them: with `previousHash` where a row does not follow the one before
 */
export const writeIncident = <E>(
  path: string,
  origin: IncidentOrigin,
  rows: Stream.Stream<JournalRow, E>,
  options: WriteOptions = {}
): Effect.Effect<IncidentHeader, E | IncidentError> => {
  const part = `${path}.part`
  const attempt = <A>(body: () => Promise<A>): Effect.Effect<A, IncidentError> =>
    Effect.tryPromise({ try: body, catch: (error) => writeFailed(path, error) })
  return Effect.acquireUseRelease(
    options.overwrite !== true && existsSync(path)
      ? Effect.fail(exists(path))
      : attempt(() => open(part, "w", privateFile)),
    (file) =>
      Effect.gen(function* () {
        const header = yield* writeAll(path, file, origin, rows, attempt, options)
        yield* attempt(() => file.sync())
        yield* attempt(() => rename(part, path))
        return header
      }),
    // After success there is no such file any more.
    (file) => Effect.promise(() => file.close().then(() => rm(part, { force: true })))
  )
}

const writeAll = <E>(
  path: string,
  file: FileHandle,
  origin: IncidentOrigin,
  rows: Stream.Stream<JournalRow, E>,
  attempt: <A>(body: () => Promise<A>) => Effect.Effect<A, IncidentError>,
  options: WriteOptions
): Effect.Effect<IncidentHeader, E | IncidentError> =>
  Effect.gen(function* () {
    const { first: before } = origin
    const firstState = before === undefined ? undefined : stateHeader(origin.node, before)
    if (firstState !== undefined && firstState.bytes > maxFirstStateBytes)
      return yield* Effect.fail(firstStateTooLarge(path))
    const headerOf = (
      firstSequence: number,
      lastSequence: number,
      events: number,
      lastHash: string
    ): IncidentHeader => ({
      formatVersion,
      node: origin.node,
      chronodeVersion: origin.chronodeVersion,
      exportedAt: timestamp(origin.exportedAt),
      firstSequence,
      lastSequence,
      filter: origin.filter,
      events,
      lastHash,
      ...(origin.configuration === undefined ? {} : { configuration: origin.configuration }),
      ...(firstState === undefined ? {} : { firstState: firstState.header })
    })
    // The header stands first and is known last: room is left for its longest form, padded with spaces (JSON allows).
    const most = Number.MAX_SAFE_INTEGER
    const longest = headerLine(headerOf(most, most, most, genesisHash))
    const room = Math.max(Buffer.byteLength(longest) + 1, leastRoom)
    if (room > maxLineBytes) return yield* Effect.fail(headerTooLong(path))
    const sink = isPackedName(path) ? zstdSink(file, room) : plainSink(file, room)
    let first = 0
    let last = 0
    let events = 0
    let lastHash = genesisHash
    let text = ""
    const flush = attempt(async () => {
      if (text === "") return
      const bytes = Buffer.from(text)
      text = ""
      await sink.write(bytes)
    })
    if (before !== undefined)
      for (const line of stateLines(origin.node, before, before.state)) {
        text += `${line}\n`
        if (text.length >= writeCharacters) yield* flush
      }
    yield* Stream.runForEachArray(rows, (part) =>
      Effect.gen(function* () {
        for (const row of part) {
          const follows = events > 0 && row.sequence === last + 1
          if ((!follows && row.previousHash === undefined) || (events > 0 && row.sequence <= last))
            return yield* outOfOrder(path, row.sequence, last)
          text += `${incidentLine(row.line, row.hash, follows ? undefined : row.previousHash)}\n`
          if (events === 0) first = row.sequence
          last = row.sequence
          lastHash = row.hash
          events++
          if (text.length >= writeCharacters) yield* flush
        }
        options.progress?.(events)
      })
    )
    yield* flush
    const header = headerOf(first, last, events, lastHash)
    yield* attempt(() => sink.finish(headerLine(header)))
    return header
  })

/** What the header says of the first state, and how long its lines are together. */
const stateHeader = (node: string, { state, sequence, hash, time }: FirstStateBefore) => {
  const gathered = gatherStateLines(false)
  let bytes = 0
  for (const line of stateLines(node, { sequence, time }, state)) {
    gathered.add(line)
    bytes += line.length
  }
  return { bytes, header: { sequence, hash, time, lines: gathered.count(), sha256: gathered.sha256() } }
}

const headerTooLong = (path: string): IncidentError =>
  new IncidentError({
    reason: "InputOutput",
    path,
    line: 0,
    message: `${path} was not written: its header would be longer than ${maxLineBytes} bytes. Ask for fewer things in the filter.`
  })

const firstStateTooLarge = (path: string): IncidentError =>
  new IncidentError({
    reason: "InputOutput",
    path,
    line: 0,
    message: `${path} was not written: the state before its first event is longer than ${maxFirstStateBytes} bytes. Export one pod (--pod), or from the beginning of the log.`
  })

const exists = (path: string): IncidentError =>
  new IncidentError({
    reason: "Exists",
    path,
    line: 0,
    message: `${path} exists already. Name another file, or ask for it to be overwritten.`
  })

const writeFailed = (path: string, error: unknown): IncidentError =>
  new IncidentError({
    reason: "InputOutput",
    path,
    line: 0,
    message: `writing ${path} failed: ${error instanceof Error ? error.message : String(error)}. Choose a place with room where you may write.`
  })

const outOfOrder = (path: string, sequence: number, last: number): IncidentError =>
  new IncidentError({
    reason: "RowOutOfOrder",
    path,
    line: 0,
    message: `${path} was not written: row ${sequence} after ${last} came out of order or without the hash before it`
  })
