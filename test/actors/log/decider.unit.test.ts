/** When a container's log is rotated, tried again, and left alone; and the same by the actors of a simulated node. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Context, Effect } from "effect"
import type { LogCommand } from "../../../src/actors/log/commands.ts"
import { backOff, logDecider } from "../../../src/actors/log/decider.ts"
import { defaultLogRotation } from "../../../src/actors/log/settings.ts"
import { ContainerLogs } from "../../../src/adapters/logs/port.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { Story, tags } from "../../support/given.ts"
import { makeWorld, simulate, simulatedPod, startAgent, type World } from "../../support/simulated-node.ts"

const id = actorId("log", "default", "web.v1.app")
const path = "/var/log/pods/default_web.v1_u1/app/0.log"
const grew = (containerId = "c0", at = 1000): LogCommand => ({
  _tag: "LogGrew",
  at,
  ...{ podUid: "u1", container: "app", containerId, attempt: 0, path, sizeBytes: 11_000_000 }
})

describe("the log of a container", () => {
  it("is rotated once for one growth, and then forgotten", () => {
    const story = new Story(logDecider, id)
    const [asked] = story.when(grew())
    assert.deepEqual(asked?.event, {
      _tag: "LogRotationRequested",
      ...{ podUid: "u1", container: "app", containerId: "c0", attempt: 0, path, sizeBytes: 11_000_000 }
    })
    assert.equal(logDecider.subject?.(story.state), "u1")
    assert.deepEqual(logDecider.supervisor?.(id), actorId("pod", "default", "web.v1"))
    assert.deepEqual(story.when(grew()), [])
    const [done] = story.when({ _tag: "RotationDone", at: 1100, containerId: "c0", rotatedPath: `${path}.x` })
    assert.deepEqual(done?.event, { _tag: "LogRotated", container: "app", containerId: "c0", rotatedPath: `${path}.x` })
    assert.equal(done?.cause, asked?.id)
    assert.equal(logDecider.finished?.(story.state), true)
    assert.deepEqual(story.when({ _tag: "RotationDone", at: 1200, containerId: "c0" }), [])
  })

  it("is tried again after a back-off that doubles from 10 to 300 seconds, and not told of in between", () => {
    assert.deepEqual([1, 2, 5, 6, 50].map(backOff), [10_000, 20_000, 160_000, 300_000, 300_000])
    const story = new Story(logDecider, id)
    story.when(grew())
    for (const failures of [1, 2, 3]) {
      const at = failures * 1_000_000
      const [failed] = story.when({ _tag: "RotationFailed", at, containerId: "c0", message: "no room" })
      assert.equal(failed?.event._tag === "LogRotationFailed" && failed.event.failures, failures)
      assert.deepEqual(story.when(grew("c0", at + 1)), [])
      const [due] = logDecider.timers?.(story.state) ?? []
      assert.equal(due?.dueAt, at + backOff(failures))
      const [again] = story.when({ _tag: "TimerFired", at: due!.dueAt, key: due!.key, dueAt: due!.dueAt })
      assert.equal(again?.event._tag, "LogRotationRequested")
      assert.equal(again?.cause, failed?.id)
    }
    story.when({ _tag: "RotationDone", at: 9_000_000, containerId: "c0" })
    assert.deepEqual(story.state, logDecider.initial(id))
  })

  it("stays as it is when the container ended, and is another one after a restart", () => {
    const story = new Story(logDecider, id)
    story.when(grew())
    assert.deepEqual(tags(story.when(grew("c1"))), ["LogRotationRequested"])
    assert.deepEqual(story.when({ _tag: "RotationDone", at: 1100, containerId: "c0" }), [])
    assert.deepEqual(tags(story.when({ _tag: "RotationPointless", at: 1100, containerId: "c1" })), [
      "LogRotationDropped"
    ])
    assert.deepEqual(story.state, logDecider.initial(id))
    assert.deepEqual(story.refolded(), story.state)
  })
})

const tooLarge = (defaultLogRotation.maxSizeBytes ?? 0) + 1

describe("a simulated node", () => {
  const seen = (world: World) => Effect.map(world.events, (events) => events.filter((e) => e.actor.kind === "log"))
  /** The path of the log of `app` in the pod that has just been started. */
  const logOf = (world: World) =>
    Effect.map(world.events, (events) => {
      const admitted = events.map((e) => e.event).find((event) => event._tag === "PodAdmitted")
      assert.ok(admitted?._tag === "PodAdmitted")
      return `/var/log/pods/default_web_${admitted.pod.metadata.uid}/app/0.log`
    })

  it("rotates a log that is too large, has the runtime begin a new one, and says so under the pod's uid", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        const agent = yield* startAgent(world)
        yield* agent.pass(5)
        const log = yield* logOf(world)
        yield* world.logs.write(log, 1000)
        yield* agent.pass(11)
        assert.deepEqual(yield* seen(world), [])
        yield* world.logs.write(log, tooLarge)
        yield* agent.pass(11)
        const events = yield* seen(world)
        assert.deepEqual(tags(events), ["LogRotationRequested", "LogRotated"])
        assert.ok(events.every((e) => e.correlation !== undefined && log.includes(e.correlation)))
        assert.equal(world.runtime.calls.filter((call) => call === "ReopenContainerLog app").length, 1)
        assert.match((yield* world.logs.files).join(), /^\S+\/app\/0\.log\.\d{8}-\d{6}$/u)
      })
    ))

  it("finishes after its death what had begun: a file that has its new name already keeps it", () =>
    simulate(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.manifests.write("web.yaml", simulatedPod("web"))
        const log = yield* Effect.scoped(
          Effect.gen(function* () {
            const agent = yield* startAgent(world)
            yield* agent.pass(5)
            const path = yield* logOf(world)
            yield* world.logs.write(path, tooLarge)
            yield* world.logs.failNext("disk on fire")
            yield* agent.pass(11)
            return path
          })
        )
        assert.deepEqual(tags(yield* seen(world)), ["LogRotationRequested", "LogRotationFailed"])
        yield* Context.get(world.outside, ContainerLogs).setAside(log, 0)
        const next = yield* startAgent(world)
        yield* next.pass(21)
        assert.deepEqual(tags(yield* seen(world)).slice(2), ["LogRotationRequested", "LogRotated"])
        assert.deepEqual(yield* world.logs.files, [`${log}.19700101-000000`])
        assert.ok(world.runtime.calls.includes("ReopenContainerLog app"))
      })
    ))
})
