import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Exit } from "effect"
import { hashOf } from "../../../src/cli/event-log/fold-log.ts"
import { Picture } from "../../../src/cli/top/picture.ts"
import { EventRate } from "../../../src/cli/top/rate.ts"
import { maxCharacters, maxEvents, Timeline } from "../../../src/cli/top/timeline.ts"
import { loadWindow } from "../../../src/cli/top/window.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { start } from "../../events/recorded.ts"
import { events, logOf, timelineOf } from "./told.ts"

/** The story over and over, each time a second later and with other ids. */
const long = (count: number): ReadonlyArray<RecordedEvent> =>
  Array.from({ length: count }, (_, i) => {
    const time = new Date(start + i * 1000).toISOString()
    return { ...events[i % events.length]!, id: `e${i + 1}`, sequence: i + 1, time, recordedTime: time }
  })
const folded = (recorded: ReadonlyArray<RecordedEvent>): string => {
  const picture = new Picture()
  for (const event of recorded) picture.apply(event)
  return hashOf(picture.fold)
}

describe("a timeline", () => {
  it("has the same state at each of its positions as the log up to there", () => {
    const log = long(700)
    const timeline = timelineOf(log)
    for (const position of [0, 1, 9, 255, 256, 257, 512, 699, 700])
      assert.equal(hashOf(timeline.at(position).fold), folded(log.slice(0, position)), String(position))
    // Looking back changed nothing at the end.
    assert.equal(hashOf(timeline.at(700).fold), folded(log))
    assert.deepEqual(
      [...timeline.backFrom(300)].slice(0, 2).map(({ id }) => id),
      ["e300", "e299"]
    )
    assert.deepEqual(
      [...timeline.between(254, 258)].map(({ id }) => id),
      ["e255", "e256", "e257", "e258"]
    )
  })

  it("is bounded by count and by size: the oldest are let go, the state stays whole", () => {
    const log = long(maxEvents + 1000)
    const timeline = timelineOf(log)
    assert.ok(timeline.last - timeline.first <= maxEvents)
    assert.equal(timeline.last, log.length)
    assert.equal(hashOf(timeline.at(timeline.first).fold), folded(log.slice(0, timeline.first)))
    const large = new Timeline()
    for (const recorded of log.slice(0, 1000)) large.push({ recorded, length: maxCharacters / 600 })
    assert.ok(large.last - large.first <= 600 && large.last === 1000)
  })

  it("that is frozen does not see what comes", () => {
    const log = long(20)
    const timeline = timelineOf(log.slice(0, 10))
    const frozen = timeline.frozen()
    for (const recorded of log.slice(10)) timeline.push({ recorded, length: 1 })
    assert.deepEqual([frozen.last, timeline.last], [10, 20])
    assert.equal(hashOf(frozen.at(10).fold), folded(log.slice(0, 10)))
    assert.equal(hashOf(timeline.at(20).fold), folded(log))
  })

  it("keeps the pod's latest trouble, until the pod is gone", () => {
    const pod = events.filter(({ actor }) => actor.name === "web")
    assert.equal(timelineOf(pod).at(pod.length).troubles.get("pod/default/web")?.id, "e8")
    const removed = { ...pod.at(-1)!, event: { _tag: "PodRemoved", uid: "uid-web" } as const }
    assert.equal(timelineOf([...pod, removed]).at(pod.length + 1).troubles.size, 0)
  })
})

describe("a window of a log", () => {
  const positionOf = async (point: Parameters<typeof loadWindow>[1], log = events) => {
    const { position, timeline } = await Effect.runPromise(loadWindow(logOf(log), point))
    return [position, timeline.last]
  }
  it("stands after a time, an event or a sequence, and holds what comes after, to step on", async () => {
    assert.deepEqual(await positionOf(undefined), [10, 10])
    assert.deepEqual(await positionOf({ _tag: "Time", at: start + 2000 }), [3, 10])
    assert.deepEqual(await positionOf({ _tag: "Time", at: start - 1 }), [0, 10])
    assert.deepEqual(await positionOf({ _tag: "Event", id: "e4" }), [4, 10])
    assert.deepEqual(await positionOf({ _tag: "Event", id: "e10" }), [10, 10])
    assert.deepEqual(await positionOf({ _tag: "Sequence", sequence: 7 }), [7, 10])
    assert.deepEqual(await positionOf({ _tag: "Sequence", sequence: 5000 }, long(9000)), [5000, 5000 + maxEvents / 2])
  })

  it("cannot stand at an event that the log does not hold", async () => {
    const exit = await Effect.runPromiseExit(loadWindow(logOf(events), { _tag: "Event", id: "e99" }))
    assert.ok(Exit.isFailure(exit))
    assert.match(String(exit.cause), /no event e99 in the story/u)
  })
})

describe("the rate of events", () => {
  it("is that of the last whole second and of the last minute", () => {
    const rate = new EventRate()
    for (let second = 0; second < 200; second++)
      for (let i = 0; i <= second % 2; i++) rate.count(start + second * 1000 + i)
    assert.deepEqual(rate.rates(start + 200_500), { second: 2, minute: 1.5 })
    assert.deepEqual(rate.rates(start + 199_500), { second: 1, minute: 1.5 })
    assert.deepEqual(rate.rates(start + 500_000), { second: 0, minute: 0 })
    assert.deepEqual(rate.copy().rates(start + 200_500), { second: 2, minute: 1.5 })
  })
})
