/** A whole node that runs short of memory or disk: which pod goes, what is recorded of it, and that it survives a crash. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import type { EventTag, NodeEvent } from "../../../src/events/catalogue.ts"
import { causeChain } from "../../../src/events/causes.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import {
  makeWorld,
  simulate,
  simulatedImage,
  simulatedPod,
  startAgent,
  type World
} from "../../support/simulated-node.ts"
import { mebi, settings } from "./eviction-story.ts"

const offer = { allocatable: { cpu: "4", memory: "1Gi" }, maxPods: 110, labels: {} }

type Of<Tag extends EventTag> = RecordedEvent & { readonly event: Extract<NodeEvent, { readonly _tag: Tag }> }

const history = (world: World) =>
  Effect.map(world.events, (events) => ({
    events,
    of: <Tag extends EventTag>(tag: Tag) =>
      events.filter(({ event }) => event._tag === tag) as unknown as ReadonlyArray<Of<Tag>>
  }))

const write = (world: World, name: string, spec = "") =>
  world.manifests.write(`${name}.yaml`, simulatedPod(name, "", spec))

const statuses = (agent: { readonly status: (pod: string) => string | undefined }, ...names: ReadonlyArray<string>) =>
  names.map((name) => agent.status(`default/${name}`))

describe("a node that runs short of memory", () => {
  it("evicts the pod that uses most, keeps the others, and tells why from the pod back to the first figure", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ offer, eviction: settings() })
        const agent = yield* startAgent(world)
        for (const name of ["small", "greedy"]) yield* write(world, name)
        yield* write(world, "vital", "priorityClassName: system-node-critical")
        yield* agent.pass(5)
        const { pods } = world.resources!
        pods.set("small", { memory: 100 * mebi }).set("greedy", { memory: 400 * mebi })
        pods.set("vital", { memory: 500 * mebi })
        yield* agent.pass(40)
        assert.deepEqual(statuses(agent, "small", "greedy", "vital"), ["Running", "Evicted", "Running"])
        const { events, of } = yield* history(world)
        const [kill] = of("ContainerKillRequested")
        const byId = new Map(events.map((e) => [e.id, e]))
        const { steps } = yield* causeChain(kill!, (id) => Effect.succeed(byId.get(id)))
        assert.deepEqual(
          steps.map(({ event }) => event._tag),
          ["PressureObserved", "EvictionThresholdMet", "EvictionTriggered", "PodEvicted", "ContainerKillRequested"]
        )
        assert.deepEqual([kill!.event.reason, kill!.event.gracePeriodSeconds], ["Evicted", 2])
        assert.equal(of("PodPhaseChanged").at(-1)?.event.reason, "Evicted")
        const disrupted = of("PodConditionChanged").find(({ event }) => event.condition === "DisruptionTarget")
        assert.deepEqual([disrupted?.event.status, disrupted?.event.reason], [true, "TerminationByKubelet"])
        assert.deepEqual(
          of("NodeConditionChanged")
            .filter(({ event }) => event.condition === "MemoryPressure")
            .map(({ event }) => [event.status, event.reason])
            .at(-1),
          [true, "KubeletHasInsufficientMemory"]
        )
        assert.equal(of("EvictionFinished").length, 1)
        assert.equal(of("PressureRelieved").length, 1)
      })
    ))

  it("lets in no BestEffort pod meanwhile, and does again when the transition period is over", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ offer, eviction: settings() })
        const agent = yield* startAgent(world)
        world.resources!.memory = 1000 * mebi
        yield* agent.pass(15)
        yield* write(world, "late")
        yield* agent.pass(2)
        const { of } = yield* history(world)
        assert.deepEqual(
          of("PodRejected").map(({ event }) => [event.reason, event.message]),
          [["Evicted", "The node had condition: [MemoryPressure]. "]]
        )
        assert.equal(of("PodRejected")[0]!.cause, of("PressureConditionChanged")[0]!.id)
        world.resources!.memory = 0
        yield* agent.pass(330)
        yield* write(world, "later")
        yield* agent.pass(5)
        assert.deepEqual(statuses(agent, "late", "later"), ["Evicted", "Running"])
      })
    ))

  it("looks at once when the kernel says so", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ offer, eviction: settings() })
        const agent = yield* startAgent(world)
        yield* write(world, "greedy")
        yield* agent.pass(12)
        world.resources!.pods.set("greedy", { memory: 1000 * mebi })
        world.resources!.cgroups.notify("/", "psi")
        yield* agent.pass(0.2)
        const { of } = yield* history(world)
        assert.deepEqual(
          of("PressureObserved").map(({ event }) => event.by),
          ["psi"]
        )
        assert.equal(of("ContainerKillRequested").length, 1)
      })
    ))

  it("goes on with an eviction in the agent's next life", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ offer, eviction: settings() })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            for (const name of ["one", "two"]) yield* write(world, name)
            yield* agent.pass(12)
            world.resources!.pods.set("one", { memory: 500 * mebi }).set("two", { memory: 480 * mebi })
            world.resources!.cgroups.notify("/", "threshold")
            yield* agent.pass(0.05)
          })
        )
        const agent = yield* startAgent(world)
        yield* agent.pass(60)
        assert.deepEqual(statuses(agent, "one", "two"), ["Evicted", "Running"])
        const { of } = yield* history(world)
        assert.equal(of("EvictionTriggered").length, 1)
        assert.equal(of("EvictionFinished").length, 1)
      })
    ))
})

describe("a node whose disk fills up", () => {
  it("gives back images first, and evicts when that is not enough", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({
          offer,
          eviction: settings({ evictionHard: { "nodefs.available": "10%" } })
        })
        const agent = yield* startAgent(world)
        for (const name of ["writer", "reader"]) yield* write(world, name)
        yield* agent.pass(5)
        world.resources!.disk = 9.5 * 1024 * mebi
        world.resources!.reclaimable = 2 * 1024 * mebi
        yield* agent.pass(20)
        assert.deepEqual(statuses(agent, "writer", "reader"), ["Running", "Running"])
        world.resources!.pods.set("writer", { disk: 2 * 1024 * mebi })
        yield* agent.pass(40)
        assert.deepEqual(statuses(agent, "writer", "reader"), ["Evicted", "Running"])
        const { of } = yield* history(world)
        assert.deepEqual(
          of("NodeReclaimed").map(({ event }) => [event.freedBytes, event.relieved]),
          [
            [2 * 1024 * mebi, true],
            [0, false]
          ]
        )
        const [triggered] = of("EvictionTriggered")
        assert.equal(triggered!.cause, of("NodeReclaimed")[1]!.id)
        assert.equal(triggered!.event.annotations.offending_containers, "app")
      })
    ))
})

describe("what the runtime has and nobody needs", () => {
  it("is given back before a pod goes, each thing told of before it goes", () =>
    simulate(
      Effect.gen(function* () {
        const unused = "registry.local/unused:1"
        const world = yield* makeWorld({
          offer,
          eviction: settings({ evictionHard: { "nodefs.available": "10%" } }),
          reclaimsRuntime: true,
          runtime: {
            images: [simulatedImage, unused],
            program: (_, { metadata: { name } }) => (name === "job" ? { exits: { after: 500, code: 0 } } : {})
          }
        })
        const agent = yield* startAgent(world)
        yield* write(world, "web")
        yield* write(world, "job", "restartPolicy: Never")
        // Younger images stay.
        yield* agent.pass(150)
        world.resources!.disk = 9.5 * 1024 * mebi
        yield* agent.pass(25)
        const { of } = yield* history(world)
        const [reclaimed] = of("NodeReclaimed")
        const isBefore = ({ sequence }: { readonly sequence: number }) => sequence < reclaimed!.sequence
        const found = of("GarbageFound").filter(isBefore)
        assert.deepEqual(found.map(({ event }) => [event.what, event.name]).sort(), [
          ["Container", "job"],
          ["Image", unused]
        ])
        assert.equal(of("GarbageRemoved").filter(isBefore).length, 2)
        assert.ok(reclaimed!.event.freedBytes > 0)
        assert.deepEqual(statuses(agent, "web"), ["Evicted"])
      })
    ))
})

describe("a long time of pressure that nobody can relieve", () => {
  it("writes few events", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ offer, eviction: settings() })
        const agent = yield* startAgent(world)
        yield* write(world, "vital", "priorityClassName: system-node-critical")
        world.resources!.pods.set("vital", { memory: 1000 * mebi })
        yield* agent.pass(60)
        const before = (yield* world.events).length
        for (let minute = 0; minute < 20; minute++) {
          world.resources!.pods.set("vital", { memory: (960 + minute) * mebi })
          yield* agent.pass(60)
        }
        assert.ok((yield* world.events).length - before <= 5, `${(yield* world.events).length - before} events`)
      })
    ))
})
