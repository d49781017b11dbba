/** What the agent does about its containers when the runtime tells, when it comes back late, and when a sandbox was lost. Virtual time. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Clock, Effect } from "effect"
import { eventsOf, makeWorld, simulate, simulatedPod, startAgent, type World } from "../support/simulated-node.ts"

const containerOf = (world: World) =>
  Effect.map(eventsOf(world, "ContainerStarted"), (started) => started.at(-1)?.containerId ?? "")

/** Milliseconds from the end of a container until it is told of. */
const untilTold = (world: World) =>
  Effect.gen(function* () {
    const agent = yield* startAgent(world)
    yield* world.manifests.write("web.yaml", simulatedPod("web"))
    // In the middle between two looks, a second apart.
    yield* agent.pass(5.5)
    const ended = yield* Clock.currentTimeMillis
    yield* world.runtime.exit(yield* containerOf(world), 1)
    while ((yield* eventsOf(world, "ContainerExited")).length === 0) yield* agent.pass(0.05)
    return (yield* Clock.currentTimeMillis) - ended
  })

describe("the end of a container", () => {
  it("is looked for as soon as the runtime hints at it, and with the next look where it gives no hint", () =>
    simulate(
      Effect.gen(function* () {
        const hinting = yield* Effect.scoped(Effect.flatMap(makeWorld(), untilTold))
        const silent = yield* Effect.scoped(Effect.flatMap(makeWorld({ runtime: { events: false } }), untilTold))
        assert.ok(hinting <= 100, `${hinting} ms`)
        assert.ok(silent > 200 && silent <= 1_100, `${silent} ms`)
      })
    ))
})

describe("a container that is being stopped when the agent dies", () => {
  it("gets what is left of its grace period, not all of it again", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ runtime: { program: () => ({ onTerm: "ignore" }) } })
        const grace = simulatedPod("web").replace(
          "terminationGracePeriodSeconds: 5",
          "terminationGracePeriodSeconds: 30"
        )
        yield* world.manifests.write("web.yaml", grace)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* agent.pass(5)
            yield* world.manifests.remove("web.yaml")
            yield* agent.pass(1)
          })
        )
        const [asked] = (yield* world.events).filter(({ event }) => event._tag === "ContainerKillRequested")
        yield* Effect.scoped(
          Effect.gen(function* () {
            // Its call of the runtime has gone with it.
            const agent = yield* startAgent(world)
            yield* agent.pass(40)
          })
        )
        const [exited] = (yield* world.events).filter(({ event }) => event._tag === "ContainerExited")
        const seconds = (Date.parse(exited?.time ?? "") - Date.parse(asked?.time ?? "")) / 1_000
        assert.ok(seconds > 28 && seconds <= 31, `${seconds} s`)
        assert.equal((yield* eventsOf(world, "PodRemoved")).length, 1)
      })
    ))
})

describe("a container whose making was not heard of before its sandbox was lost", () => {
  it("is not taken for the one of the next sandbox, though it is of the same attempt", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        world.faults.inject("createContainer", { kind: "lostAnswer" })
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* agent.pass(2)
        const [sandbox] = yield* eventsOf(world, "SandboxCreated")
        yield* world.runtime.endSandbox(sandbox?.sandboxId ?? "")
        yield* agent.pass(30)
        assert.equal(agent.status("default/web"), "Running")
        const [, second] = yield* eventsOf(world, "SandboxCreated")
        const running = (yield* world.runtime.runtime.listContainers({})).filter(
          ({ state }) => state === "CONTAINER_RUNNING"
        )
        assert.deepEqual(
          running.map(({ podSandboxId }) => podSandboxId),
          [second?.sandboxId]
        )
      })
    ))
})
