/** How a test moves the in-memory runtime, on a virtual clock. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Fiber, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { MemoryRuntime, type MemoryRuntimeOptions } from "../../../src/adapters/cri/memory.ts"
import type { CriError } from "../../../src/adapters/cri/port.ts"
import { commands, containerConfig, sandboxConfig, testImage } from "./configs.ts"

/** Runs with a runtime whose clock begins at 0 and stands still until adjusted. */
const simulate = <A>(
  options: MemoryRuntimeOptions,
  use: (memory: MemoryRuntime) => Effect.Effect<A, CriError, Scope.Scope>
): Promise<A> =>
  Effect.runPromise(
    Effect.scoped(Effect.flatMap(MemoryRuntime.make({ images: [testImage], ...options }), use)).pipe(
      Effect.provide(TestClock.layer())
    )
  )
const reasonOf = (call: Effect.Effect<unknown, CriError>) =>
  Effect.orDie(Effect.map(Effect.flip(call), (error) => error.reason))

const startOne = ({ runtime }: MemoryRuntime) =>
  Effect.gen(function* () {
    const sandbox = sandboxConfig("p", "/")
    const sandboxId = yield* runtime.runPodSandbox(sandbox, "")
    const id = yield* runtime.createContainer(sandboxId, containerConfig("app", commands.forever), sandbox)
    yield* runtime.startContainer(id)
    return { sandboxId, id }
  })

describe("the in-memory runtime", () => {
  it("lets programs end by the clock", () =>
    simulate({ program: () => ({ exits: { after: 90_000, code: 4 } }) }, (memory) =>
      Effect.gen(function* () {
        const { id } = yield* startOne(memory)
        yield* TestClock.adjust("89 seconds")
        assert.equal((yield* memory.runtime.containerStatus(id)).state, "CONTAINER_RUNNING")
        yield* TestClock.adjust("1 second")
        const status = yield* memory.runtime.containerStatus(id)
        assert.deepEqual([status.exitCode, status.finishedAt], [4, "1970-01-01T00:01:30.000Z"])
      })
    ))

  it("lets the test end a container, once, and a sandbox without its containers", () =>
    simulate({}, (memory) =>
      Effect.gen(function* () {
        const { id, sandboxId } = yield* startOne(memory)
        yield* memory.endSandbox(sandboxId)
        assert.equal((yield* memory.runtime.podSandboxStatus(sandboxId)).state, "SANDBOX_NOTREADY")
        assert.equal((yield* memory.runtime.containerStatus(id)).state, "CONTAINER_RUNNING")
        yield* memory.exit(id, 9)
        yield* memory.exit(id, 10)
        yield* memory.exit("no such container", 10)
        assert.equal((yield* memory.runtime.containerStatus(id)).exitCode, 9)
      })
    ))

  it("waits the whole grace for a program that ignores the signal, then kills it", () =>
    simulate({ program: () => ({ onTerm: "ignore" }) }, (memory) =>
      Effect.gen(function* () {
        const { id } = yield* startOne(memory)
        const stop = yield* Effect.forkChild(memory.runtime.stopContainer(id, 30))
        yield* TestClock.adjust("29 seconds")
        assert.equal(stop.pollUnsafe(), undefined)
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(stop)
        const status = yield* memory.runtime.containerStatus(id)
        assert.deepEqual([status.exitCode, status.finishedAt], [137, "1970-01-01T00:00:30.000Z"])
      })
    ))

  it("ends a program by the signal although the one who asked was interrupted", () =>
    simulate({ program: () => ({ onTerm: { after: 5_000, code: 0 } }) }, (memory) =>
      Effect.gen(function* () {
        const { id } = yield* startOne(memory)
        const stop = yield* Effect.forkChild(memory.runtime.stopContainer(id, 30))
        yield* TestClock.adjust("1 second")
        yield* Fiber.interrupt(stop)
        yield* TestClock.adjust("4 seconds")
        assert.equal((yield* memory.runtime.containerStatus(id)).reason, "Completed")
      })
    ))

  it("is Unavailable while unreachable, breaks event streams, and has lost nothing afterwards", () =>
    simulate({}, (memory) =>
      Effect.gen(function* () {
        const { id } = yield* startOne(memory)
        const events = yield* Effect.forkChild(reasonOf(Stream.runDrain(memory.runtime.containerEvents)))
        yield* TestClock.adjust(1)
        yield* memory.setReachable(false)
        assert.equal(yield* Fiber.join(events), "Unavailable")
        assert.equal(yield* reasonOf(memory.runtime.version), "Unavailable")
        assert.equal(yield* reasonOf(Stream.runDrain(memory.runtime.containerEvents)), "Unavailable")
        yield* memory.setReachable(true)
        assert.equal((yield* memory.runtime.containerStatus(id)).state, "CONTAINER_RUNNING")
      })
    ))

  it("drops events for a reader that does not read, as containerd does", () =>
    simulate({ program: () => ({ startError: "no" }) }, (memory) =>
      Effect.gen(function* () {
        let seen = 0
        const count = Stream.runForEach(memory.runtime.containerEvents, () =>
          Effect.andThen(
            Effect.sync(() => {
              seen += 1
            }),
            seen === 1 ? Effect.sleep("1 hour") : Effect.void
          )
        )
        yield* Effect.forkChild(count)
        yield* TestClock.adjust(1)
        for (let made = 0; made < 700; made++) {
          const config = sandboxConfig(`p${made}`, "/")
          yield* memory.runtime.removePodSandbox(yield* memory.runtime.runPodSandbox(config, ""))
        }
        yield* TestClock.adjust("1 hour")
        // 2,800 were told; the buffer holds 1,000, and one batch may be on its way to the reader.
        assert.ok(seen >= 1_000 && seen <= 2_100, `${seen}`)
      })
    ))

  it("fails as many pulls as asked, then finds what the registry has", () =>
    simulate({ registry: ["busybox"] }, (memory) =>
      Effect.gen(function* () {
        const name = "docker.io/library/busybox:latest"
        yield* memory.failPulls("busybox", { reason: "Failed", message: "429 Too Many Requests" }, 2)
        assert.equal(yield* reasonOf(memory.runtime.pullImage(name, undefined)), "Failed")
        assert.equal(yield* reasonOf(memory.runtime.pullImage("busybox:latest", undefined)), "Failed")
        const id = yield* memory.runtime.pullImage("busybox", undefined)
        assert.deepEqual((yield* memory.runtime.imageStatus(id))?.repoTags, [name])
        yield* memory.runtime.removeImage(name)
        assert.equal(yield* memory.runtime.imageStatus(id), undefined)
      })
    ))

  it("tells what it was asked, in order", () =>
    simulate({}, (memory) =>
      Effect.gen(function* () {
        yield* memory.setCondition({ type: "NetworkReady", status: false, reason: "cni", message: "no config" })
        yield* startOne(memory)
        const network = (yield* memory.runtime.status).conditions.find((condition) => condition.type === "NetworkReady")
        assert.equal(network?.message, "no config")
        assert.deepEqual(memory.calls, ["RunPodSandbox p", "CreateContainer app", "StartContainer app", "Status"])
      })
    ))
})
