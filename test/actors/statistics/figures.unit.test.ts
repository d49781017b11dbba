/** Figures that may be a little old, rates of CPU, and what adds up to a pod's storage. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Deferred, Effect, Fiber, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { makeFigures } from "../../../src/actors/statistics/figures.ts"
import { networkStats } from "../../../src/actors/statistics/figures-of-cgroups.ts"
import { CpuRates, minRateInterval } from "../../../src/actors/statistics/rates.ts"
import { ephemeralStorage } from "../../../src/actors/statistics/storage.ts"

const run = (test: Effect.Effect<void, unknown, Scope.Scope>): Promise<void> =>
  Effect.runPromise(Effect.scoped(Effect.provide(test, TestClock.layer())))

describe("figures that may be a little old", () => {
  it("are measured once in their age, and told as they were meanwhile", () =>
    run(
      Effect.gen(function* () {
        let measured = 0
        const figures = yield* makeFigures({
          measure: () => Effect.sync(() => ++measured),
          maxAge: 1_000,
          patience: 100
        })
        assert.equal(yield* figures.get("a"), 1)
        yield* TestClock.adjust(999)
        assert.equal(yield* figures.get("a"), 1)
        yield* TestClock.adjust(1)
        // Old by now: measured anew, for whoever asks next.
        assert.equal(yield* figures.get("a"), 1)
        yield* TestClock.adjust(1)
        assert.deepEqual([yield* figures.get("a"), measured], [2, 2])
      })
    ))

  it("are measured anew before their time where that is asked for, also while they are being measured", () =>
    run(
      Effect.gen(function* () {
        let measured = 0
        const gates: Array<Deferred.Deferred<void>> = []
        const measure = () =>
          Effect.gen(function* () {
            const gate = Deferred.makeUnsafe<void>()
            gates.push(gate)
            yield* Deferred.await(gate)
            return ++measured
          })
        const figures = yield* makeFigures({ measure, maxAge: 60_000, patience: 100 })
        const first = yield* Effect.forkChild(figures.get("a"))
        yield* TestClock.adjust(1)
        // The one that is under way has begun before: it does not count.
        const renewed = yield* Effect.forkChild(figures.renew(5_000))
        yield* TestClock.adjust(1)
        yield* Deferred.succeed(gates[0]!, undefined)
        yield* TestClock.adjust(1)
        assert.equal(yield* Fiber.join(first), 1)
        assert.equal(gates.length, 2)
        yield* Deferred.succeed(gates[1]!, undefined)
        yield* Fiber.join(renewed)
        assert.equal(yield* figures.get("a"), 2)
        // What does not answer is not waited for without end.
        const late = yield* Effect.forkChild(figures.renew(5_000))
        yield* TestClock.adjust(5_001)
        yield* Fiber.join(late)
        assert.equal(yield* figures.get("a"), 2)
      })
    ))

  it("are waited for by who asks first, and not for long; one measurement is enough for all", () =>
    run(
      Effect.gen(function* () {
        const held = yield* Deferred.make<string>()
        let begun = 0
        const measure = () =>
          Effect.andThen(
            Effect.sync(() => begun++),
            Deferred.await(held)
          )
        const figures = yield* makeFigures({ measure, maxAge: 1_000, patience: 100 })
        const both = yield* Effect.forkChild(Effect.all([figures.get("a"), figures.get("a")], { concurrency: 2 }))
        yield* TestClock.adjust(100)
        assert.deepEqual(yield* Fiber.join(both), [undefined, undefined])
        yield* Deferred.succeed(held, "at last")
        yield* TestClock.adjust(1)
        assert.deepEqual([yield* figures.get("a"), begun], ["at last", 1])
      })
    ))

  it("are not asked for again at once where they cannot be had, and forgotten when nobody wants them", () =>
    run(
      Effect.gen(function* () {
        let measured = 0
        const measure = () =>
          Effect.as(
            Effect.sync(() => measured++),
            undefined
          )
        const figures = yield* makeFigures<string>({ measure, maxAge: 1_000, patience: 100 })
        yield* figures.get("a")
        yield* figures.get("a")
        assert.equal(measured, 1)
        figures.retain(new Set(["b"]))
        yield* figures.get("a")
        assert.equal(measured, 2)
      })
    ))
})

describe("rates of CPU", () => {
  it("are the growth from one pass to the next, in nanoseconds a second", () => {
    const rates = new CpuRates()
    assert.equal(rates.of([["/a", 1_000, 5_000]])("/a"), undefined)
    assert.equal(rates.of([["/a", 3_000, 4_005_000]])("/a"), 2_000_000)
    // Too soon to tell: as before, and counted from where that was.
    assert.equal(rates.of([["/a", 3_000 + minRateInterval - 1, 9_000_000]])("/a"), 2_000_000)
    assert.equal(rates.of([["/a", 5_000, 10_005_000]])("/a"), 3_000_000)
    assert.equal(rates.of([["/a", 7_000, 1]])("/a"), undefined)
    assert.equal(rates.of([["/b", 8_000, undefined]])("/b"), undefined)
    assert.equal(rates.of([["/a", 9_000, 2]])("/a"), undefined)
  })
})

describe("a pod's storage", () => {
  const at = (second: number) => `2026-11-26T10:00:0${second}.000Z`
  const used = (usedBytes: number, inodesUsed: number, second = 1) => ({ time: at(second), usedBytes, inodesUsed })
  const nodefs = {
    time: at(0),
    availableBytes: 10,
    capacityBytes: 20,
    usedBytes: 9,
    inodes: 5,
    inodesFree: 4,
    inodesUsed: 1
  }

  it("is what its parts take, as of the newest of them; logs without a layer do not count", () => {
    const sum = ephemeralStorage(nodefs, {
      containers: [{ rootfs: used(100, 1), logs: used(10, 1, 3) }, { logs: used(1_000_000, 9) }],
      volumes: [used(1_000, 2)],
      files: [used(1, 1)]
    })
    const { usedBytes: _, inodesUsed: __, ...whole } = nodefs
    assert.deepEqual(sum, { ...whole, time: at(3), usedBytes: 1_111, inodesUsed: 5 })
  })

  it("is not told where nothing of it is known", () => {
    const sum = ephemeralStorage(nodefs, { containers: [], volumes: [], files: [] })
    assert.deepEqual([sum.usedBytes, sum.inodesUsed, sum.capacityBytes], [undefined, undefined, 20])
  })
})

describe("a network", () => {
  const counters = (name: string) => ({
    name,
    ...{ rxBytes: 1, rxPackets: 1, rxErrors: 0, rxDropped: 0, txBytes: 2, txPackets: 1, txErrors: 0, txDropped: 0 }
  })
  it("has the counters of eth0, and names all but what is the host's own", () => {
    const stats = networkStats(0, ["lo", "veth12", "docker0", "eth0", "eth1"].map(counters))
    assert.deepEqual([stats?.name, stats?.rxBytes], ["eth0", 1])
    assert.deepEqual(
      stats?.interfaces.map(({ name }) => name),
      ["eth0", "eth1"]
    )
    const other = networkStats(0, [counters("ens3")])
    assert.deepEqual([other?.name, other?.rxBytes, other?.interfaces.length], ["", undefined, 1])
    assert.equal(networkStats(0, [counters("lo")]), undefined)
  })
})
