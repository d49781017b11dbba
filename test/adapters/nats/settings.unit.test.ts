import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type Answer, makeAckWindows, type Outcome } from "../../../src/adapters/nats/ack-window.ts"
import { StreamError } from "../../../src/adapters/nats/port.ts"
import { covers, intersection } from "../../../src/events/subjects.ts"

describe("subjects", () => {
  it("cover what they match", () => {
    const yes = [
      ["chronode.>", "chronode.a.>"],
      ["chronode.a.>", "chronode.a.>"],
      ["*.a.>", "chronode.a.b"],
      [">", "a"],
      ["a.*", "a.*"]
    ] as const
    const no = [
      ["chronode.a.>", "chronode.>"],
      ["chronode.a", "chronode.a.>"],
      ["a.*", "a.>"],
      ["a.b", "a.*"],
      ["a.>", "a"],
      ["a.*", "a.b.c"]
    ] as const
    for (const [wide, narrow] of yes) assert.equal(covers(wide, narrow), true, `${wide} covers ${narrow}`)
    for (const [wide, narrow] of no) assert.equal(covers(wide, narrow), false, `${wide} does not cover ${narrow}`)
  })

  it("meet in what both match", () => {
    assert.equal(intersection("chronode.one.>", "chronode.*.pod.default.*.Exited"), "chronode.one.pod.default.*.Exited")
    assert.equal(intersection("chronode.>", "chronode.one.>"), "chronode.one.>")
    assert.equal(intersection("a.*.c", "a.b.*"), "a.b.c")
    assert.equal(intersection("a.b", "a.c"), undefined)
    assert.equal(intersection("a.b", "a.b.c"), undefined)
    assert.equal(intersection("a.>", "a"), undefined)
  })
})

describe("acknowledgements of a window", () => {
  const stored = (sequence: number, duplicate = false): Answer => ({ _tag: "Stored", sequence, duplicate })
  const refused = (reason: StreamError["reason"]): Answer => ({
    _tag: "Refused",
    error: new StreamError({ reason, server: "s", message: "m" })
  })
  const judge = (after: number, answers: ReadonlyArray<Answer>): Outcome => {
    const windows = makeAckWindows("s")
    const outcomes: Array<Outcome> = []
    const first = windows.open(answers.length, after, (outcome) => outcomes.push(outcome))
    for (const [index, answer] of [...answers.entries()].reverse()) {
      assert.equal(outcomes.length, 0)
      windows.answer(first + index, answer)
    }
    const [outcome] = outcomes
    assert.ok(outcome)
    return outcome
  }
  const reason = (outcome: Outcome) => ("error" in outcome ? outcome.error.reason : undefined)

  it("are all in place, in whatever order they come", () => {
    assert.deepEqual(judge(7, [stored(8), stored(9), stored(10)]), { settled: { messages: 3, lastSequence: 10 } })
    assert.deepEqual(judge(7, [stored(8, true), stored(9)]), { settled: { messages: 2, lastSequence: 9 } })
  })

  it("fail with the first refusal, even where earlier ones were stored", () => {
    assert.equal(reason(judge(0, [stored(1), refused("StreamRefused"), refused("WrongLastSequence")])), "StreamRefused")
  })

  it("tell of messages that the stream has had at another place", () => {
    const wrong = refused("WrongLastSequence")
    assert.deepEqual(judge(9, [stored(4, true), stored(5, true), wrong]), { settled: { messages: 2, lastSequence: 9 } })
    assert.deepEqual(judge(9, [stored(10), stored(5, true), wrong]), { settled: { messages: 2, lastSequence: 10 } })
    assert.deepEqual(judge(9, [stored(4, true)]), { settled: { messages: 1, lastSequence: 9 } })
  })

  it("are an error where the server put a message elsewhere than expected", () => {
    assert.equal(reason(judge(9, [stored(12)])), "Protocol")
  })

  it("fail together when they are aborted, and late ones change nothing", () => {
    const windows = makeAckWindows("s")
    const outcomes: Array<Outcome> = []
    const one = windows.open(2, 0, (outcome) => outcomes.push(outcome))
    windows.open(3, 2, (outcome) => outcomes.push(outcome))
    windows.answer(one, stored(1))
    windows.answer(one, stored(1))
    assert.equal(windows.pending(), 4)
    windows.abort(new StreamError({ reason: "Unavailable", server: "s", message: "gone" }))
    assert.deepEqual(outcomes.map(reason), ["Unavailable", "Unavailable"])
    windows.answer(one + 1, stored(2))
    assert.equal(outcomes.length, 2)
    assert.equal(windows.pending(), 0)
  })
})
