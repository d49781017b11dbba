/** A node's journal as a log to read, also while its agent writes. */
import { realpathSync } from "node:fs"
import { Effect, Result, type Scope, Stream } from "effect"
import { cursorNote, decodeCursor } from "../../actors/stream/cursor.ts"
import { actorPath } from "../../events/actor-id.ts"
import { decodeLine } from "../../events/decode.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { JournalError, JournalQuery, JournalReader, JournalRow } from "../../events/journal/port.ts"
import { openJournalReadOnly } from "../../events/journal/sqlite-readonly.ts"
import { markOf } from "../../events/mark.ts"
import { CommandFailed } from "../exit.ts"
import { type PodName, PodsByUid, podText } from "../filter/pods.ts"
import type { Selection } from "../filter/selection.ts"
import { type EventFilter, matcher, podActor, selectionOf } from "../filter.ts"
import type { ChainedLog, LogIdentity, LogLine, LogPiece, Span } from "./log.ts"

/** How often a journal that is followed is looked at, milliseconds. A look is one read of the file's head. */
const followPeriod = 200

const failed = (error: JournalError): CommandFailed =>
  new CommandFailed(
    error.message,
    error.reason === "InputOutput"
      ? "run it as the agent's user (root), or name another directory with --data-dir"
      : undefined
  )

const toLine = ({ line, sequence, hash }: JournalRow): LogLine => ({
  line,
  place: `sequence ${sequence}`,
  event: decodeLine(line),
  hash
})

/** Lines that are no events are shown too, wherever they stand: nothing is known of them. */
const wanted =
  (matches: (recorded: RecordedEvent) => boolean) =>
  ({ event }: LogLine): boolean =>
    Result.isFailure(event) || matches(event.success)

export const openJournalLog = (path: string): Effect.Effect<ChainedLog, CommandFailed, Scope.Scope> =>
  Effect.map(Effect.mapError(openJournalReadOnly(path), failed), (journal) => ({
    name: `the journal ${path}`,
    node: journal.node,
    isSlice: false,
    filter: {},
    read: (filter, follow) =>
      Stream.mapError(follow ? following(journal, filter) : pastLines(journal, filter, new PodsByUid()), failed),
    identity: Effect.mapError(identityOf(path, journal), failed),
    length: Effect.mapError(
      Effect.map(Effect.all([journal.size, journal.head]), ([{ first }, head]) => head.sequence - first + 1),
      failed
    ),
    pieces: (from) =>
      journal.read(from === undefined ? {} : { from: from.sequence + 1 }).pipe(
        Stream.mapError(failed),
        Stream.mapArray((rows): readonly [LogPiece] => {
          const { sequence, hash } = rows[rows.length - 1] as JournalRow
          return [{ lines: rows.map(toLine), place: { sequence, hash } }]
        })
      ),
    marks: (from) =>
      journal.read(from === undefined ? {} : { from: from.sequence + 1 }).pipe(
        Stream.mapError(failed),
        Stream.map(({ line }) => markOf(line)),
        Stream.filter((mark) => mark !== undefined)
      ),
    holds: ({ sequence, hash }) =>
      Stream.runHead(journal.read({ from: sequence, to: sequence })).pipe(
        Effect.map((row) => row._tag === "Some" && row.value.hash === hash),
        Effect.mapError(failed)
      ),
    // What retention has dropped is in the checkpoints that follow.
    first: Effect.succeed(undefined),
    configuration: {},
    span: (filter) => Effect.mapError(spanOf(journal, filter), failed),
    rows: (filter, span) => Stream.mapError(pastRows(journal, filter, span), failed),
    find: (id) =>
      Stream.runHead(journal.read({ id, limit: 1 })).pipe(
        Effect.map((row) => {
          if (row._tag === "None") return undefined
          const event = decodeLine(row.value.line)
          return Result.isSuccess(event) ? event.success : undefined
        }),
        Effect.mapError(failed)
      ),
    published: Effect.mapBoth(journal.note(cursorNote), {
      onFailure: failed,
      onSuccess: (note) => (note === undefined ? undefined : decodeCursor(note)?.journalSequence)
    }),
    verify: Effect.mapBoth(journal.verify, {
      onFailure: failed,
      onSuccess: ({ events, first, head, broken }) => ({
        chain: broken === undefined ? ("whole" as const) : ("broken" as const),
        events,
        firstSequence: first,
        lastSequence: head.sequence,
        headHash: head.hash,
        broken
      })
    })
  }))

/** A journal is known by its place, its node and its oldest event: what retention drops changes what is left. */
const identityOf = (path: string, journal: JournalReader): Effect.Effect<LogIdentity, JournalError> =>
  Effect.gen(function* () {
    const { first } = yield* journal.size
    const row = yield* Stream.runHead(journal.read({ from: first, to: first }))
    const oldest = row._tag === "Some" ? row.value.hash : ""
    return { name: `journal ${realpathSync(path)}`, stamp: [journal.node, first, oldest].join(" ") }
  })

/** What the journal's own indexes can select. */
const queryOf = ({ types, since, until }: Selection): JournalQuery => ({
  ...(types === undefined ? {} : { types: [...types] }),
  ...(since === undefined ? {} : { since }),
  ...(until === undefined ? {} : { until })
})

/** From the first to the last event that matches. */
const spanOf = (journal: JournalReader, filter: EventFilter): Effect.Effect<Span | undefined, JournalError> =>
  Effect.gen(function* () {
    if (filter.pod !== undefined || filter.condition !== undefined) {
      let span: Span | undefined
      yield* Stream.runForEach(pastRows(journal, filter), ({ sequence }) =>
        Effect.sync(() => {
          span = { from: span?.from ?? sequence, to: sequence }
        })
      )
      return span
    }
    const query = queryOf(filter)
    const [first, last] = yield* Effect.all([
      Stream.runHead(journal.read({ ...query, limit: 1 })),
      Stream.runHead(journal.read({ ...query, limit: 1, reverse: true }))
    ])
    return first._tag === "None" || last._tag === "None"
      ? undefined
      : { from: first.value.sequence, to: last.value.sequence }
  })

/**
 * The rows that the indexes select; an expression is still to be evaluated on them.
 *
 * @param pods learns the uids of the pod that is asked for
 * @param span of the rows that are wanted
 */
const past = (
  journal: JournalReader,
  filter: EventFilter,
  pods: PodsByUid,
  span: Partial<Span> = {}
): Stream.Stream<JournalRow, JournalError> => {
  const { pod, ...selection } = selectionOf(filter)
  const query = { ...queryOf(selection), ...span }
  if (pod === undefined) return journal.read(query)
  return Stream.unwrap(
    Effect.map(correlationsOf(journal, pod), (correlations) => {
      for (const uid of correlations) pods.learn(uid, podText(pod))
      // A pod that was refused may have no uid: its own events count in any case.
      const own: JournalQuery = { ...query, actor: actorPath(podActor(pod)) }
      const flows = correlations.map((correlation): JournalQuery => ({ ...query, correlation }))
      const starts: ReadonlyArray<JournalQuery> = filter.starts === true ? [{ ...query, types: ["NodeStarted"] }] : []
      return inOrder(journal, [own, ...flows, ...starts])
    })
  )
}

const pastLines = (
  journal: JournalReader,
  filter: EventFilter,
  pods: PodsByUid,
  span?: Partial<Span>
): Stream.Stream<LogLine, JournalError> => {
  const lines = Stream.map(past(journal, filter, pods, span), toLine)
  return filter.condition === undefined ? lines : Stream.filter(lines, wanted(matcher(filter, pods)))
}

/** The rows to export: each with the hash before it where the row before is left out. */
const pastRows = (
  journal: JournalReader,
  filter: EventFilter,
  span?: Span
): Stream.Stream<JournalRow, JournalError> => {
  const pods = new PodsByUid()
  const rows = past(journal, filter, pods, span)
  if (filter.condition === undefined) return rows
  const isWanted = wanted(matcher(filter, pods))
  let before: JournalRow | undefined
  let taken: JournalRow | undefined
  return rows.pipe(
    Stream.map((row): JournalRow | undefined => {
      const previousHash = row.previousHash ?? before?.hash
      const follows = before !== undefined && before === taken && row.previousHash === undefined
      before = row
      if (!isWanted(toLine(row))) return undefined
      taken = row
      return follows || previousHash === undefined ? row : { ...row, previousHash }
    }),
    Stream.filter((row) => row !== undefined)
  )
}

/** The uids under which a pod of this name ran: the correlations of its actor's events. */
const correlationsOf = (journal: JournalReader, pod: PodName): Effect.Effect<ReadonlyArray<string>, JournalError> => {
  const found = new Set<string>()
  return Stream.runForEach(journal.read({ actor: actorPath(podActor(pod)) }), ({ line }) =>
    Effect.sync(() => {
      const event = decodeLine(line)
      if (Result.isSuccess(event) && event.success.correlation !== undefined) found.add(event.success.correlation)
    })
  ).pipe(Effect.map(() => [...found]))
}

/** Sequences that one step of a merge covers: bounds what is in memory. */
const mergeWindow = 65_536

/** Several reads of one journal, merged by sequence; rows that several of them hold come once. */
const inOrder = (
  journal: JournalReader,
  queries: ReadonlyArray<JournalQuery>
): Stream.Stream<JournalRow, JournalError> => {
  const window = (from: number, to: number): Effect.Effect<ReadonlyArray<JournalRow>, JournalError> =>
    Effect.map(
      Effect.forEach(queries, (query) => Stream.runCollect(journal.read({ ...query, from, to }))),
      (lists) => {
        const rows = new Map<number, JournalRow>()
        for (const list of lists) for (const row of list) rows.set(row.sequence, row)
        return [...rows.values()].sort((a, b) => a.sequence - b.sequence)
      }
    )
  return Stream.unwrap(
    Effect.map(Effect.all([journal.size, journal.head]), ([{ first }, head]) => {
      const last = Math.min(head.sequence, queries[0]?.to ?? head.sequence)
      const starts: Array<number> = []
      for (let from = Math.max(first, queries[0]?.from ?? first); from <= last; from += mergeWindow) starts.push(from)
      return Stream.fromIterable(starts).pipe(
        Stream.mapEffect((from) => window(from, Math.min(from + mergeWindow - 1, last))),
        Stream.flatMap((rows) => Stream.fromIterable(rows))
      )
    })
  )
}

/** What is there, and then what comes. */
const following = (journal: JournalReader, filter: EventFilter): Stream.Stream<LogLine, JournalError> =>
  Stream.unwrap(
    Effect.map(journal.head, (head) => {
      const pods = new PodsByUid()
      const matches = matcher(filter, pods)
      let seen = head.sequence
      const next = Effect.gen(function* () {
        yield* Effect.sleep(followPeriod)
        const { sequence } = yield* journal.head
        if (sequence === seen) return []
        const rows = yield* Stream.runCollect(journal.read({ from: seen + 1, to: sequence }))
        seen = sequence
        return rows.map(toLine).filter(wanted(matches))
      })
      const live = Stream.forever(Stream.flatMap(Stream.fromEffect(next), (lines) => Stream.fromIterable(lines)))
      return Stream.concat(pastLines(journal, filter, pods, { to: head.sequence }), live)
    })
  )
