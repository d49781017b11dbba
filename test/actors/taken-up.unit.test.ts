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
    for (let i = 0; i < 100 && (yield* eventsOf(world, "ContainerExited")).length === 0; i++) yield* agent.pass(0.05)
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

describe("a resize in the midst of which the agent dies", () => {
  const sized = (cpu: string): string =>
    simulatedPod("web", `resources: { requests: { cpu: ${cpu} }, limits: { cpu: ${cpu}, memory: 64Mi } }`).replace(
      "{ name: web }",
      "{ name: web, uid: 5d1c0000-0000-4000-8000-000000000001 }"
    )
  for (const fault of ["hang", "lostAnswer"] as const)
    it(`is brought into force by the next one, whether or not the runtime had done it (${fault})`, () =>
      simulate(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          yield* world.manifests.write("web.yaml", sized("100m"))
          const asked = () => world.runtime.calls.filter((call) => call === "UpdateContainerResources app").length
          yield* Effect.scoped(
            Effect.gen(function* () {
              const agent = yield* startAgent(world)
              yield* agent.pass(5)
              world.faults.inject("updateContainerResources", { kind: fault })
              yield* world.manifests.write("web.yaml", sized("200m"))
              for (let i = 0; i < 20 && (yield* eventsOf(world, "ResizeStarted")).length === 0; i++)
                yield* agent.pass(0.05)
            })
          )
          world.faults.clear()
          assert.equal((yield* eventsOf(world, "ResizeCompleted")).length, 0)
          const before = asked()
          yield* Effect.scoped(Effect.flatMap(startAgent(world), (agent) => agent.pass(15)))
          assert.ok(asked() > before, "it is done, or done again")
          assert.equal((yield* eventsOf(world, "ResizeCompleted")).length, 1)
          assert.equal((yield* eventsOf(world, "ContainerStarted")).length, 1)
        })
      ))
})
