import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { actorId } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import { causeChain, evidence, isTrouble, trigger } from "../../src/events/causes.ts"
import type { RecordedEvent } from "../../src/events/envelope.ts"
import { recordedEvents } from "./recorded.ts"

const place = { podUid: "uid-web", container: "app", containerId: "c1", probe: "liveness" } as const
const probe = actorId("probe", "default", "web.app.liveness")

const started: NodeEvent = {
  _tag: "ContainerStarted",
  container: "app",
  containerId: "c1",
  attempt: 0,
  startedAt: "2026-01-15T09:30:00Z"
}
const failure = (consecutive: number): NodeEvent => ({
  _tag: "ProbeFailed",
  ...place,
  consecutive,
  threshold: 2,
  output: "HTTP probe failed with statuscode: 500",
  timedOut: false,
  duration: 4
})
const reached: NodeEvent = {
  _tag: "ProbeResultChanged",
  ...place,
  from: "success",
  to: "failure",
  consecutive: 2,
  threshold: 2,
  output: "HTTP probe failed with statuscode: 500"
}
const kill: NodeEvent = {
  _tag: "ContainerKillRequested",
  container: "app",
  containerId: "c1",
  reason: "LivenessProbe",
  message: "its liveness probe failed",
  gracePeriodSeconds: 30
}
const exited: NodeEvent = {
  _tag: "ContainerExited",
  container: "app",
  containerId: "c1",
  attempt: 0,
  exitCode: 137,
  signal: 9,
  reason: "Error",
  message: "",
  oomKilled: false,
  startedAt: "2026-01-15T09:30:00Z",
  finishedAt: "2026-01-15T09:30:42.5Z"
}
const restart: NodeEvent = {
  _tag: "ContainerStartRequested",
  container: "app",
  attempt: 1,
  sandboxId: "s1",
  imageId: "i1",
  reason: "it ended"
}

/** started ← failed ← failed ← reached ← kill ← exited ← restart */
const story = recordedEvents([
  { event: started },
  { event: failure(1), actor: probe, cause: "e1" },
  { event: failure(2), actor: probe, cause: "e2" },
  { event: reached, actor: probe, cause: "e3" },
  { event: kill, cause: "e4" },
  { event: exited, cause: "e5" },
  { event: restart, cause: "e6" }
])
const chainOf = (events: ReadonlyArray<RecordedEvent>, last: RecordedEvent) =>
  Effect.runPromise(causeChain(last, (id) => Effect.succeed(events.find((event) => event.id === id))))
const ids = (events: ReadonlyArray<RecordedEvent>) => events.map(({ id }) => id)

describe("the chain of causes", () => {
  it("goes back to the first cause, oldest first", async () => {
    const { steps, missing } = await chainOf(story, story.at(-1)!)
    assert.deepEqual(ids(steps), ["e1", "e2", "e3", "e4", "e5", "e6", "e7"])
    assert.equal(missing, undefined)
  })

  it("says where the log does not hold a cause", async () => {
    const { steps, missing } = await chainOf(story.slice(3), story.at(-1)!)
    assert.deepEqual(ids(steps), ["e4", "e5", "e6", "e7"])
    assert.equal(missing, "e3")
  })

  it("ends in a forged log whose causes go in a circle", async () => {
    const circle = recordedEvents([
      { event: kill, cause: "e2" },
      { event: exited, cause: "e1" }
    ])
    assert.deepEqual(ids((await chainOf(circle, circle[1]!)).steps), ["e1", "e2"])
  })

  it("passes on the failure of a log that cannot be read", async () => {
    const failed = await Effect.runPromise(Effect.flip(causeChain(story.at(-1)!, () => Effect.fail("unreadable"))))
    assert.equal(failed, "unreadable")
  })
})

describe("what set an event off", () => {
  it("is the oldest trouble since the container last began: here the first failed probe", () => {
    assert.equal(trigger(story)?.id, "e2")
  })

  it("is not trouble that was before the last beginning", () => {
    const again = [...story, ...recordedEvents([{ event: started }, { event: exited }])]
    assert.equal(trigger(again), again.at(-2))
  })

  it("is not a failure of a probe that succeeded since", () => {
    const { consecutive, threshold, output, duration } = { consecutive: 1, threshold: 1, output: "ok", duration: 1 }
    const success: NodeEvent = { _tag: "ProbeSucceeded", ...place, consecutive, threshold, output, duration }
    const steps = recordedEvents(
      [started, failure(1), success, failure(1), failure(2), reached, exited].map((event) => ({ event }))
    )
    assert.equal(trigger(steps), steps[3])
  })

  it("is the oldest step where none tells of trouble", () => {
    assert.equal(trigger([story[6]!, story[6]!])?.id, "e7")
  })

  it("is nothing for an event without a cause", () => {
    assert.equal(trigger([story[0]!]), undefined)
  })
})

describe("events to ask about", () => {
  it("are restarts, kills and bad ends, but no first start and no good end", () => {
    const [first, good] = recordedEvents([
      { event: { ...(restart as Extract<NodeEvent, { _tag: "ContainerStartRequested" }>), attempt: 0 } },
      { event: { ...(exited as Extract<NodeEvent, { _tag: "ContainerExited" }>), exitCode: 0 } }
    ])
    assert.deepEqual(
      story.filter(isTrouble).map(({ id }) => id),
      ["e5", "e6", "e7"]
    )
    assert.ok(!isTrouble(first!))
    assert.ok(!isTrouble(good!))
  })
})

describe("the evidence of a step", () => {
  it("of an exit: code, signal, memory, and how long it ran", () => {
    assert.deepEqual(Object.fromEntries(evidence(story[5]!)), {
      "exit code": "137",
      signal: "9",
      "out of memory": "no",
      reason: "Error",
      "ran for": "42.5 s",
      container: "c1"
    })
  })

  it("of a failed probe: what it saw, and how many failures of how many", () => {
    assert.deepEqual(Object.fromEntries(evidence(story[2]!)), {
      output: "HTTP probe failed with statuscode: 500",
      failure: "2 of 2",
      took: "4 ms"
    })
  })
})
