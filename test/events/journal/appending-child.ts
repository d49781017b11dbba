/**
 * Appends for ever and prints the last sequence of each acknowledged append, one a line, until it is killed.
 * Arguments: the journal's path, the first number for ids.
 */
import { writeSync } from "node:fs"
import process from "node:process"
import { Effect } from "effect"
import { makeSqliteJournal } from "../../../src/events/journal/sqlite.ts"
import { sampleDrafts } from "./sample.ts"

const [path, first] = process.argv.slice(2) as [string, string]
const stdout = 1

await Effect.runPromise(
  Effect.scoped(
    Effect.gen(function* () {
      const journal = yield* makeSqliteJournal({ path, node: "n1", reserveBytes: 64 * 1024, lowBytes: 0 })
      writeSync(stdout, "open\n")
      let next = Number(first)
      const appendOn = Effect.gen(function* () {
        const size = 1 + (next % 7)
        const drafts = sampleDrafts(next, size)
        next += size
        const recorded = yield* journal.append(drafts)
        writeSync(stdout, `${recorded.at(-1)?.sequence}\n`)
      })
      yield* Effect.forEach([1, 2, 3, 4], () => Effect.forever(appendOn), { concurrency: "unbounded" })
    })
  )
)
