/** The condition PodScheduled (flag 12): a pod that a node has admitted is on it, whatever becomes of it. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type Flags, knownFlags, podScheduled } from "../../../src/actors/kernel/flags.ts"
import { only } from "../../support/given.ts"
import { PodStory, pod } from "./pod-story.ts"

const withoutFlag = new Set([...knownFlags].filter((number) => number !== podScheduled.number))
const told = (story: PodStory) =>
  only(story.log, "PodConditionChanged").filter(({ event }) => event.condition === "PodScheduled")
/** From its admission to its end. */
const life = (flags?: Flags): PodStory => {
  const story = new PodStory(flags).running()
  story.undesire()
  story.stopped("app")
  return story
}

describe("the condition PodScheduled", () => {
  it("is told once, with the admission as its cause, before anything else of the pod", () => {
    const story = new PodStory()
    const events = story.desire()
    const [admitted] = only(events, "PodAdmitted")
    const [condition] = only(events, "PodConditionChanged")
    assert.deepEqual(condition?.event, {
      ...{ _tag: "PodConditionChanged", condition: "PodScheduled" },
      ...{ status: true, reason: "", message: "" }
    })
    assert.equal(condition?.cause, admitted?.id)
    assert.equal(told(life()).length, 1)
    assert.deepEqual(story.refolded(), story.state)
  })

  it("is not told of a pod that is rejected", () => {
    const room = { allocatable: {}, used: {}, maxPods: 110, pods: 0, labels: {}, takenPorts: [] }
    const refused = new PodStory()
    const wanted = pod({ nodeSelector: { disk: "fast" } })
    refused.tell({ _tag: "DesirePod", pod: wanted, source: "/manifests/web.yaml", room })
    assert.equal(only(refused.log, "PodRejected").length, 1)
    assert.deepEqual(told(refused), [])
  })

  it("comes to a pod that was admitted without it", () => {
    const before = new PodStory(withoutFlag).running()
    const after = new PodStory()
    after.state = before.state
    const events = after.undesire()
    const [condition] = only(events, "PodConditionChanged").filter(({ event }) => event.condition === "PodScheduled")
    assert.deepEqual([condition?.event.status, condition?.cause], [true, before.state.definition?.because])
  })

  it("was not there before the flag, as old logs have it", () => {
    const story = life(withoutFlag)
    assert.deepEqual(told(story), [])
    assert.equal(story.state.conditions.PodScheduled, undefined)
  })
})
