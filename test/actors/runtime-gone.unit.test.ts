/** A node whose runtime is gone for a long time: what was decided waits, and is done as soon as it is back. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import {
  makeWorld,
  type SimulatedAgent,
  simulate,
  simulatedPod,
  startAgent,
  type World
} from "../support/simulated-node.ts"

const outageSeconds = 600
/** Of an outage: for each pod what was decided in it, and a first attempt that failed before anybody saw that nobody listens. */
const eventsForEachPod = 12
const pods = 5

const namesOf = (prefix: string) => Array.from({ length: pods }, (_, n) => `${prefix}-${n}`)
const writeAll = (world: World, names: ReadonlyArray<string>) =>
  Effect.forEach(names, (name) => world.manifests.write(`${name}.yaml`, simulatedPod(name)), { discard: true })
const statuses = (agent: SimulatedAgent, names: ReadonlyArray<string>) => names.map((n) => agent.status(`default/${n}`))

/** Events in a time in which the runtime is away, and a second after it is back. */
const duringOutage = (world: World, agent: SimulatedAgent, meanwhile: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const { sequence: before } = yield* world.journal.head
    yield* world.runtime.setReachable(false)
    yield* meanwhile
    yield* agent.pass(outageSeconds)
    const { sequence: after } = yield* world.journal.head
    yield* world.runtime.setReachable(true)
    yield* agent.pass(2)
    return after - before
  }).pipe(Effect.orDie)

describe("a runtime that is gone for a long time", () => {
  it("is not asked again and again to end pods, and ends them when it is back", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        const names = namesOf("web")
        yield* writeAll(world, names)
        yield* agent.pass(5)
        assert.ok(statuses(agent, names).every((status) => status === "Running"))
        const removal = Effect.forEach(names, (name) => world.manifests.remove(`${name}.yaml`), { discard: true })
        const written = yield* duringOutage(world, agent, Effect.orDie(removal))
        assert.ok(written <= pods * eventsForEachPod, `${written} events in the outage`)
        yield* agent.pass(15)
        assert.deepEqual(yield* world.runtime.runtime.listPodSandboxes({}), [])
        assert.ok(statuses(agent, names).every((status) => status === undefined))
      })
    ))

  it("is not asked again and again to start pods, and runs them within seconds when it is back", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        const names = namesOf("late")
        yield* agent.pass(5)
        const written = yield* duringOutage(
          world,
          agent,
          Effect.gen(function* () {
            // It is known by then.
            yield* agent.pass(3)
            yield* writeAll(world, names)
          }).pipe(Effect.orDie)
        )
        assert.ok(written <= pods * eventsForEachPod, `${written} events in the outage`)
        assert.ok(
          statuses(agent, names).every((status) => status === "Running"),
          statuses(agent, names).join()
        )
        const containers = yield* world.runtime.runtime.listContainers({})
        assert.equal(containers.length, pods)
      })
    ))

  it("finds what was decided before the agent was started anew without it", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const names = namesOf("web")
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* writeAll(world, names)
            yield* agent.pass(5)
            yield* world.runtime.setReachable(false)
            yield* agent.pass(3)
            yield* Effect.forEach(names, (name) => world.manifests.remove(`${name}.yaml`), { discard: true })
            yield* agent.pass(60)
          })
        )
        const agent = yield* startAgent(world)
        const written = yield* duringOutage(world, agent, Effect.void)
        assert.ok(written <= pods * eventsForEachPod, `${written} events in the second life`)
        yield* agent.pass(15)
        assert.deepEqual(yield* world.runtime.runtime.listPodSandboxes({}), [])
      })
    ))
})
