/** An incident file as a log to read. */
import { Effect, Result, Stream } from "effect"
import type { RecordedEvent } from "../events/envelope.ts"
import type { IncidentError } from "../events/incident/format.ts"
import { type IncidentEntry, type ReadOptions, readIncident, readIncidentHeader } from "../events/incident/reader.ts"
import { verifyIncident } from "../events/incident/verify.ts"
import type { JournalRow } from "../events/journal/port.ts"
import { CommandFailed } from "./exit.ts"
import { type EventFilter, matcher } from "./filter.ts"
import { makeCauseIndex } from "./incident-causes.ts"
import type { ChainedLog, LogLine, Verification } from "./log.ts"

const failed = (error: IncidentError): CommandFailed => new CommandFailed(error.message)

const toLine = (entry: IncidentEntry): LogLine => ({
  line: entry.line,
  place: `line ${entry.lineNumber}`,
  event: entry.event,
  broken: entry.broken,
  get hash() {
    return entry.hash
  }
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
      return readIncident(path, options).pipe(
        Stream.map(toLine),
        Stream.filter(({ event }) => Result.isFailure(event) || matches(event.success)),
        Stream.mapError(failed)
      )
    },
    rows: (filter) => rows(path, filter),
    find: finder(path),
    verify: verification(path)
  }))

/** Rows of the events that match, each with the hash before it where the one before is left out. */
const rows = (path: string, filter: EventFilter): Stream.Stream<JournalRow, CommandFailed> => {
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
      if (!matches(event.success)) return Effect.succeed(undefined)
      const { sequence } = event.success
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
