/** What the node's drain, its shutdown and their ends do to one pod. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { podView } from "../../../src/actors/pod/view.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { only, tags } from "../../support/given.ts"
import { PodStory, pod } from "./pod-story.ts"

const cordoned = { reason: "NodeCordoned", message: "the node is cordoned" } as const
const source = "/manifests/web.yaml"
const desire = (story: PodStory, more: Record<string, unknown> = {}, wanted = pod()) =>
  story.tell({ _tag: "DesirePod", pod: wanted, source, ...more })

const running = (): PodStory => {
  const story = new PodStory()
  story.desire()
  story.sandboxCreated()
  story.imagePresent()
  story.started("app")
  return story
}

/** The running pod's container and sandbox end as they are told to, and everything of it is removed. */
const gone = (story: PodStory) => {
  story.stopped("app", 0)
  return [
    ...story.tell({ _tag: "ReportSandboxStop", sandboxId: "sandbox-0", outcome: "stopped" }),
    ...story.tell({ _tag: "ReportCleanup", outcome: "done" })
  ]
}

const status = (story: PodStory): string => podView(actorId("pod", "default", "web"), story.state).status

describe("a pod of a node that takes none", () => {
  it("waits, says why, and is admitted when the node takes pods again", () => {
    const story = new PodStory()
    assert.deepEqual(tags(desire(story, { hold: cordoned })), ["PodHeld"])
    assert.equal(status(story), "SchedulingDisabled")
    assert.deepEqual(desire(story, { hold: cordoned }), [], "again the same is no news")
    assert.equal(tags(desire(story))[0], "PodAdmitted")
    assert.equal(story.state.held, undefined)
    assert.deepEqual(story.refolded(), story.state)
  })

  it("is rejected at once for what no node could mend", () => {
    const story = new PodStory()
    const broken = pod({ containers: [{ name: "app", image: "busybox:1", resources: { requests: { cpu: "many" } } }] })
    assert.deepEqual(tags(desire(story, { hold: cordoned }, broken)), ["PodRejected"])
    const large = pod({ containers: [{ name: "app", image: "busybox:1", command: ["x".repeat(30_000)] }] }, "uid-2")
    const [rejected] = only(desire(story, { hold: cordoned }, large), "PodRejected")
    assert.equal(rejected?.event.reason, "DefinitionTooLarge")
  })

  it("is forgotten when its manifest goes, and replaced when that changes", () => {
    const story = new PodStory()
    desire(story, { hold: cordoned })
    assert.deepEqual(tags(desire(story, { hold: cordoned }, pod({}, "uid-2"))), ["PodReplacementDropped", "PodHeld"])
    assert.deepEqual(tags(story.undesire("uid-2")), ["PodReplacementDropped"])
    assert.equal(story.state.held, undefined)
    assert.equal(story.state.replacement, null)
  })

  it("that runs goes on; a changed manifest ends it and waits", () => {
    const story = running()
    assert.deepEqual(desire(story, { hold: cordoned }), [])
    const changed = desire(story, { hold: cordoned }, pod({}, "uid-2"))
    assert.deepEqual(tags(changed).slice(0, 2), ["PodReplacementQueued", "PodTerminationRequested"])
    assert.deepEqual(tags(gone(story)).slice(-2), ["PodRemoved", "PodHeld"])
  })
})

describe("a pod of a node that is drained", () => {
  it("ends within its grace, or the one that is given, and waits when it is gone", () => {
    const story = running()
    const drained = story.tell({ _tag: "DrainPod", uid: "uid-1", gracePeriodSeconds: 5 })
    const [ended] = only(drained, "PodTerminationRequested")
    assert.deepEqual(ended?.event.reason, "NodeDrained")
    assert.equal(only(drained, "ContainerKillRequested")[0]?.event.gracePeriodSeconds, 5)
    assert.deepEqual(story.tell({ _tag: "DrainPod", uid: "uid-1" }), [], "told twice")
    assert.deepEqual(tags(gone(story)).slice(-2), ["PodRemoved", "PodHeld"])
    assert.equal(status(story), "SchedulingDisabled")
    assert.equal(tags(desire(story))[0], "PodAdmitted")
  })

  it("comes back at once when the node is uncordoned while it ends", () => {
    const story = running()
    story.tell({ _tag: "DrainPod", uid: "uid-1" })
    assert.deepEqual(tags(desire(story)), ["PodReplacementQueued"])
    assert.ok(tags(gone(story)).includes("PodAdmitted"))
  })
})

describe("a pod of a node that shuts down", () => {
  it("fails with kubelet's words, its grace bounded by the group's", () => {
    const story = running()
    const told = story.tell({ _tag: "ShutDownPod", uid: "uid-1", gracePeriodSeconds: 10 })
    assert.equal(only(told, "ContainerKillRequested")[0]?.event.gracePeriodSeconds, 10)
    assert.equal(only(told, "ContainerKillRequested")[0]?.event.reason, "NodeShutdown")
    const ended = story.stopped("app")
    const [phase] = only(ended, "PodPhaseChanged")
    assert.deepEqual(
      [phase?.event.to, phase?.event.reason, phase?.event.message],
      ["Failed", "Terminated", "Pod was terminated in response to imminent node shutdown."]
    )
    const target = only(ended, "PodConditionChanged").find(({ event }) => event.condition === "DisruptionTarget")
    assert.equal(target?.event.reason, "TerminationByKubelet")
    assert.equal(tags(ended).includes("ContainerStartRequested"), false)
    assert.equal(status(story), "Terminated")
  })

  it("has its own grace where that is shorter", () => {
    const story = running()
    const told = story.tell({ _tag: "ShutDownPod", uid: "uid-1", gracePeriodSeconds: 60 })
    assert.equal(only(told, "ContainerKillRequested")[0]?.event.gracePeriodSeconds, 30)
  })

  it("stays as it is while the node is down, and is admitted anew when it is up again", () => {
    const story = running()
    story.tell({ _tag: "ShutDownPod", uid: "uid-1", gracePeriodSeconds: 10 })
    story.stopped("app")
    story.tell({ _tag: "ReportSandboxStop", sandboxId: "sandbox-0", outcome: "stopped" })
    const hold = { reason: "NodeShutdown", message: "Pod was rejected as the node is shutting down." }
    assert.deepEqual(desire(story, { hold }), [])
    const again = desire(story)
    assert.deepEqual(tags(again).slice(0, 2), ["PodReplacementQueued", "PodTerminationRequested"])
    assert.equal(only(again, "PodTerminationRequested")[0]?.event.reason, "NodeReturned")
    const removed = story.tell({ _tag: "ReportCleanup", outcome: "done" })
    assert.deepEqual(tags(removed).slice(0, 2), ["PodRemoved", "PodAdmitted"])
    assert.equal(story.state.failed, undefined)
    assert.deepEqual(story.refolded(), story.state)
  })
})
