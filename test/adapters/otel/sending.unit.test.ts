/** What waits for a collector, and what becomes of it when the collector is away. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { type Exporter, OtelError } from "../../../src/adapters/otel/port.ts"
import { makeSending, type SendingOptions } from "../../../src/adapters/otel/sending.ts"

type Answer = "takes" | "away" | "refuses"

const collector = () => {
  const taken: Array<ReadonlyArray<number>> = []
  const told = { answer: "takes" as Answer, requests: 0 }
  const exporter: Exporter<number> = {
    url: "http://collector",
    send: (items) =>
      Effect.suspend(() => {
        told.requests += 1
        if (told.answer === "takes") return Effect.sync(() => void taken.push(items))
        const reason = told.answer === "away" ? "Unavailable" : "Refused"
        return Effect.fail(new OtelError({ reason, url: "http://collector", message: told.answer }))
      })
  }
  return { taken, told, exporter }
}

const options = { what: "traces", capacity: 5, drops: "newest", batch: 2, period: 5, firstPause: 5 } as const
/** Waits for what is to become true soon. */
const until = (what: string, holds: () => boolean): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (const end = performance.now() + 10_000; !holds(); yield* Effect.sleep(5))
      if (performance.now() > end) throw new Error(`waited in vain for: ${what}`)
  })
const run = <A>(effect: Effect.Effect<A, never, never>) => Effect.runPromise(effect)
const sending = (exporter: Exporter<number>, more: Partial<SendingOptions<number>> = {}) =>
  makeSending({ ...options, exporter, ...more })

describe("what waits for a collector", () => {
  it("goes in batches, soon after the first", () => {
    const { taken, exporter } = collector()
    const test = Effect.gen(function* () {
      const { offer, counts } = yield* sending(exporter)
      assert.deepEqual([1, 2, 3].map(offer), [true, true, true])
      yield* until("all three", () => taken.length === 2)
      assert.deepEqual(taken, [[1, 2], [3]])
      assert.deepEqual(counts(), { sent: 3, dropped: 0, waiting: 0 })
      offer(4)
      yield* until("the fourth", () => taken.length === 3)
      assert.deepEqual(taken.at(-1), [4])
    })
    return run(Effect.scoped(test))
  })

  it("is bounded, and kept while nobody answers", () => {
    const { taken, told, exporter } = collector()
    const test = Effect.gen(function* () {
      told.answer = "away"
      const { offer, counts } = yield* sending(exporter)
      assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(offer), [true, true, true, true, true, false, false])
      yield* until("another attempt", () => told.requests > 1)
      assert.deepEqual(counts(), { sent: 0, dropped: 2, waiting: 5 })
      told.answer = "takes"
      yield* until("all that waited", () => counts().waiting === 0)
      assert.deepEqual(taken.flat(), [1, 2, 3, 4, 5])
    })
    return run(Effect.scoped(test))
  })

  it("makes room for what is new where that is what counts", () => {
    const { taken, exporter } = collector()
    const test = Effect.gen(function* () {
      const { offer, counts } = yield* sending(exporter, { capacity: 1, batch: 1, drops: "oldest", period: 20 })
      for (const n of [1, 2, 3]) assert.equal(offer(n), true)
      assert.equal(counts().dropped, 2)
      yield* until("the newest", () => taken.length > 0)
      assert.deepEqual(taken, [[3]])
    })
    return run(Effect.scoped(test))
  })

  it("is dropped where it is refused, and what comes then goes on", () => {
    const { taken, told, exporter } = collector()
    const test = Effect.gen(function* () {
      told.answer = "refuses"
      const { offer, counts } = yield* sending(exporter)
      offer(1)
      yield* until("the refusal", () => counts().dropped === 1)
      assert.deepEqual([told.requests, counts().dropped, counts().waiting], [1, 1, 0])
      told.answer = "takes"
      offer(2)
      yield* until("the second", () => taken.length > 0)
      assert.deepEqual(taken, [[2]])
    })
    return run(Effect.scoped(test))
  })

  it("goes at the end, if that goes at once", async () => {
    const { taken, exporter } = collector()
    const test = Effect.gen(function* () {
      const { offer } = yield* sending(exporter, { period: 60_000 })
      offer(1)
      yield* Effect.sleep(10)
      assert.deepEqual(taken, [])
    })
    await run(Effect.scoped(test))
    assert.deepEqual(taken, [[1]])
  })
})
