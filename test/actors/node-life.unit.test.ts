/** The whole node under a virtual clock: cordon and drain, shutdown of the machine, a runtime that hangs. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Scope } from "effect"
import type { NodeCommand } from "../../src/actors/node/commands.ts"
import type { NodeState } from "../../src/actors/node/state.ts"
import { actorId, actorPath } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import {
  makeWorld,
  type SimulatedAgent,
  simulate,
  simulatedPod,
  startAgent,
  type World
} from "../support/simulated-node.ts"

const node = actorId("node", "", "sim")
const critical = "priorityClassName: system-node-critical"
type Asked =
  | { readonly _tag: "CordonNode" | "UncordonNode" }
  | Omit<Extract<NodeCommand, { readonly _tag: "DrainNode" }>, "at" | "by">

const ask = (agent: SimulatedAgent, command: Asked) =>
  Effect.clockWith((clock) =>
    Effect.flatMap(clock.currentTimeMillis, (at) => agent.system.tell(node, { ...command, at, by: "test" } as never))
  )
const stateOf = (agent: SimulatedAgent): NodeState => agent.system.state(node) as NodeState

const of = <Tag extends NodeEvent["_tag"]>(world: World, tag: Tag, name?: string) =>
  Effect.map(
    world.events,
    (events) =>
      events.filter(
        (e) => e.event._tag === tag && (name === undefined || actorPath(e.actor) === `pod/default/${name}`)
      ) as unknown as ReadonlyArray<
        (typeof events)[number] & { readonly event: Extract<NodeEvent, { readonly _tag: Tag }> }
      >
  )

describe("a cordoned node", () => {
  it("lets new pods wait, keeps what runs and critical pods, also over a restart, and takes all when it is uncordoned", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const life = yield* Scope.make()
        const first = yield* Scope.provide(startAgent(world), life)
        yield* world.manifests.write("old.yaml", simulatedPod("old"))
        yield* first.pass(5)
        yield* ask(first, { _tag: "CordonNode" })
        yield* first.pass(1)
        yield* world.manifests.write("new.yaml", simulatedPod("new"))
        yield* world.manifests.write("system.yaml", simulatedPod("system", "", critical))
        yield* first.pass(5)
        assert.deepEqual(
          ["old", "new", "system"].map((name) => first.status(`default/${name}`)),
          ["Running", "SchedulingDisabled", "Running"]
        )
        yield* Scope.close(life, { _tag: "Success", value: undefined } as never)
        const agent = yield* startAgent(world)
        yield* agent.pass(5)
        assert.equal(agent.status("default/new"), "SchedulingDisabled")
        yield* ask(agent, { _tag: "UncordonNode" })
        yield* agent.pass(5)
        assert.equal(agent.status("default/new"), "Running")
        const [uncordoned] = yield* of(world, "NodeUncordoned")
        const [admitted] = yield* of(world, "PodAdmitted", "new")
        assert.equal(admitted?.cause, uncordoned?.id)
      })
    ))

  it("is drained: pods end and wait, critical ones run on, and they come back", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* world.manifests.write("system.yaml", simulatedPod("system", "", critical))
        yield* agent.pass(5)
        yield* ask(agent, { _tag: "DrainNode", pods: 1, gracePeriodSeconds: 3 })
        yield* agent.pass(20)
        assert.equal(stateOf(agent).drain?.status, "drained")
        assert.deepEqual(
          ["web", "system"].map((name) => agent.status(`default/${name}`)),
          ["SchedulingDisabled", "Running"]
        )
        const [started] = yield* of(world, "NodeDrainStarted")
        const [ended] = yield* of(world, "PodTerminationRequested", "web")
        assert.deepEqual(
          [ended?.cause, ended?.event.reason, ended?.event.gracePeriodSeconds],
          [started?.id, "NodeDrained", 3]
        )
        yield* ask(agent, { _tag: "UncordonNode" })
        yield* agent.pass(5)
        assert.equal(agent.status("default/web"), "Running")
      })
    ))
})

describe("shutdown of the machine", () => {
  const groups = [
    { priority: 0, shutdownGracePeriodSeconds: 20 },
    { priority: 2_000_000_000, shutdownGracePeriodSeconds: 10 }
  ]

  it("ends pods by priority, lets logind go on, and after the next boot all are admitted anew", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ shutdown: groups })
        const life = yield* Scope.make()
        const first = yield* Scope.provide(startAgent(world), life)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* world.manifests.write("system.yaml", simulatedPod("system", "", critical))
        yield* first.pass(5)
        assert.equal(world.logind.inhibitors(), 1)
        assert.equal((yield* of(world, "ShutdownInhibitorTaken"))[0]?.event.gracePeriodSeconds, 30)
        yield* world.logind.prepare(true)
        yield* first.pass(1)
        yield* world.manifests.write("late.yaml", simulatedPod("late"))
        yield* first.pass(40)
        assert.deepEqual(
          ["web", "system", "late"].map((name) => first.status(`default/${name}`)),
          ["Terminated", "Terminated", "NodeShutdown"]
        )
        assert.equal(world.logind.inhibitors(), 0)
        assert.equal(stateOf(first).conditions?.Ready?.message, "node is shutting down")
        const [completed] = yield* of(world, "NodeShutdownCompleted")
        assert.deepEqual([completed?.event.leftCount, completed !== undefined], [0, true])
        const [web] = yield* of(world, "ContainerExited", "web")
        const [system] = yield* of(world, "PodShutDown", "system")
        assert.ok(web!.sequence < system!.sequence, "the critical pod ends last")
        const groupsBegun = yield* of(world, "NodeShutdownGroupStarted")
        assert.equal(system?.cause, groupsBegun[1]?.id)
        yield* Scope.close(life, { _tag: "Success", value: undefined } as never)

        yield* world.logind.prepare(false)
        const agent = yield* startAgent(world, { bootId: "boot-2" })
        yield* agent.pass(10)
        assert.equal((yield* of(world, "NodeShutdownOver")).length, 1)
        assert.deepEqual(
          ["web", "system", "late"].map((name) => agent.status(`default/${name}`)),
          ["Running", "Running", "Running"]
        )
        assert.equal(stateOf(agent).conditions?.Ready?.status, true)
        assert.equal(world.logind.inhibitors(), 1)
      })
    ))

  it("goes on where it was when the agent is killed in the midst of it", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ shutdown: groups })
        const life = yield* Scope.make()
        const first = yield* Scope.provide(startAgent(world), life)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* world.manifests.write("system.yaml", simulatedPod("system", "", critical))
        yield* first.pass(5)
        yield* world.logind.prepare(true)
        yield* first.pass(0.1)
        assert.equal((yield* of(world, "NodeShutdownGroupStarted")).length, 1)
        yield* Scope.close(life, { _tag: "Success", value: undefined } as never)
        const agent = yield* startAgent(world)
        yield* agent.pass(40)
        assert.equal((yield* of(world, "NodeShutdownStarted")).length, 1)
        assert.equal((yield* of(world, "NodeShutdownCompleted")).length, 1)
        assert.deepEqual(
          ["web", "system"].map((name) => agent.status(`default/${name}`)),
          ["Terminated", "Terminated"]
        )
        assert.equal(world.logind.inhibitors(), 0)
      })
    ))

  it("that is cancelled brings back what has ended, and goes on with the inhibitor", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ shutdown: groups })
        const agent = yield* startAgent(world)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* agent.pass(5)
        yield* world.logind.prepare(true)
        yield* agent.pass(15)
        assert.equal(agent.status("default/web"), "Terminated")
        yield* world.logind.prepare(false)
        yield* agent.pass(10)
        assert.equal(agent.status("default/web"), "Running")
        assert.equal(world.logind.inhibitors(), 1)
      })
    ))

  it("is told when logind cannot be reached, and tried again", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ shutdown: groups })
        world.logind.away(true)
        const agent = yield* startAgent(world)
        yield* agent.pass(25)
        assert.equal((yield* of(world, "ShutdownInhibitorFailed")).length, 1)
        world.logind.away(false)
        yield* agent.pass(15)
        assert.equal(world.logind.inhibitors(), 1)
        assert.equal((yield* of(world, "ShutdownInhibitorTaken")).length, 1)
      })
    ))
})

describe("a runtime that hangs", () => {
  it("makes the node unready after three minutes, with the call and since when, until it answers", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        yield* agent.pass(30)
        assert.equal(stateOf(agent).conditions?.Ready?.status, true)
        world.faults.inject("listContainers", { kind: "hang" }, 1000)
        yield* agent.pass(150)
        assert.equal((yield* of(world, "RuntimeUnhealthy")).length, 0)
        yield* agent.pass(60)
        const [unhealthy] = yield* of(world, "RuntimeUnhealthy")
        assert.match(
          unhealthy!.event.message,
          /^PLEG is not healthy: pleg was last seen active 3m\d+s ago; threshold is 3m0s \(ListContainers has not answered since 2026-01-01T00:00:\d\d\.\d+Z\)$/u
        )
        assert.deepEqual(
          unhealthy?.event.calls.map(({ call }) => call),
          ["ListContainers"]
        )
        const ready = stateOf(agent).conditions?.Ready
        assert.deepEqual([ready?.status, ready?.reason], [false, "KubeletNotReady"])
        assert.ok(ready?.message.includes(unhealthy!.event.message), ready?.message)
        world.faults.clear()
        yield* agent.pass(40)
        assert.equal((yield* of(world, "RuntimeHealthy")).length, 1)
        assert.equal(stateOf(agent).conditions?.Ready?.status, true)
      })
    ))
})
