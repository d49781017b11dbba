/** The node's conditions, its drain and its shutdown as its decider tells them. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { NodeCommand } from "../../../src/actors/node/commands.ts"
import { nodeDecider } from "../../../src/actors/node/decider.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { millis } from "../../../src/events/definition.ts"
import { only, Story, tags } from "../../support/given.ts"

const at = Date.parse("2026-01-01T00:00:00Z")
const node = () => new Story(nodeDecider, actorId("node", "", "n1"))
const started = (bootId: string, seconds = 0): NodeCommand => ({
  _tag: "AgentStarted",
  at: at + seconds * 1000,
  version: "0.1.0",
  host: "bun",
  kernel: "6",
  architecture: "amd64",
  cgroupVersion: "v2",
  bootId,
  pid: 7,
  recording: "events",
  flags: [],
  recoveredEvents: 0,
  recoveredActors: 0
})
const status = (seconds: number, runtimeErrors: ReadonlyArray<string> = []): NodeCommand => ({
  _tag: "StatusObserved",
  at: at + seconds * 1000,
  runtimeErrors,
  networkErrors: []
})

describe("conditions of the node", () => {
  it("are told once, and then what changes, with the time of the transition", () => {
    const story = node()
    const first = only(story.when(status(0)), "NodeConditionChanged")
    assert.deepEqual(
      first.map(({ event }) => [event.condition, event.status, event.reason]),
      [
        ["MemoryPressure", false, "KubeletHasSufficientMemory"],
        ["DiskPressure", false, "KubeletHasNoDiskPressure"],
        ["PIDPressure", false, "KubeletHasSufficientPID"],
        ["Ready", true, "KubeletReady"]
      ]
    )
    assert.deepEqual(story.when(status(10)), [])
    const [down] = only(story.when(status(20, ["container runtime is down"])), "NodeConditionChanged")
    assert.deepEqual([down?.event.status, down?.event.message], [false, "container runtime is down"])
    const [other] = only(story.when(status(30, ["it hangs"])), "NodeConditionChanged")
    assert.equal(millis(other!.event.since), at + 20_000, "the transition was before")
  })

  it("tell a pressure when it is reported, caused by what led to it", () => {
    const story = node()
    const [told] = only(
      story.when({ _tag: "PressureReported", at, condition: "DiskPressure", isUnderPressure: true, because: "e9" }),
      "NodeConditionChanged"
    )
    assert.deepEqual([told?.cause, told?.event.reason], ["e9", "KubeletHasDiskPressure"])
    assert.deepEqual(
      only(story.when(status(1)), "NodeConditionChanged").map(({ event }) => event.condition),
      ["MemoryPressure", "PIDPressure", "Ready"]
    )
  })

  it("tell a journal without room as an error of storage", () => {
    const story = node()
    story.when({ _tag: "SpaceReported", at, state: "full", freeBytes: 0 })
    const ready = only(story.when(status(1)), "NodeConditionChanged").at(-1)
    assert.deepEqual([ready?.event.status, ready?.event.message], [false, "the journal's disk is full"])
  })
})

describe("cordon and drain", () => {
  it("cordons once, drains to the end, and is uncordoned", () => {
    const story = node()
    assert.deepEqual(tags(story.when({ _tag: "CordonNode", at, by: "root" })), ["NodeCordoned"])
    assert.deepEqual(story.when({ _tag: "CordonNode", at, by: "root" }), [])
    assert.deepEqual(tags(story.when({ _tag: "DrainNode", at, by: "root", pods: 2 })), ["NodeDrainStarted"])
    const ended: NodeCommand = { _tag: "DrainEnded", at: at + 4500, outcome: "drained", left: [], leftCount: 0 }
    assert.equal(only(story.when(ended), "NodeDrained")[0]?.event.seconds, 4.5)
    assert.deepEqual(story.when(ended), [])
    assert.deepEqual(tags(story.when({ _tag: "UncordonNode", at, by: "root" })), ["NodeUncordoned"])
    assert.deepEqual([story.state.cordon, story.state.drain], [undefined, undefined])
    assert.deepEqual(story.refolded(), story.state)
  })

  it("gives a drain up when its time is over, or when the node is uncordoned", () => {
    const story = node()
    assert.deepEqual(tags(story.when({ _tag: "DrainNode", at, by: "root", pods: 1, timeoutSeconds: 5 })), [
      "NodeCordoned",
      "NodeDrainStarted"
    ])
    assert.equal(story.state.drain?.until, "2026-01-01T00:00:05.000Z")
    const late: NodeCommand = { _tag: "DrainEnded", at, outcome: "timeout", left: ["default/web"], leftCount: 1 }
    assert.equal(only(story.when(late), "NodeDrainFailed")[0]?.event.reason, "Timeout")
    story.when({ _tag: "DrainNode", at, by: "root", pods: 1 })
    assert.deepEqual(tags(story.when({ _tag: "UncordonNode", at, by: "root" })), ["NodeDrainFailed", "NodeUncordoned"])
  })
})

describe("shutdown of the machine", () => {
  const groups = [
    { priority: 0, gracePeriodSeconds: 20, pods: 3 },
    { priority: 1000, gracePeriodSeconds: 5, pods: 0 },
    { priority: 2_000_000_000, gracePeriodSeconds: 10, pods: 1 }
  ]
  const announced = (active: boolean, seconds = 0): NodeCommand => ({
    _tag: "ShutdownAnnounced",
    at: at + seconds * 1000,
    active,
    groups: active ? groups : []
  })

  it("ends one group after another, leaves out those without pods, and tells who was cut off", () => {
    const story = node()
    story.when(started("boot-1"))
    story.when(status(1))
    const begun = story.when(announced(true, 2))
    assert.deepEqual(tags(begun), ["NodeShutdownStarted", "NodeConditionChanged", "NodeShutdownGroupStarted"])
    const [ready] = only(begun, "NodeConditionChanged")
    assert.deepEqual([ready?.event.status, ready?.event.message], [false, "node is shutting down"])
    assert.deepEqual(story.when(announced(true, 3)), [], "told twice")
    const left = ["default/slow"]
    const second = story.when({ _tag: "ShutdownGroupEnded", at: at + 22_000, priority: 0, left, leftCount: 1 })
    assert.equal(only(second, "NodeShutdownGroupStarted")[0]?.event.priority, 2_000_000_000)
    const priority = 2_000_000_000
    const done = story.when({ _tag: "ShutdownGroupEnded", at: at + 25_000, priority, left: [], leftCount: 0 })
    const [completed] = only(done, "NodeShutdownCompleted")
    assert.deepEqual([completed?.event.seconds, completed?.event.left], [23, left])
    assert.equal(story.state.shutdown?.status, "completed")
    assert.deepEqual(story.refolded(), story.state)
  })

  it("is over with the next boot, not with a new start of the agent", () => {
    const story = node()
    story.when(started("boot-1"))
    story.when(announced(true, 2))
    assert.deepEqual(tags(story.when(started("boot-1", 5))), ["NodeStarted"])
    assert.deepEqual(tags(story.when(started("boot-2", 90))), ["NodeStarted", "NodeShutdownOver"])
    assert.equal(story.state.shutdown, undefined)
  })

  it("can be cancelled", () => {
    const story = node()
    assert.deepEqual(story.when(announced(false)), [])
    story.when(announced(true))
    assert.deepEqual(tags(story.when(announced(false, 1))), ["NodeShutdownCancelled"])
    const ready = only(story.when(status(1)), "NodeConditionChanged").at(-1)
    assert.equal(ready?.event.status, true)
  })

  it("tells once what became of asking logind to wait", () => {
    const story = node()
    const failed: NodeCommand = { _tag: "InhibitorReported", at, outcome: "failed", message: "no bus" }
    assert.deepEqual(tags(story.when(failed)), ["ShutdownInhibitorFailed"])
    assert.deepEqual(story.when(failed), [])
    const taken: NodeCommand = {
      _tag: "InhibitorReported",
      at,
      outcome: "taken",
      delayLimitSeconds: 5,
      gracePeriodSeconds: 30
    }
    assert.deepEqual(tags(story.when(taken)), ["ShutdownInhibitorTaken"])
    assert.deepEqual(story.when(taken), [])
  })
})
