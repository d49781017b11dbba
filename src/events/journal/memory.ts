/** The journal in memory: the same contract without the disk, for tests and simulation. Time comes from Effect's Clock. */
import { Clock, Effect, Layer, Result, Stream, SubscriptionRef } from "effect"
import { actorPath } from "../actor-id.ts"
import type { NodeEvent } from "../catalogue.ts"
import type { RecordedEvent } from "../envelope.ts"
import { genesisHash, makeChain } from "./chain.ts"
import { checkDrafts, placeDrafts } from "./draft.ts"
import { makeHeadWaiters } from "./head-waiters.ts"
import { maxNoteBytes, noteTooLarge } from "./notes.ts"
import {
  type ChainBreak,
  Journal,
  JournalError,
  type JournalHead,
  type JournalQuery,
  type JournalRow,
  type SpaceReport
} from "./port.ts"

interface MemoryRow {
  readonly recorded: RecordedEvent<NodeEvent>
  readonly line: string
  readonly hash: string
}

/** What tests may do to a journal in memory besides using it. */
export interface MemoryControl {
  /** Tells that the disk is so; at `full` appends wait until it is `ok` or `low` again. */
  readonly setSpace: (report: SpaceReport) => Effect.Effect<void>
  /** Rows as they are stored, oldest first. What is put in here is what `verify` sees. */
  readonly rows: Array<MemoryRow>
}

/** Rows of one part of a read. */
const readRows = 512
const path = "memory"

const matches = (query: JournalQuery) => {
  const types = query.types === undefined ? undefined : new Set(query.types)
  const isOf = (actor: string): boolean =>
    (query.actor === undefined || actor === query.actor) &&
    (query.actorPrefix === undefined || actor.startsWith(query.actorPrefix))
  const isWithin = (time: number): boolean =>
    time >= (query.since ?? Number.NEGATIVE_INFINITY) && time <= (query.until ?? Number.POSITIVE_INFINITY)
  const anyActor = query.actor === undefined && query.actorPrefix === undefined
  const anyTime = query.since === undefined && query.until === undefined
  return ({ recorded }: MemoryRow): boolean =>
    (types === undefined || types.has(recorded.event._tag)) &&
    (query.correlation === undefined || recorded.correlation === query.correlation) &&
    (query.id === undefined || recorded.id === query.id) &&
    (anyActor || isOf(actorPath(recorded.actor))) &&
    (anyTime || isWithin(Date.parse(recorded.time)))
}

/** Index of the first row from this sequence on. Rows are in order. */
const indexFrom = (rows: ReadonlyArray<MemoryRow>, sequence: number): number => {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle] as MemoryRow).recorded.sequence < sequence) low = middle + 1
    else high = middle
  }
  return low
}

export const makeMemoryJournal = (
  options: { readonly node?: string } = {}
): Effect.Effect<{ readonly journal: Journal["Service"]; readonly control: MemoryControl }> =>
  Effect.gen(function* () {
    const node = options.node ?? "node"
    const rows: Array<MemoryRow> = []
    const ids = new Set<string>()
    const notes = new Map<string, string>()
    const chain = makeChain()
    const waiters = makeHeadWaiters()
    const space = yield* SubscriptionRef.make<SpaceReport>({ state: "ok", freeBytes: Number.MAX_SAFE_INTEGER })
    let base: JournalHead = { sequence: 0, hash: genesisHash }
    let head: JournalHead = base

    const hashBefore = (sequence: number): string =>
      sequence - 1 === base.sequence ? base.hash : (rows[sequence - base.sequence - 2]?.hash ?? genesisHash)
    const store = (drafts: Parameters<typeof placeDrafts>[2], at: number) => {
      const checked = checkDrafts(path, drafts)
      if (Result.isFailure(checked)) return Result.fail(checked.failure)
      const batch = new Set<string>()
      for (const { id } of checked.success) {
        if (ids.has(id) || batch.has(id))
          return Result.fail(
            new JournalError({
              reason: "DuplicateEvent",
              path,
              message: `event ${id} is stored already; nothing of this append (${drafts.length} events) was stored`
            })
          )
        batch.add(id)
      }
      const placed = placeDrafts(path, node, checked.success, head.sequence + 1, at)
      if (Result.isFailure(placed)) return Result.fail(placed.failure)
      for (const { recorded, line } of placed.success) {
        ids.add(recorded.id)
        rows.push({ recorded, line, hash: chain.next(line) })
      }
      head = { sequence: head.sequence + placed.success.length, hash: chain.head() }
      waiters.wake(head)
      return Result.succeed(placed.success.map((event) => event.recorded))
    }
    const room = SubscriptionRef.changes(space).pipe(
      Stream.filter((report) => report.state !== "full"),
      Stream.take(1),
      Stream.runDrain
    )

    const read = (query: JournalQuery): Stream.Stream<JournalRow, JournalError> =>
      Stream.suspend(() => {
        const first = indexFrom(rows, query.from ?? 1)
        const end = query.to === undefined ? rows.length : indexFrom(rows, query.to + 1)
        let found = rows.slice(first, end).filter(matches(query))
        if (query.reverse === true) found = found.reverse()
        let last = 0
        const result = found.slice(0, query.limit ?? found.length).map((row): JournalRow => {
          const { sequence } = row.recorded
          const follows = last !== 0 && sequence === last + 1
          last = sequence
          const plain = { sequence, line: row.line, hash: row.hash }
          return follows || query.reverse === true ? plain : { ...plain, previousHash: hashBefore(sequence) }
        })
        return Stream.fromIterable(result, { chunkSize: readRows })
      })

    const verify = Effect.sync(() => {
      const walk = makeChain(base.hash)
      let events = 0
      let broken: ChainBreak | undefined
      for (const [index, row] of rows.entries()) {
        const sequence = base.sequence + index + 1
        if (walk.next(row.line) !== row.hash) broken = { sequence, problem: "the stored event or its hash was changed" }
        else if (row.recorded.sequence !== sequence) broken = { sequence, problem: "the row is missing" }
        if (broken !== undefined) break
        events++
      }
      const end = base.sequence + rows.length
      if (broken === undefined && (end !== head.sequence || walk.head() !== head.hash))
        broken = { sequence: Math.min(end, head.sequence) + 1, problem: `the journal's head is ${head.sequence}` }
      return { events, first: base.sequence + 1, head, broken }
    })

    const journal = Journal.of({
      node,
      append: (drafts) =>
        Effect.gen(function* () {
          if ((yield* SubscriptionRef.get(space)).state === "full") yield* room
          const stored = store(drafts, yield* Clock.currentTimeMillis)
          return yield* Effect.fromResult(stored)
        }),
      read,
      head: Effect.sync(() => head),
      awaitBeyond: (sequence) => waiters.await(sequence, () => head),
      verify,
      prune: (through) =>
        Effect.sync(() => {
          const cut = Math.min(through, head.sequence)
          const events = Math.max(0, cut - base.sequence)
          if (events > 0) base = { sequence: cut, hash: (rows[events - 1] as MemoryRow).hash }
          for (const row of rows.splice(0, events)) ids.delete(row.recorded.id)
          return { events, hash: base.hash }
        }),
      size: Effect.sync(() => ({
        bytes: rows.reduce((sum, row) => sum + Buffer.byteLength(row.line), 0),
        first: base.sequence + 1
      })),
      space: SubscriptionRef.get(space),
      spaceChanges: SubscriptionRef.changes(space).pipe(Stream.changesWith((a, b) => a.state === b.state)),
      note: (key) => Effect.sync(() => notes.get(key)),
      setNote: (key, value) =>
        Buffer.byteLength(value) > maxNoteBytes
          ? Effect.fail(noteTooLarge(path, key, value))
          : Effect.sync(() => void notes.set(key, value))
    })
    return { journal, control: { setSpace: (report) => SubscriptionRef.set(space, report), rows } }
  })

export const MemoryJournal = {
  layer: (options: { readonly node?: string } = {}): Layer.Layer<Journal> =>
    Layer.effect(
      Journal,
      Effect.map(makeMemoryJournal(options), ({ journal }) => journal)
    )
}
