/** The journal's rows from one on, for ever, read ahead of whoever takes them, by a bounded number. */
import { Effect, Option, Queue, type Scope, Stream } from "effect"
import { Journal, type JournalError, type JournalRow } from "../../events/journal/port.ts"
import { PublisherStatus } from "./status.ts"

/** Parts of a read (each bounded by the journal in rows and bytes) that wait to be taken. */
const partsAhead = 1

type Rows = ReadonlyArray<JournalRow>

export interface ReadAhead {
  /** Up to `limit` rows that are there already. */
  readonly poll: (limit: number) => Effect.Effect<Rows>
  /** The same, but waits until there is one. */
  readonly take: (limit: number) => Effect.Effect<Rows, JournalError>
}

/** Reads until the scope closes. A row may be missing only where the journal was pruned. */
export const readAhead = (from: number): Effect.Effect<ReadAhead, never, Journal | PublisherStatus | Scope.Scope> =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const status = yield* PublisherStatus
    const parts = yield* Queue.bounded<Rows, JournalError>(partsAhead)
    const read = Effect.gen(function* () {
      for (let next = from; ; ) {
        const head = (yield* journal.awaitBeyond(next - 1)).sequence
        yield* status.update({ head })
        yield* Stream.runForEachArray(journal.read({ from: next, to: head }), (rows) => {
          next = (rows.at(-1)?.sequence ?? next - 1) + 1
          return Queue.offer(parts, rows)
        })
        // What was not there any more was pruned.
        next = Math.max(next, head + 1)
      }
    })
    yield* Effect.forkScoped(Effect.catch(read, (error) => Queue.fail(parts, error)))
    let rest: Rows = []
    const cut = (limit: number): Rows => {
      const rows = rest.slice(0, limit)
      rest = rest.slice(limit)
      return rows
    }
    return {
      poll: (limit) =>
        rest.length > 0
          ? Effect.sync(() => cut(limit))
          : Effect.map(Queue.poll(parts), (part) => {
              rest = Option.getOrElse(part, () => [])
              return cut(limit)
            }),
      take: (limit) =>
        rest.length > 0
          ? Effect.sync(() => cut(limit))
          : Effect.map(Queue.take(parts), (part) => {
              rest = part
              return cut(limit)
            })
    }
  })
