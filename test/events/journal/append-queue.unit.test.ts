/** The queue before a journal's worker, with a worker that does what the test says. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result } from "effect"
import {
  type Appended,
  type AppendQueue,
  followingEvents,
  makeAppendQueue
} from "../../../src/events/journal/append-queue.ts"
import { genesisHash } from "../../../src/events/journal/chain.ts"
import { type EventDraft, JournalError } from "../../../src/events/journal/port.ts"
import type { AppendAnswer, AppendRows } from "../../../src/events/journal/sqlite-protocol.ts"
import { sampleDraft, sampleDrafts } from "./sample.ts"

const lost = new JournalError({ reason: "InputOutput", path: "journal", message: "disk I/O error" })
const stored: Result.Result<AppendAnswer, JournalError> = Result.succeed({
  _tag: "Appended",
  hash: genesisHash,
  reserveUsed: false
})
const duplicateAt = (row: number): Result.Result<AppendAnswer, JournalError> =>
  Result.succeed({ _tag: "Duplicate", row })
const misplaced: Result.Result<AppendAnswer, JournalError> = Result.succeed({ _tag: "Misplaced" })
const full: Result.Result<AppendAnswer, JournalError> = Result.succeed({ _tag: "Full", freeBytes: 0 })

/** A queue, the batches that it has sent, and `settle`: what the worker says of the oldest that it was not told of. */
const makeQueue = () => {
  const sent: Array<AppendRows> = []
  let onSent = (): void => {}
  const open: Array<(answer: Result.Result<AppendAnswer, JournalError>) => void> = []
  const queue: AppendQueue = makeAppendQueue({
    path: "journal",
    node: "n1",
    head: { sequence: 0, hash: genesisHash },
    commit: (rows, done) => {
      sent.push(rows)
      open.push(done)
      onSent()
    },
    onCommitted: () => {},
    onFull: () => {},
    fullRetryPeriod: 1
  })
  const nextSent = () =>
    new Promise<void>((resolve) => {
      onSent = resolve
    })
  return {
    queue,
    sent,
    nextSent,
    settle: (answer: Result.Result<AppendAnswer, JournalError>) => open.shift()?.(answer)
  }
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

  /** Appends so many events from the n-th draft on, and writes down what became of them: where they begin. */
  const append = (queue: AppendQueue, results: Array<string>, n: number, count: number): void =>
    queue.append(sampleDrafts(n, count), 0, (result) =>
      results.push(`${n}: ${Result.isSuccess(result) ? result.success[0]?.sequence : result.failure.reason}`)
    )
  const many = followingEvents
  const begins = (sent: ReadonlyArray<AppendRows>) =>
    sent.map(({ first, lines }) => [first, lines.split("\n").length] as const)

  it("gathers appends while one is under way, and sends many at once behind it", () => {
    const { queue, sent, settle } = makeQueue()
    for (const n of [1, 2, 3]) append(queue, [], n, 1)
    assert.deepEqual(begins(sent), [[1, 1]])
    append(queue, [], 4, many)
    append(queue, [], 1000, 1)
    const two = [
      [1, 1],
      [2, many + 2]
    ]
    assert.deepEqual(begins(sent), two)
    settle(stored)
    assert.deepEqual(begins(sent), two)
    settle(stored)
    assert.deepEqual(begins(sent), [...two, [many + 4, 1]])
  })

  it("gives what was sent behind a refused append its places anew, when all of it has come back", () => {
    const { queue, sent, settle } = makeQueue()
    const results: Array<string> = []
    append(queue, results, 1, 2)
    append(queue, results, 3, many)
    append(queue, results, 1000, many)
    append(queue, results, 2000, 1)
    settle(duplicateAt(1))
    settle(misplaced)
    assert.equal(sent.length, 3)
    settle(misplaced)
    settle(stored)
    assert.deepEqual(begins(sent), [
      [1, 2],
      [3, many],
      [many + 3, many],
      [1, 2 * many + 1]
    ])
    assert.deepEqual(results, ["1: DuplicateEvent", "3: 1", `1000: ${many + 1}`, `2000: ${2 * many + 1}`])
    assert.equal(queue.head().sequence, 2 * many + 1)
  })

  it("waits for room with all that was sent, in the same order", async () => {
    const { queue, sent, settle, nextSent } = makeQueue()
    const results: Array<string> = []
    append(queue, results, 1, 1)
    append(queue, results, 2, many)
    settle(full)
    assert.ok(queue.isFull())
    const again = nextSent()
    settle(misplaced)
    append(queue, results, 1000, 1)
    assert.equal(sent.length, 2)
    await again
    settle(stored)
    assert.ok(!queue.isFull())
    assert.deepEqual(begins(sent).slice(2), [[1, many + 2]])
    assert.deepEqual(results, ["1: 1", "2: 2", `1000: ${many + 2}`])
  })

  it("takes no notice of answers after it was abandoned", () => {
    const { queue, sent, settle } = makeQueue()
    const results: Array<string> = []
    append(queue, results, 1, 1)
    append(queue, results, 2, many)
    append(queue, results, 1000, 1)
    queue.abandon(lost)
    settle(stored)
    settle(stored)
    assert.deepEqual(results, ["1: InputOutput", "2: InputOutput", "1000: InputOutput"])
    assert.equal(queue.head().sequence, 0)
    assert.equal(sent.length, 2)
  })
})
