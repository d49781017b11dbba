/** Recovery: states from the journal, of the whole node at its start and of one actor after its failure. */
import { Effect, Result, Stream } from "effect"
import { decodeLine } from "../../events/decode.ts"
import { type Journal, JournalError, type JournalRow } from "../../events/journal/port.ts"
import type { Cell } from "./cell.ts"
import { type Deciders, foldEvent, NodeFold } from "./fold.ts"

const unreadable = (row: JournalRow, problem: { readonly where: string; readonly message: string }): JournalError =>
  new JournalError({
    reason: "Corrupt",
    path: "",
    message: `event ${row.sequence} cannot be read: ${problem.where} ${problem.message}; run \`chronode verify --journal\``
  })

/** Folds everything that the journal holds. */
export const foldJournal = (journal: Journal["Service"], deciders: Deciders): Effect.Effect<NodeFold, JournalError> =>
  Effect.suspend(() => {
    const fold = new NodeFold(deciders)
    return Stream.runForEachArray(journal.read({}), (rows) =>
      Effect.suspend(() => {
        for (const row of rows) {
          const decoded = decodeLine(row.line)
          if (Result.isFailure(decoded)) return Effect.fail(unreadable(row, decoded.failure))
          fold.apply(decoded.success)
        }
        return Effect.void
      })
    ).pipe(Effect.as(fold))
  })

/** Folds one actor's own events. */
export const foldActor = (
  journal: Journal["Service"],
  cell: Cell
): Effect.Effect<{ readonly state: unknown; readonly events: number }, JournalError> =>
  Effect.suspend(() => {
    let state: unknown = cell.behavior.initial(cell.id)
    let events = 0
    return Stream.runForEachArray(journal.read({ actor: cell.path }), (rows) =>
      Effect.suspend(() => {
        for (const row of rows) {
          const decoded = decodeLine(row.line)
          if (Result.isFailure(decoded)) return Effect.fail(unreadable(row, decoded.failure))
          state = foldEvent(cell.behavior, state, decoded.success)
          events += 1
        }
        return Effect.void
      })
    ).pipe(Effect.map(() => ({ state, events })))
  })
