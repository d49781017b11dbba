import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { deciders } from "../../src/actors/deciders.ts"
import { NodeFold } from "../../src/actors/kernel/fold.ts"
import { canonical } from "../../src/actors/kernel/json.ts"
import { Redecision } from "../../src/actors/kernel/redecide.ts"
import type { RuntimeVersion } from "../../src/adapters/cri/port.ts"
import type { RecordedEvent } from "../../src/events/envelope.ts"
import { makeWorld, simulate, simulatedPod, startAgent, type World } from "../support/simulated-node.ts"

const anHour = TestClock.adjust("1 hour")
const tagsOf = (events: ReadonlyArray<RecordedEvent>, kind: string) =>
  events.filter((e) => e.actor.kind === kind).map((e) => e.event._tag as string)

/** Replay agrees with live: every decision is taken again, every state folded anew. */
const agrees = (
  world: World,
  live: ReadonlyArray<{ readonly id: { readonly kind: string }; readonly state: unknown }>
) =>
  Effect.gen(function* () {
    const redecision = new Redecision(deciders)
    const fold = new NodeFold(deciders)
    for (const event of yield* world.events) {
      redecision.apply(event)
      fold.apply(event)
    }
    assert.deepEqual(redecision.end(), [])
    assert.ok(redecision.decisions > 10)
    const folded = [...fold.actors.values()].map((a) => canonical([a.id, a.state])).sort()
    const lived = live.map((a) => canonical([a.id, a.state])).sort()
    for (const state of lived) {
      // Actors that were only just made have no event yet.
      if (!folded.includes(state))
        assert.match(
          state,
          /"(isServer":true|asked":null|activity":"none|definition":null|status":"none|connection":"unknown)/u
        )
    }
  })

const everyone = (agent: {
  readonly system: { readonly actors: (kind: never) => ReadonlyArray<{ readonly id: never; readonly state: unknown }> }
}) =>
  [...deciders.keys()].flatMap((kind) => agent.system.actors(kind as never)) as ReadonlyArray<{
    readonly id: { readonly kind: string }
    readonly state: unknown
  }>

describe("a simulated node", () => {
  it("runs a pod from its manifest, publishes every event in order, and replays to the same state", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* agent.pass(5)
        assert.equal(agent.status("default/web"), "Running")
        const head = yield* world.journal.head
        assert.equal(world.stream.messages().length, head.sequence)
        yield* agrees(world, everyone(agent as never))
      })
    ))

  it("gives a place once: of two pods that come together for one host port, or for the last core, one is rejected", () =>
    simulate(
      Effect.gen(function* () {
        const offer = { allocatable: { cpu: "1" }, maxPods: 110, labels: {} }
        const world = yield* makeWorld({ offer })
        const agent = yield* startAgent(world)
        const port = "ports: [{ containerPort: 80, hostPort: 8080 }]"
        const core = "resources: { requests: { cpu: 600m } }"
        yield* world.manifests.write("a.yaml", simulatedPod("a", port))
        yield* world.manifests.write("b.yaml", simulatedPod("b", port))
        yield* world.manifests.write("c.yaml", `${simulatedPod("c", core)}---${simulatedPod("d", core)}`)
        yield* agent.pass(5)
        const statuses = ["a", "b", "c", "d"].map((name) => agent.status(`default/${name}`))
        assert.deepEqual(statuses, ["Running", "NodePorts", "Running", "OutOfcpu"])
        // The place is free again when its pod is gone; a pod that was rejected comes in with its next definition.
        yield* world.manifests.remove("a.yaml")
        yield* agent.pass(30)
        yield* world.manifests.write("b.yaml", simulatedPod("b", `${port}\n    workingDir: /tmp`))
        yield* agent.pass(5)
        assert.equal(agent.status("default/b"), "Running")
        yield* agrees(world, everyone(agent as never))
      })
    ))

  it("restarts what its liveness probe condemns, and names the probe as the cause", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        yield* world.manifests.write(
          "web.yaml",
          simulatedPod("web", "livenessProbe: { httpGet: { port: 80 }, periodSeconds: 2, failureThreshold: 3 }")
        )
        yield* agent.pass(5)
        yield* world.probes.answer(() => true, { result: "failure", output: "HTTP probe failed with statuscode: 503" })
        yield* agent.pass(8)
        const events = yield* world.events
        const kill = events.find((e) => e.event._tag === "ContainerKillRequested")
        assert.ok(kill !== undefined)
        const chain = []
        for (let e: RecordedEvent | undefined = kill; e !== undefined; e = events.find((c) => c.id === e?.cause))
          chain.push(e.event._tag)
        assert.deepEqual(chain.slice(0, 4), [
          "ContainerKillRequested",
          "ContainerProbeReported",
          "ProbeResultChanged",
          "ProbeFailed"
        ])
        const before = events.filter((e) => e.sequence < kill.sequence)
        assert.equal(tagsOf(before, "probe").filter((t) => t === "ProbeFailed").length, 3)
      })
    ))

  it("backs off from a crashing container under virtual time, and an agent's death forgets nothing of it", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ runtime: { program: () => ({ exits: { after: 1_000, code: 1 } }) } })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* world.manifests.write("web.yaml", simulatedPod("web"))
            yield* agent.pass(20)
          })
        )
        yield* anHour
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* agent.pass(60)
            const delays = (yield* world.events).flatMap(({ event }) =>
              event._tag === "ContainerBackOffStarted" ? [event.delaySeconds] : []
            )
            assert.deepEqual(delays.slice(0, 3), [10, 20, 40])
            yield* agrees(world, everyone(agent as never))
          })
        )
      })
    ))

  it("removes a pod whose manifest went while the agent was dead, and leaves nothing behind", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* world.manifests.write(
              "web.yaml",
              simulatedPod("web", "volumeMounts: [{ name: d, mountPath: /d }]", "volumes: [{ name: d, emptyDir: {} }]")
            )
            yield* agent.pass(5)
            assert.equal(agent.status("default/web"), "Running")
          })
        )
        yield* world.manifests.remove("web.yaml")
        const agent = yield* startAgent(world)
        yield* agent.pass(10)
        assert.equal(agent.status("default/web"), undefined)
        assert.deepEqual(yield* world.runtime.runtime.listPodSandboxes({}), [])
        assert.deepEqual(
          [...world.host.files.keys()].filter((f) => f.includes("/pods/")),
          []
        )
        assert.deepEqual(yield* world.volumes.paths, [])
      })
    ))

  it("an agent that dies at any moment of a pod's start comes back to the same: one container, never two", () =>
    simulate(
      Effect.gen(function* () {
        for (let moment = 0; moment < 12; moment++) {
          const world = yield* makeWorld()
          yield* world.manifests.write("web.yaml", simulatedPod("web"))
          yield* Effect.scoped(Effect.flatMap(startAgent(world), (agent) => agent.pass(moment * 0.1)))
          yield* Effect.scoped(
            Effect.gen(function* () {
              const agent = yield* startAgent(world)
              yield* agent.pass(15)
              assert.equal(agent.status("default/web"), "Running", `died after ${moment * 100} ms`)
              assert.equal((yield* world.runtime.runtime.listContainers({})).length, 1)
              assert.equal((yield* world.runtime.runtime.listPodSandboxes({})).length, 1)
              const restarts = (yield* world.events).filter((e) => e.event._tag === "ContainerStartRequested").length
              assert.equal(restarts, 1)
            })
          )
        }
      })
    ))

  it("admits no new pod while the disk is full, keeps the old ones, and goes on when there is room", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        yield* world.manifests.write("old.yaml", simulatedPod("old"))
        yield* agent.pass(5)
        yield* world.journalControl.setSpace({ state: "low", freeBytes: 1 })
        yield* agent.pass(1)
        yield* world.manifests.write("new.yaml", simulatedPod("new"))
        yield* agent.pass(30)
        assert.equal(agent.status("default/old"), "Running")
        assert.equal(agent.status("default/new"), undefined)
        assert.ok(tagsOf(yield* world.events, "node").includes("AdmissionClosed"))
        yield* world.journalControl.setSpace({ state: "ok", freeBytes: 1e9 })
        yield* agent.pass(5)
        assert.equal(agent.status("default/new"), "Running")
      })
    ))

  it("says once that the runtime is gone, concludes nothing, and says when it is back", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* agent.pass(5)
        yield* world.runtime.setReachable(false)
        yield* agent.pass(60)
        yield* world.runtime.setReachable(true)
        yield* agent.pass(15)
        const runtime = tagsOf(yield* world.events, "runtime")
        assert.deepEqual(
          runtime.filter((t) => t !== "RuntimeConditionChanged"),
          ["RuntimeConnected", "RuntimeDisconnected", "RuntimeConnected"]
        )
        assert.equal(agent.status("default/web"), "Running")
        assert.equal((yield* world.events).filter((e) => e.event._tag === "ContainerStartRequested").length, 1)
      })
    ))

  it("keeps a pod whose file was cut to nothing by whoever writes it, and says that the file is empty", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const agent = yield* startAgent(world)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* agent.pass(5)
        const before = (yield* world.events).length
        yield* world.manifests.write("web.yaml", "\n")
        yield* agent.pass(30)
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        yield* agent.pass(5)
        const since = (yield* world.events).slice(before)
        assert.deepEqual(tagsOf(since, "source"), ["ManifestInvalid", "ManifestRead"])
        assert.deepEqual(tagsOf(since, "pod"), [])
        assert.equal(agent.status("default/web"), "Running")
      })
    ))

  it("asks another version of the runtime for events that the one before did not have", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        world.faults.inject("containerEvents", { kind: "error", reason: "Unimplemented" })
        const agent = yield* startAgent(world)
        const told = Effect.map(world.events, (all) =>
          all.flatMap(({ event }) => (event._tag === "RuntimeConnected" ? [event.events] : []))
        )
        yield* agent.pass(30)
        assert.deepEqual(yield* told, [false])
        const newer = (truth: RuntimeVersion): RuntimeVersion => ({ ...truth, runtimeVersion: "2.9.9" })
        world.faults.inject("version", { kind: "lie", answer: newer }, 100)
        yield* agent.pass(30)
        assert.deepEqual(yield* told, [false, true])
      })
    ))

  it("drops old events by age, and recovers from what is left", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld({ retention: { maxAge: 3_600_000, maxBytes: 0 } })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* world.manifests.write("web.yaml", simulatedPod("web"))
            yield* agent.pass(5)
            yield* anHour
            yield* agent.pass(700)
            assert.ok(tagsOf(yield* world.events, "node").includes("JournalPruned"))
          })
        )
        assert.ok((yield* world.journal.size).first > 1)
        const agent = yield* startAgent(world)
        yield* agent.pass(5)
        assert.equal(agent.status("default/web"), "Running")
        assert.equal((yield* world.runtime.runtime.listContainers({})).length, 1)
      })
    ))
})
