import assert from "node:assert/strict"
import { join } from "node:path"
import process from "node:process"
import { describe } from "node:test"
import { Effect } from "effect"
import { makeSqliteJournal } from "../../../src/events/journal/sqlite.ts"
import { pause } from "../../support/agent.ts"
import { liveTest } from "../../support/effect.ts"
import { roundsOr, seededRandom } from "../../support/random.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { startChild } from "./child.ts"
import { rowsOf } from "./journal-contract.ts"

const rounds = roundsOr(6)
/** Milliseconds after its opening within which a child is killed. */
const longestLife = 250
const patience = 20_000

const opened = async (output: () => string): Promise<void> => {
  for (let waited = 0; !output().startsWith("open\n"); waited += 5) {
    if (waited > patience) throw new Error(`the child did not open the journal: ${output()}`)
    await pause(5)
  }
}
const acknowledged = (output: string): ReadonlyArray<number> =>
  // A last line may be cut: only what ends with a line feed was printed wholly.
  output.slice(0, output.lastIndexOf("\n")).split("\n").slice(1).map(Number)

describe("a process that dies while it appends", () => {
  liveTest(
    `has lost no acknowledged event and left a whole chain, ${rounds} times`,
    Effect.gen(function* () {
      const random = seededRandom("journal crashes")
      const path = join(yield* temporaryDirectory, "journal", "journal.db")
      let stored = 0
      for (let round = 0; round < rounds; round++) {
        const last = yield* Effect.scoped(
          Effect.gen(function* () {
            const child = yield* startChild("appending-child.ts", [path, String(1 + round * 1_000_000)])
            yield* Effect.promise(() => opened(child.output))
            yield* Effect.promise(() => pause(random.int(0, longestLife)))
            child.process.kill("SIGKILL")
            yield* Effect.promise(() => child.exited)
            return Math.max(stored, ...acknowledged(child.output()))
          })
        )
        yield* Effect.scoped(
          Effect.gen(function* () {
            const journal = yield* makeSqliteJournal({ path, node: "n1", reserveBytes: 0, lowBytes: 0 })
            const head = yield* journal.head
            assert.ok(head.sequence >= last, `round ${round}: acknowledged ${last}, stored ${head.sequence}`)
            const report = yield* journal.verify
            assert.deepEqual([report.broken, report.events], [undefined, head.sequence])
            assert.equal((yield* rowsOf(journal, { types: ["ContainerExited"] })).length, head.sequence)
            stored = head.sequence
          })
        )
      }
      assert.ok(stored > 0, "nothing was ever appended")
      console.log(`${stored} events over ${rounds} deaths on ${process.execPath.split("/").at(-1)}`)
    }),
    { timeout: 300_000 }
  )
})
