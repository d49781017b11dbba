import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Fiber, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type Faults, withFaults } from "../../../src/adapters/cri/fault.ts"
import { MemoryRuntime } from "../../../src/adapters/cri/memory.ts"
import type { ContainerRuntime, CriError } from "../../../src/adapters/cri/port.ts"
import { sandboxConfig, testImage } from "./configs.ts"

type Runtime = ContainerRuntime["Service"]

const faulty = <A>(
  use: (runtime: Runtime, faults: Faults, calls: ReadonlyArray<string>) => Effect.Effect<A, CriError, Scope.Scope>
): Promise<A> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(MemoryRuntime.make({ images: [testImage] }), ({ runtime: real, calls }) => {
        const { runtime, faults } = withFaults(real)
        return use(runtime, faults, calls)
      })
    ).pipe(Effect.provide(TestClock.layer()))
  )
const reasonOf = (call: Effect.Effect<unknown, CriError>) =>
  Effect.orDie(Effect.map(Effect.flip(call), (error) => error.reason))
const config = sandboxConfig("p", "/")

describe("a runtime with faults", () => {
  it("passes calls through while nothing is injected", () =>
    faulty((runtime, faults) =>
      Effect.gen(function* () {
        const id = yield* runtime.runPodSandbox(config, "")
        assert.equal((yield* runtime.podSandboxStatus(id)).id, id)
        assert.equal((yield* runtime.listImages).length, 1)
        assert.equal(runtime.endpoint, "memory")
        assert.equal(faults.pending(), 0)
      })
    ))

  it("refuses the next calls of a name and does nothing, as often as asked, in the order asked", () =>
    faulty((runtime, faults, calls) =>
      Effect.gen(function* () {
        faults.inject("runPodSandbox", { kind: "error", reason: "Unavailable" }, 2)
        faults.inject("runPodSandbox", { kind: "error", reason: "ResourceExhausted" })
        assert.equal(yield* reasonOf(runtime.runPodSandbox(config, "")), "Unavailable")
        assert.equal(yield* reasonOf(runtime.runPodSandbox(config, "")), "Unavailable")
        assert.equal(yield* reasonOf(runtime.runPodSandbox(config, "")), "ResourceExhausted")
        assert.deepEqual(calls, [])
        yield* runtime.runPodSandbox(config, "")
      })
    ))

  it("takes a fault when the call is made, not when it is built", () =>
    faulty((runtime, faults) =>
      Effect.gen(function* () {
        const { version } = runtime
        faults.inject("version", { kind: "error", reason: "Protocol" })
        assert.equal(yield* reasonOf(version), "Protocol")
        assert.equal((yield* version).runtimeName, "memory")
        faults.inject("version", { kind: "error", reason: "Protocol" })
        faults.clear()
        assert.equal((yield* version).runtimeName, "memory")
      })
    ))

  it("can lose the answer of a call that was done", () =>
    faulty((runtime, faults) =>
      Effect.gen(function* () {
        faults.inject("runPodSandbox", { kind: "lostAnswer" })
        assert.equal(yield* reasonOf(runtime.runPodSandbox(config, "")), "DeadlineExceeded")
        assert.equal((yield* runtime.listPodSandboxes({})).length, 1)
        assert.equal(yield* reasonOf(runtime.runPodSandbox(config, "")), "AlreadyExists")
      })
    ))

  it("can be late, and can hang until the deadline of the call", () =>
    faulty((runtime, faults, calls) =>
      Effect.gen(function* () {
        faults.inject("version", { kind: "delay", milliseconds: 5_000 })
        const late = yield* Effect.forkChild(runtime.version)
        yield* TestClock.adjust("4999 millis")
        assert.deepEqual([late.pollUnsafe(), calls], [undefined, []])
        yield* TestClock.adjust("1 millis")
        assert.equal((yield* Fiber.join(late)).runtimeName, "memory")

        faults.inject("runPodSandbox", { kind: "hang" })
        const hung = yield* Effect.forkChild(reasonOf(runtime.runPodSandbox(config, "")))
        yield* TestClock.adjust("119 seconds")
        assert.equal(hung.pollUnsafe(), undefined)
        yield* TestClock.adjust("1 second")
        assert.equal(yield* Fiber.join(hung), "DeadlineExceeded")
        assert.deepEqual(yield* runtime.listPodSandboxes({}), [])
      })
    ))

  it("can lie", () =>
    faulty((runtime, faults) =>
      Effect.gen(function* () {
        yield* runtime.runPodSandbox(config, "")
        faults.inject("listPodSandboxes", { kind: "lie", answer: () => [] })
        assert.deepEqual(yield* runtime.listPodSandboxes({}), [])
        assert.equal((yield* runtime.listPodSandboxes({})).length, 1)
      })
    ))

  it("can fail, hold back and falsify the stream of events", () =>
    faulty((runtime, faults) =>
      Effect.gen(function* () {
        faults.inject("containerEvents", { kind: "error", reason: "Unimplemented" })
        assert.equal(yield* reasonOf(Stream.runDrain(runtime.containerEvents)), "Unimplemented")
        faults.inject("containerEvents", { kind: "hang" })
        const silent = yield* Effect.forkChild(Stream.runHead(runtime.containerEvents))
        faults.inject("containerEvents", { kind: "lie", answer: (event) => ({ ...event, containerId: "false" }) })
        yield* TestClock.adjust(1)
        const lied = yield* Effect.forkChild(Stream.runCollect(Stream.take(runtime.containerEvents, 1)))
        yield* TestClock.adjust(1)
        yield* runtime.runPodSandbox(config, "")
        assert.deepEqual(
          (yield* Fiber.join(lied)).map((event) => event.containerId),
          ["false"]
        )
        assert.equal(silent.pollUnsafe(), undefined)
      })
    ))
})
