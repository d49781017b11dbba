import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { effectTest, liveTest } from "./effect.ts"
import { randomFrom } from "./random.ts"
import { findProgram, requires } from "./requires.ts"

describe("tests that are Effects", () => {
  effectTest(
    "run in virtual time",
    Effect.gen(function* () {
      const sleeper = yield* Effect.forkChild(Effect.sleep("1 hour").pipe(Effect.andThen(Clock.currentTimeMillis)))
      yield* TestClock.adjust("59 minutes")
      assert.equal(sleeper.pollUnsafe(), undefined)
      yield* TestClock.adjust("1 minute")
      assert.equal(yield* Fiber.join(sleeper), 3_600_000)
    })
  )

  let closed = false
  const close = () => {
    closed = true
  }
  effectTest(
    "have a scope",
    Effect.acquireRelease(Effect.void, () => Effect.sync(close))
  )
  it("close their scope", () => assert.ok(closed))

  liveTest(
    "run in real time",
    Effect.gen(function* () {
      assert.ok((yield* Clock.currentTimeMillis) > 1_600_000_000_000)
    })
  )
})

describe("random inputs", () => {
  const draw = (seed: number) => {
    const random = randomFrom(seed)
    return [
      random.next(),
      random.int(1, 6),
      random.chance(0.5),
      random.pick(["a", "b", "c"]),
      random.shuffle([1, 2, 3, 4])
    ]
  }
  it("are the same for the same seed", () => assert.deepEqual(draw(7), draw(7)))
  it("differ between seeds", () => assert.notDeepEqual(draw(7), draw(8)))
  it("stay within their bounds and reach them", () => {
    const random = randomFrom(1)
    const seen = new Set(Array.from({ length: 1000 }, () => random.int(-1, 2)))
    assert.deepEqual(
      [...seen].sort((a, b) => a - b),
      [-1, 0, 1, 2]
    )
  })
  it("keep what they shuffle", () => {
    const random = randomFrom(2)
    assert.deepEqual([...random.shuffle([5, 3, 9, 1])].sort(), [1, 3, 5, 9])
  })
  it("cannot pick from nothing", () => assert.throws(() => randomFrom(1).pick([]), /nothing to pick/))
})

describe("what a test requires", () => {
  it("is no reason to skip when there is nothing", () => assert.deepEqual(requires(), { skip: false }))
  it("finds programs of the system", () => assert.match(findProgram("sh") ?? "", /\/sh$/))
  it("does not find programs that do not exist", () => assert.equal(findProgram("no-such-program-here"), undefined))
})
