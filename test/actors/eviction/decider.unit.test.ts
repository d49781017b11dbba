/** What eviction decides, given what happened. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { heldConditions } from "../../../src/actors/eviction/state.ts"
import type { EventOf } from "../../../src/events/catalogue.ts"
import { EvictionStory, mebi, settings, steps, uses, victims } from "./eviction-story.ts"

const whole = ["EvictionThresholdMet", "EvictionTriggered"]
const first = ["PressureObserved", "PressureConditionChanged", ...whole]

describe("a node with memory to spare", () => {
  it("writes nothing", () => {
    const story = new EvictionStory()
    assert.deepEqual(steps(story.memory(500, [uses("a", 100)])), [])
    assert.deepEqual(steps(story.wait(10).memory(400, [uses("a", 200)])), [])
  })
  it("evicts nobody before it is configured, or where nothing is", () => {
    const story = new EvictionStory(settings({ evictionHard: {} }))
    assert.deepEqual(steps(story.memory(1, [uses("a", 100)])), [])
  })
  it("is told the same settings again without a word", () => {
    const story = new EvictionStory()
    assert.deepEqual(steps(story.when({ _tag: "ConfigureEviction", at: story.at, ...settings() })), [])
  })
})

describe("a hard threshold of memory", () => {
  it("evicts the pod that uses most over its request, with the figures of all", () => {
    const story = new EvictionStory()
    const pods = [
      uses("modest", 80, { qosClass: "Burstable", memoryRequest: 100 * mebi }),
      uses("greedy", 400, { qosClass: "Burstable", memoryRequest: 100 * mebi }),
      uses("vital", 300, { critical: true, priority: 2_000_000_000 }),
      uses("small", 50)
    ]
    const happened = story.memory(90, pods)
    assert.deepEqual(steps(happened), first)
    const [pressure, , met, triggered] = happened
    assert.equal(met!.cause, pressure!.id)
    assert.equal(triggered!.cause, met!.id)
    const event = triggered!.event as EventOf<"EvictionTriggered">
    assert.deepEqual([event.name, event.rank, event.gracePeriodSeconds], ["greedy", 1, 1])
    assert.equal(event.message, "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. ")
    assert.deepEqual(
      event.ranking.map(({ pod, used, requested, exceeds }) => [pod, used! / mebi, requested / mebi, exceeds]),
      [
        ["default/greedy", 400, 100, true],
        ["default/small", 50, 0, true],
        ["default/vital", 300, 0, true],
        ["default/modest", 80, 100, false]
      ]
    )
  })
  it("waits for the pod to be gone before it takes the next one", () => {
    const story = new EvictionStory()
    const pods = [uses("one", 300), uses("two", 200)]
    assert.deepEqual(victims(story.memory(90, pods)), ["one"])
    assert.deepEqual(steps(story.wait(10).memory(80, pods)), [])
    assert.deepEqual(steps(story.wait(1).gone("one")), ["EvictionFinished"])
    const next = story.wait(1).memory(80, [uses("two", 200)])
    assert.deepEqual(steps(next), whole)
    assert.deepEqual(victims(next), ["two"])
  })
  it("does nothing twice about the same figures", () => {
    const story = new EvictionStory()
    const observations = { "memory.available": { available: 1, capacity: 1024 * mebi, time: "2026-01-01T00:00:00Z" } }
    story.look({}, [uses("one", 300)], { observations })
    story.wait(1).gone("one")
    assert.deepEqual(steps(story.wait(1).look({}, [uses("two", 200)], { observations })), [])
  })
  it("says once that there is nobody to evict", () => {
    const story = new EvictionStory()
    const vital = [uses("vital", 300, { critical: true })]
    assert.deepEqual(steps(story.memory(90, vital)), [
      "PressureObserved",
      "PressureConditionChanged",
      "EvictionThresholdMet",
      "EvictionImpossible"
    ])
    let events = 0
    for (let i = 0; i < 360; i++) events += story.wait(10).memory(90 - (i % 7), vital).length
    assert.equal(events, 0, "an hour of it says no more")
  })
})

describe("pressure that ends", () => {
  it("is told with its times, and its condition holds for the transition period", () => {
    const story = new EvictionStory()
    story.memory(90)
    assert.deepEqual(heldConditions(story.state), ["MemoryPressure"])
    assert.deepEqual(steps(story.wait(10).memory(95)), [])
    const relieved = story.wait(10).memory(200)
    assert.deepEqual(steps(relieved), ["PressureRelieved"])
    const event = relieved[0]!.event as EventOf<"PressureRelieved">
    assert.deepEqual(
      [event.since, event.lastObserved, event.available],
      ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:10.000Z", 200 * mebi]
    )
    assert.deepEqual(steps(story.wait(280).memory(200)), [])
    const [ended] = story.wait(10).memory(200)
    assert.deepEqual(ended!.event, {
      _tag: "PressureConditionChanged",
      condition: "MemoryPressure",
      status: false,
      signals: []
    })
    assert.deepEqual(heldConditions(story.state), [])
  })
  it("is not over before the minimum reclaim is reached", () => {
    const story = new EvictionStory(settings({ evictionMinimumReclaim: { "memory.available": "200Mi" } }))
    story.memory(90, [uses("one", 300)])
    story.wait(1).gone("one")
    assert.deepEqual(victims(story.wait(1).memory(250, [uses("two", 100)])), ["two"])
    story.wait(1).gone("two")
    assert.deepEqual(steps(story.wait(1).memory(301)), ["PressureRelieved"])
  })
  it("begins anew within the transition period without another condition", () => {
    const story = new EvictionStory()
    story.memory(90)
    story.wait(10).memory(200)
    assert.deepEqual(steps(story.wait(10).memory(90, [uses("one", 300)])), ["PressureObserved", ...whole])
    assert.deepEqual(steps(story.wait(600).memory(90, [uses("one", 300)])), [])
    assert.deepEqual(heldConditions(story.state), ["MemoryPressure"])
  })
})

describe("a soft threshold", () => {
  const soft = settings({
    evictionHard: {},
    evictionSoft: { "memory.available": "200Mi" },
    evictionSoftGracePeriod: { "memory.available": "30s" }
  })
  it("evicts when it was met for its grace period, with time to end", () => {
    const story = new EvictionStory(soft)
    assert.deepEqual(steps(story.memory(150, [uses("one", 300)])), ["PressureObserved", "PressureConditionChanged"])
    assert.deepEqual(steps(story.wait(20).memory(150, [uses("one", 300)])), [])
    const happened = story.wait(10).memory(150, [uses("one", 300)])
    assert.deepEqual(steps(happened), whole)
    assert.equal((happened[1]!.event as EventOf<"EvictionTriggered">).gracePeriodSeconds, 20)
  })
  it("begins its grace anew when it was relieved meanwhile", () => {
    const story = new EvictionStory(soft)
    story.memory(150)
    story.wait(20).memory(300)
    story.wait(5).memory(150)
    assert.deepEqual(steps(story.wait(20).memory(150, [uses("one", 300)])), [])
  })
})

describe("a disk that fills up", () => {
  const disk = { "nodefs.available": [5, 100] } as const
  const filled = [uses("writer", 0, { usage: { root: [50, 5] } }), uses("reader", 0)]
  const configured = settings({ evictionHard: { "nodefs.available": "10%" } })
  it("takes back from the node first, and evicts when that is not enough", () => {
    const story = new EvictionStory(configured)
    const asked = story.look(disk, filled)
    // containerfs follows nodefs where both are one file system.
    assert.deepEqual(steps(asked).slice(-1), ["NodeReclaimRequested"])
    assert.deepEqual(steps(story.wait(10).look(disk, filled)), [], "one thing at a time")
    const reclaimed = story.reclaimed(1, disk, filled)
    assert.deepEqual(steps(reclaimed), ["NodeReclaimed", "EvictionTriggered"])
    assert.deepEqual(victims(reclaimed), ["writer"])
    assert.equal(reclaimed[1]!.cause, reclaimed[0]!.id)
  })
  it("evicts nobody when that is enough", () => {
    const story = new EvictionStory(configured)
    story.look(disk, filled)
    assert.deepEqual(steps(story.reclaimed(50, { "nodefs.available": [55, 100] }, filled)), ["NodeReclaimed"])
  })
  it("says little while nothing helps: an hour of it", () => {
    const story = new EvictionStory(configured)
    let events = 0
    for (let i = 0; i < 360; i++) {
      const happened = story.look(disk, [uses("vital", 0, { critical: true, usage: { root: [90, 9] } })])
      events += happened.length
      if (steps(happened).includes("NodeReclaimRequested")) events += story.reclaimed(0, disk).length
      story.wait(10)
    }
    assert.ok(events <= 48, `${events} events`)
  })
})

describe("a pod beyond a limit of its own", () => {
  const over = (name: string, more = {}) =>
    uses(name, 1, { limits: [{ of: "emptyDir", name: "cache", limit: "1Mi", used: 2 * mebi }], ...more })
  it("goes without any pressure, and for all of them at once", () => {
    const story = new EvictionStory()
    const happened = story.memory(500, [over("a"), uses("b", 1), over("c"), over("vital", { critical: true })])
    assert.deepEqual(victims(happened), ["a", "c"])
    assert.deepEqual(steps(happened), [
      "StorageLimitExceeded",
      "EvictionTriggered",
      "StorageLimitExceeded",
      "EvictionTriggered"
    ])
    const event = happened[1]!.event as EventOf<"EvictionTriggered">
    assert.equal(event.message, 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". ')
    assert.equal(event.signal, "emptydirfs.limit")
  })
  it("stays where limits do not count", () => {
    const story = new EvictionStory(settings({ localStorageCapacityIsolation: false }))
    assert.deepEqual(steps(story.memory(500, [over("a")])), [])
  })
})

describe("settings that change", () => {
  it("end the pressure of thresholds that are no more", () => {
    const story = new EvictionStory()
    story.memory(90)
    story.when({
      _tag: "ConfigureEviction",
      at: story.at,
      ...settings({ evictionHard: { "memory.available": "50Mi" } })
    })
    assert.deepEqual(steps(story.wait(10).memory(90)), ["PressureRelieved"])
  })
})
