/** A real journal in an agent's data directory. */
import { Effect } from "effect"
import { journalPath } from "../../src/cli/event-log/journal-path.ts"
import type { EventDraft } from "../../src/events/journal/port.ts"
import { makeSqliteJournal } from "../../src/events/journal/sqlite.ts"

/** Appends to the journal of `node1` in `directory`; makes it if it is not there. */
export const writeJournal = (directory: string, drafts: ReadonlyArray<EventDraft>): Promise<void> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const journal = yield* makeSqliteJournal({ path: journalPath(directory), node: "node1", reserveBytes: 0 })
        yield* journal.append(drafts)
      })
    )
  )
