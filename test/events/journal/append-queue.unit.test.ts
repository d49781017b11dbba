/** The queue before a journal's worker, with a worker that does what the test says. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result } from "effect"
import { type Appended, type AppendQueue, makeAppendQueue } from "../../../src/events/journal/append-queue.ts"
import { genesisHash } from "../../../src/events/journal/chain.ts"
import { type EventDraft, JournalError } from "../../../src/events/journal/port.ts"
import type { AppendAnswer, AppendRows } from "../../../src/events/journal/sqlite-protocol.ts"
import { sampleDraft } from "./sample.ts"

const lost = new JournalError({ reason: "InputOutput", path: "journal", message: "disk I/O error" })
const stored: Result.Result<AppendAnswer, JournalError> = Result.succeed({
  _tag: "Appended",
  hash: genesisHash,
  reserveUsed: false
})
const duplicateAt = (row: number): Result.Result<AppendAnswer, JournalError> =>
  Result.succeed({ _tag: "Duplicate", row })

/** A queue, the batches that it has sent, and `settle`: what the worker says of the oldest that it was not told of. */
const makeQueue = () => {
  const sent: Array<AppendRows> = []
  const open: Array<(answer: Result.Result<AppendAnswer, JournalError>) => void> = []
  const queue: AppendQueue = makeAppendQueue({
    path: "journal",
    node: "n1",
    head: { sequence: 0, hash: genesisHash },
    commit: (rows, done) => {
      sent.push(rows)
      open.push(done)
    },
    onCommitted: () => {},
    onFull: () => {},
    fullRetryPeriod: 1
  })
  return { queue, sent, settle: (answer: Result.Result<AppendAnswer, JournalError>) => open.shift()?.(answer) }
}
const told = (result: Appended): ReadonlyArray<number> | string =>
  Result.isSuccess(result) ? result.success.map((event) => event.sequence) : result.failure.reason

describe("the queue of appends", () => {
  /** Appends `draft`, and `next` from within its answer; says what became of both and where batches began. */
  const follow = (
    { queue, sent, settle }: ReturnType<typeof makeQueue>,
    draft: EventDraft,
    answers: ReadonlyArray<Result.Result<AppendAnswer, JournalError>>
  ) => {
    const results: Array<ReadonlyArray<number> | string> = []
    queue.append([draft], 0, (first) => {
      results.push(told(first))
      queue.append([sampleDraft(50)], 0, (second) => results.push(told(second)))
    })
    queue.append([sampleDraft(60)], 0, (other) => results.push(told(other)))
    for (const answer of answers) settle(answer)
    return { results, firsts: sent.map(({ first }) => first) }
  }

  it("gives an append that is made within an answer the place behind what is queued", () => {
    assert.deepEqual(follow(makeQueue(), sampleDraft(1), [stored, stored, stored]), {
      results: [[1], [2], [3]],
      firsts: [1, 2, 3]
    })
  })

  it("leaves no gap where it is made within the answer of one that was refused", () => {
    assert.deepEqual(follow(makeQueue(), sampleDraft(1), [duplicateAt(0), stored, stored]), {
      results: ["DuplicateEvent", [1], [2]],
      firsts: [1, 1, 2]
    })
    const large = sampleDraft(1, { text: "x".repeat(70_000) })
    assert.deepEqual(follow(makeQueue(), large, [stored, stored]), {
      results: ["EventTooLarge", [1], [2]],
      firsts: [1, 2]
    })
  })

  it("sends nothing any more after a commit that failed, and says so to all", () => {
    const made = makeQueue()
    assert.deepEqual(follow(made, sampleDraft(1), [lost].map(Result.fail)), {
      results: ["InputOutput", "InputOutput", "InputOutput"],
      firsts: [1]
    })
    let later: Appended | undefined
    made.queue.append([sampleDraft(70)], 0, (result) => {
      later = result
    })
    assert.deepEqual(later, Result.fail(lost))
    assert.equal(made.sent.length, 1)
    let drained = false
    made.queue.drain(() => {
      drained = true
    })
    assert.ok(drained)
  })
})
