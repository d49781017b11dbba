/** What holds of eviction whatever a node looks like; random nodes, whose seed is printed. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { fit } from "../../../src/actors/eviction/candidates.ts"
import type { Candidate } from "../../../src/actors/eviction/rules/candidate.ts"
import type { FsLayout } from "../../../src/actors/eviction/rules/container-fs.ts"
import { maxEvictionMessage } from "../../../src/actors/eviction/rules/message.ts"
import { evictionSignals } from "../../../src/actors/eviction/rules/signals.ts"
import { rankingOf } from "../../../src/actors/eviction/rules/synchronize.ts"
import type { EventOf } from "../../../src/events/catalogue.ts"
import { maxEventBytes } from "../../../src/events/envelope.ts"
import { type Random, roundsOr, seededRandom } from "../../support/random.ts"
import { EvictionStory, mebi, settings, steps, victims } from "./eviction-story.ts"

const nodes = roundsOr(60)

const disk = (r: Random): readonly [number, number] => [r.int(0, 5000) * mebi, r.int(0, 1000)]

const candidate = (r: Random, i: number): Candidate => {
  const name = `${"n".repeat(r.int(1, 200))}${i}`
  return {
    namespace: r.pick(["default", "kube-system", "x".repeat(63)]),
    name,
    uid: `uid-${i}`,
    qosClass: r.pick(["Guaranteed", "Burstable", "BestEffort"] as const),
    priority: r.pick([0, 0, 0, -5, 100, 2_000_000_000]),
    ...(r.chance(0.2) ? { critical: true } : {}),
    ...(r.chance(0.5) ? { memoryRequest: r.int(0, 500) * mebi } : {}),
    ...(r.chance(0.5) ? { storageRequest: r.int(0, 500) * mebi } : {}),
    ...(r.chance(0.9)
      ? {
          usage: {
            memory: r.int(0, 500) * mebi,
            processes: r.int(1, 50),
            ...(r.chance(0.7) ? { root: disk(r) } : {}),
            ...(r.chance(0.7) ? { logs: disk(r) } : {}),
            ...(r.chance(0.7) ? { volumes: disk(r) } : {})
          }
        }
      : {}),
    ...(r.chance(0.5)
      ? {
          containers: Array.from({ length: r.int(1, 40) }, (_, c) => ({
            name: `c${c}`,
            memory: r.int(1, 500) * mebi,
            memoryRequest: "0",
            disk: r.int(1, 500) * mebi,
            diskRequest: "0"
          }))
        }
      : {}),
    ...(r.chance(0.02)
      ? { limits: [{ of: "emptyDir" as const, name: "v", limit: "1Mi", used: r.int(0, 2) * mebi }] }
      : {})
  }
}

const layout = (r: Random): FsLayout => {
  const dedicatedImageFs = r.chance(0.5)
  return { dedicatedImageFs, separateContainerFs: dedicatedImageFs && r.chance(0.5) }
}

const everyThreshold = settings({
  evictionHard: Object.fromEntries(evictionSignals.map((signal) => [signal, "10%"])),
  evictionSoft: { "memory.available": "20%", "nodefs.available": "20%" },
  evictionSoftGracePeriod: { "memory.available": "20s", "nodefs.available": "20s" },
  evictionMinimumReclaim: { "memory.available": "5%" }
})

describe("eviction", () => {
  it("never takes a critical pod, takes one at a time, and says it within an event", () => {
    const r = seededRandom("eviction properties")
    let evictions = 0
    for (let n = 0; n < nodes; n++) {
      const story = new EvictionStory(everyThreshold)
      const all = Array.from({ length: r.int(0, r.pick([4, 30, 250])) }, (_, i) => candidate(r, i))
      const here = layout(r)
      const going = new Set<string>()
      for (let i = 0; i < 8; i++) {
        const { candidates, more } = fit(
          all.filter(({ uid }) => !going.has(uid)),
          here
        )
        const observations = Object.fromEntries(
          evictionSignals.filter(() => r.chance(0.8)).map((signal) => [signal, [r.int(0, 300), 1000] as const])
        )
        const before = story.state
        const happened = story
          .wait(10)
          .look(observations, candidates, { layout: here, ...(more === undefined ? {} : { more }) })
        if (story.state.reclaim !== null && r.chance(0.7)) happened.concat(story.reclaimed(0, observations, candidates))
        const taken = story.state.evicting.filter(({ uid }) => !before.evicting.some((one) => one.uid === uid))
        assert.ok(before.evicting.length === 0 || taken.length === 0, "another one before the last is gone")
        if (steps(happened).includes("StorageLimitExceeded")) assert.ok(taken.length <= 16)
        else assert.ok(taken.length <= 1, `${victims(happened).length} pods at once`)
        for (const { uid } of taken) {
          assert.notEqual(all.find((one) => one.uid === uid)?.critical, true, "a critical pod")
          going.add(uid)
          evictions += 1
        }
        for (const { event } of happened) {
          assert.ok(JSON.stringify(event).length < maxEventBytes, `${event._tag} is too large`)
          if (event._tag === "EvictionTriggered") assert.ok(event.message.length <= maxEvictionMessage)
        }
        if (r.chance(0.6)) {
          for (const { uid } of story.state.evicting)
            story.when({ _tag: "ReportEvicted", at: story.at, uid, outcome: r.pick(["gone", "timeout"] as const) })
        }
      }
    }
    assert.ok(evictions > nodes / 4, `only ${evictions} evictions were looked at`)
  })

  it("ranks in a total order, whatever order pods come in", () => {
    const r = seededRandom("eviction order")
    for (let n = 0; n < nodes; n++) {
      const all = Array.from({ length: r.int(2, 40) }, (_, i) => candidate(r, i))
      const here = layout(r)
      for (const signal of evictionSignals) {
        const threshold = { signal, value: { fraction: 0.1 }, gracePeriod: 0 }
        const order = (candidates: ReadonlyArray<Candidate>) =>
          rankingOf({ threshold }, { layout: here, candidates }).map(({ uid }) => uid)
        assert.deepEqual(order(r.shuffle(all)), order(all), signal)
      }
    }
  })

  it("records so many candidates as an event has room for, and the first of every ranking among them", () => {
    const r = seededRandom("eviction candidates")
    for (let n = 0; n < nodes / 10; n++) {
      const all = Array.from({ length: r.int(200, 600) }, (_, i) => candidate(r, i))
      const here = layout(r)
      const { candidates, more = 0 } = fit(all, here)
      assert.equal(candidates.length + more, all.length)
      const command = { _tag: "ResourcesObserved", at: 0, by: "tick", layout: here, observations: {}, candidates }
      assert.ok(JSON.stringify(JSON.stringify(command)).length < maxEventBytes - 8 * 1024)
      for (const signal of ["memory.available", "nodefs.available", "pid.available"]) {
        const threshold = { signal, value: { fraction: 0.1 }, gracePeriod: 0 }
        const [first] = rankingOf({ threshold }, { layout: here, candidates: all })
        assert.ok(
          candidates.some(({ uid }) => uid === first?.uid),
          signal
        )
      }
    }
  })

  it("tells the ranking of two hundred pods, and how many more there are", () => {
    const story = new EvictionStory(settings({ localStorageCapacityIsolation: false }))
    const many = Array.from({ length: 300 }, (_, i) => ({
      namespace: "default",
      name: `pod-${i}`,
      uid: `uid-${i}`,
      qosClass: "BestEffort" as const,
      priority: 0,
      usage: { memory: mebi * (i + 1) }
    }))
    const happened = story.memory(50, many)
    const event = happened.at(-1)!.event as EventOf<"EvictionTriggered">
    assert.equal(event.name, "pod-299")
    assert.deepEqual([event.ranking.length, event.others?.pods], [200, 100])
    assert.equal(event.others?.used, (mebi * (100 * 101)) / 2)
  })
})
