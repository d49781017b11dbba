/** An incident file as a log to read. */
import { realpathSync, statSync } from "node:fs"
import { Effect, Result, Stream } from "effect"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { IncidentError, IncidentHeader } from "../../events/incident/format.ts"
import {
  type IncidentEntry,
  type ReadOptions,
  readFirstState,
  readIncident,
  readIncidentHeader,
  readMarks,
  readPieces
} from "../../events/incident/reader.ts"
import type { IncidentEnd } from "../../events/incident/scan.ts"
import { verifyIncident } from "../../events/incident/verify.ts"
import type { JournalRow } from "../../events/journal/port.ts"
import { CommandFailed } from "../exit.ts"
import { type EventFilter, matcher } from "../filter.ts"
import { makeCauseIndex } from "./incident-causes.ts"
import {
  type ChainedLog,
  type LogIdentity,
  type LogLine,
  type LogPiece,
  type Span,
  type Verification,
  wholeFile
} from "./log.ts"

const failed = (error: IncidentError): CommandFailed => new CommandFailed(error.message)

/** What is wrong with the file as a whole, as a line that is no event: what was read before is good. */
const ofFile = ({ line, problem }: { readonly line: number; readonly problem: string }): LogLine => ({
  line: "",
  place: line === 0 ? "file" : `line ${line}`,
  event: Result.fail({ where: wholeFile, message: problem })
})
const damageOf = ({
  line,
  message
}: IncidentError): { entries: []; end: Pick<IncidentEnd, "problems">; place?: undefined } => ({
  entries: [],
  end: { problems: [{ line, problem: message }] }
})

/** Any path; whether it is an incident shows when it is read. `options`: of what `read` does. */
export const openIncidentLog = (path: string, options: ReadOptions = {}): Effect.Effect<ChainedLog, CommandFailed> =>
  Effect.map(Effect.mapError(readIncidentHeader(path), failed), (header) => ({
    name: path,
    node: header?.node ?? "",
    isSlice: header !== undefined && Object.keys(header.filter).length > 0,
    filter: header?.filter ?? {},
    read: (filter) => {
      const matches = matcher(filter)
      return pieces(path, options).pipe(
        Stream.flatMap(({ lines }) => Stream.fromArray(lines)),
        Stream.filter(({ event }) => Result.isFailure(event) || matches(event.success))
      )
    },
    identity: Effect.sync(() => identityOf(path)),
    length: Effect.sync(() => header?.events ?? Math.ceil((sizeOf(path) ?? 0) / usualLineBytes)),
    pieces: (from) => pieces(path, from?.file === undefined ? options : { ...options, from: from.file }),
    marks: (from) => Stream.mapError(readMarks(path, from?.file), failed),
    // Its identity says that nothing in the file was changed.
    holds: (place) => Effect.succeed(place.file !== undefined),
    first: firstOf(path, header),
    configuration: header?.configuration ?? {},
    span: (filter) => spanOf(path, filter),
    rows: (filter, span) => rows(path, filter, span),
    find: finder(path),
    verify: verification(path)
  }))

/** For files that do not say how many events they hold. */
const usualLineBytes = 600

const sizeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.size

/** A file is known by its place, and unchanged as long as neither its contents nor its inode were touched. */
const identityOf = (path: string): LogIdentity | undefined => {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return undefined
  const { dev, ino, size, mtimeNs, ctimeNs } = stat
  return { name: `file ${realpathSync(path)}`, stamp: [dev, ino, size, mtimeNs, ctimeNs].join(" ") }
}

const pieces = (path: string, options: ReadOptions): Stream.Stream<LogPiece, CommandFailed> =>
  readPieces(path, options).pipe(
    Stream.catch((error) => (error.reason === "Damaged" ? Stream.succeed(damageOf(error)) : Stream.fail(error))),
    Stream.map(({ end, entries, place }): LogPiece => {
      const lines: ReadonlyArray<LogLine> = end === undefined ? entries : [...entries, ...end.problems.map(ofFile)]
      return place === undefined
        ? { lines }
        : { lines, place: { sequence: place.scan.lastSequence, hash: place.scan.hash, file: place } }
    }),
    Stream.mapError(failed)
  )

/** A header that is damaged says nothing of a first state: what is wrong is told when the file is read. */
const firstOf = (path: string, header: IncidentHeader | undefined): ChainedLog["first"] =>
  header?.firstState === undefined
    ? Effect.succeed(undefined)
    : Effect.map(Effect.mapError(readFirstState(path), failed), (state) =>
        state === undefined ? undefined : { state, time: header.firstState?.time ?? "" }
      )

const spanOf = (path: string, filter: EventFilter): ReturnType<ChainedLog["span"]> => {
  const matches = matcher(filter)
  let span: Span | undefined
  return Stream.runForEachArray(readIncident(path, { checkChain: false }), (entries) =>
    Effect.sync(() => {
      for (const { event } of entries)
        if (Result.isSuccess(event) && matches(event.success))
          span = { from: span?.from ?? event.success.sequence, to: event.success.sequence }
    })
  ).pipe(
    Effect.map(() => span),
    Effect.mapError(failed)
  )
}

const wholeLog: Span = { from: 0, to: Number.MAX_SAFE_INTEGER }

/** Rows of the events that match, each with the hash before it where the one before is left out. */
const rows = (path: string, filter: EventFilter, span: Span = wholeLog): Stream.Stream<JournalRow, CommandFailed> => {
  const matches = matcher(filter)
  let hashBefore: string | undefined
  let lastTaken = 0
  return readIncident(path).pipe(
    Stream.mapError(failed),
    Stream.mapEffect(({ line, lineNumber, event, hash, previousHash }) => {
      const before = previousHash ?? hashBefore
      hashBefore = hash
      if (Result.isFailure(event) || hash === undefined) {
        const why = hash === undefined ? "it has no chainhash" : event._tag === "Failure" ? event.failure.message : ""
        return Effect.fail(new CommandFailed(`${path}:${lineNumber}: cannot be exported again: ${why}`))
      }
      const { sequence } = event.success
      if (!matches(event.success) || sequence < span.from || sequence > span.to) return Effect.succeed(undefined)
      const follows = sequence === lastTaken + 1 && lastTaken !== 0
      lastTaken = sequence
      return Effect.succeed<JournalRow>({
        sequence,
        line,
        hash,
        ...(follows || before === undefined ? {} : { previousHash: before })
      })
    }),
    Stream.filter((row) => row !== undefined)
  )
}

/**
 * Events by id. A file has no index: the first look-up reads it twice, once for who was caused by whom, once for the
 * events of that whole chain of causes; further look-ups along the chain are answered at once.
 */
const finder = (path: string): ChainedLog["find"] => {
  const index = makeCauseIndex()
  let known = new Map<string, RecordedEvent>()
  const readAll = (each: (recorded: RecordedEvent, entry: IncidentEntry) => void) =>
    Stream.runForEachArray(readIncident(path), (entries) =>
      Effect.sync(() => {
        for (const entry of entries) if (Result.isSuccess(entry.event)) each(entry.event.success, entry)
      })
    ).pipe(Effect.mapError(failed))
  return (id) =>
    Effect.gen(function* () {
      const cached = known.get(id)
      if (cached !== undefined) return cached
      if (index.size() === 0) yield* readAll((recorded) => index.add(recorded.id, recorded.cause))
      const positions = index.chainOf(id)
      if (positions.size === 0) return undefined
      const chain = new Map<string, RecordedEvent>()
      let position = 0
      yield* readAll((recorded) => {
        if (positions.has(position)) chain.set(recorded.id, recorded)
        position += 1
      })
      known = chain
      return known.get(id)
    })
}

const verification = (path: string): Effect.Effect<Verification, CommandFailed> =>
  Effect.mapError(verifyIncident(path), failed)
