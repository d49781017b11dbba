import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Fiber } from "effect"
import { failingJournal, withFaults } from "../../../src/events/journal/failing.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
import { JournalError } from "../../../src/events/journal/port.ts"
import { journalContract, rowsOf } from "./journal-contract.ts"
import { sampleDraft } from "./sample.ts"

journalContract(
  "in memory",
  Effect.map(makeMemoryJournal({ node: "n1" }), ({ journal }) => journal)
)

const lost = new JournalError({ reason: "InputOutput", path: "test", message: "the disk is gone" })

describe("the journal in memory", () => {
  it("lets appends wait while there is no room", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const { journal, control } = yield* makeMemoryJournal()
        yield* control.setSpace({ state: "full", freeBytes: 0 })
        const append = yield* Effect.forkChild(journal.append([sampleDraft(1)]), { startImmediately: true })
        yield* Effect.yieldNow
        assert.equal(append.pollUnsafe(), undefined)
        yield* control.setSpace({ state: "low", freeBytes: 1 })
        assert.equal((yield* Fiber.join(append))[0]?.sequence, 1)
      })
    ))

  it("finds a row that was changed in memory", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const { journal, control } = yield* makeMemoryJournal()
        yield* journal.append([sampleDraft(1), sampleDraft(2), sampleDraft(3)])
        control.rows.splice(1, 1)
        assert.equal((yield* journal.verify).broken?.sequence, 2)
      })
    ))
})

describe("journals that fail", () => {
  it("the failing one fails every call with its error", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const journal = failingJournal(lost)
        const calls: ReadonlyArray<Effect.Effect<unknown, JournalError>> = [
          journal.append([sampleDraft(1)]),
          rowsOf(journal),
          journal.head,
          journal.awaitBeyond(0),
          journal.verify,
          journal.prune(1),
          journal.size,
          journal.note("a"),
          journal.setNote("a", "b")
        ]
        for (const call of calls) assert.equal(yield* Effect.flip(call), lost)
        assert.equal((yield* journal.space).state, "full")
      })
    ))

  it("a fault before an append keeps it from the journal, one after loses the answer only", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal()
        const faulty = withFaults(journal, (call, before) =>
          call === "append" && before < 2 ? { when: before === 0 ? "before" : "after", fail: lost } : undefined
        )
        assert.equal(yield* Effect.flip(faulty.append([sampleDraft(1)])), lost)
        assert.equal((yield* journal.head).sequence, 0)
        assert.equal(yield* Effect.flip(faulty.append([sampleDraft(2)])), lost)
        assert.equal((yield* journal.head).sequence, 1)
        assert.equal((yield* faulty.append([sampleDraft(3)]))[0]?.sequence, 2)
      })
    ))

  it("a fault in a read comes before its first row", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const { journal } = yield* makeMemoryJournal()
        yield* journal.append([sampleDraft(1)])
        const faulty = withFaults(journal, (call, before) =>
          call === "read" && before === 0 ? { when: "before", fail: lost } : undefined
        )
        assert.equal(yield* Effect.flip(rowsOf(faulty)), lost)
        assert.equal((yield* rowsOf(faulty)).length, 1)
      })
    ))
})
