/** Evictions under other settings, found out of a log, against the truth: the same story on a node that has these settings. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { deciders } from "../../../src/actors/deciders.ts"
import type { EvictionSettings } from "../../../src/actors/eviction/state.ts"
import { changedSettings, type EvictionChange } from "../../../src/actors/what-if/eviction-course.ts"
import { type WhatIf, WhatIfRun } from "../../../src/actors/what-if/what-if.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { makeWorld, simulate, simulatedPod, startAgent, type World } from "../../support/simulated-node.ts"
import { mebi, settings } from "../eviction/eviction-story.ts"

const offer = { allocatable: { cpu: "4", memory: "1Gi" }, maxPods: 110, labels: {} }

/** One grows at once, the other later; a third comes while memory is short. */
const story = (world: World) =>
  Effect.gen(function* () {
    const agent = yield* startAgent(world)
    for (const name of ["early", "late"]) yield* world.manifests.write(`${name}.yaml`, simulatedPod(name))
    yield* agent.pass(12)
    world.resources!.pods.set("early", { memory: 950 * mebi })
    yield* agent.pass(20)
    yield* world.manifests.write("third.yaml", simulatedPod("third"))
    yield* agent.pass(20)
    world.resources!.pods.set("late", { memory: 300 * mebi })
    yield* agent.pass(60)
    return yield* world.events
  })

const run = (configured: EvictionSettings, recording: "events" | "inputs"): Promise<ReadonlyArray<RecordedEvent>> =>
  simulate(Effect.flatMap(makeWorld({ offer, recording, eviction: configured }), story))

const whatIf = (events: ReadonlyArray<RecordedEvent>, eviction: EvictionChange): WhatIf => {
  const taken = new WhatIfRun(deciders, { pods: [], eviction })
  for (const event of events) taken.apply(event)
  return taken.finish()
}

/** Who was evicted, and in which second. */
const evictionsIn = (events: ReadonlyArray<Pick<RecordedEvent, "event" | "time">>) =>
  events.flatMap(({ event, time }) => (event._tag === "EvictionTriggered" ? [[event.name, time.slice(0, 19)]] : []))

const instead = (found: WhatIf) =>
  found.eviction!.instead.map(({ name, at }) => [name, new Date(at).toISOString().slice(0, 19)])

const own = settings({ evictionPressureTransitionPeriodSeconds: 30 })
const changes: ReadonlyArray<readonly [what: string, change: EvictionChange]> = [
  ["a lower threshold: the first is spared until the second grows", { evictionHard: { "memory.available": "50Mi" } }],
  ["no threshold: nobody goes", { evictionHard: { "memory.available": "0%" } }],
  [
    "a soft threshold besides",
    { evictionSoft: { "memory.available": "800Mi" }, evictionSoftGracePeriod: { "memory.available": "15s" } }
  ]
]

describe("evictions that would have been", () => {
  for (const [what, change] of changes) {
    it(`are those of a node with these settings: ${what}`, async () => {
      const events = await run(own, "inputs")
      const truth = await run(changedSettings(change, own), "inputs")
      const found = whatIf(events, change)
      assert.deepEqual(instead(found), evictionsIn(truth))
      const statusOf = (pod: string, log: ReadonlyArray<Pick<RecordedEvent, "event">>) =>
        log.findLast(({ event }) => event._tag === "PodPhaseChanged" || event._tag === "PodRejected")?.event._tag ?? pod
      for (const { course } of found.pods) {
        const { name } = course.pod
        const ofTruth = truth.filter(({ actor }) => actor.kind === "pod" && actor.name === name)
        assert.equal(
          statusOf(
            name,
            [...course.common, ...course.instead].filter((one) => one.actor.name === name)
          ),
          statusOf(name, ofTruth),
          name
        )
      }
    })
  }
  it("are the recorded ones where nothing of it matters, and then no pod is told of", async () => {
    const found = whatIf(await run(own, "events"), { evictionHard: { "nodefs.available": "1%" } })
    assert.deepEqual([found.eviction!.dropped.size, found.eviction!.added.length, found.pods.length], [0, 0, 0])
    assert.equal(found.others, 3)
  })
  it("are told of each pod that they would have spared, also without flight recorder", async () => {
    const found = whatIf(await run(own, "events"), { evictionHard: { "memory.available": "0%" } })
    assert.deepEqual(
      found.pods.map(({ course }) => [course.pod.name, course.parted?.command]),
      [
        ["early", "EvictPod"],
        ["third", "DesirePod"]
      ]
    )
    assert.deepEqual(found.pods[0]!.differences, [{ field: "evictionHard.memory.available", from: "100Mi", to: "0%" }])
    assert.ok(found.pods[0]!.assumptions.some(({ name }) => name === "unrecorded-inputs"))
  })
})
