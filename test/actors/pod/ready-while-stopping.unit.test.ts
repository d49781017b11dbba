/** Readiness of a container that is being stopped (`pkg/kubelet/prober/prober_manager.go` UpdatePodStatus). */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { knownFlags, readyWhileStopping } from "../../../src/actors/kernel/flags.ts"
import { only, tags } from "../../support/given.ts"
import { container, PodStory, pod } from "./pod-story.ts"

const withoutFlag = new Set([...knownFlags].filter((number) => number !== readyWhileStopping.number))
const probed = pod({ containers: [container("app", { readinessProbe: { tcpSocket: { port: 80 } } })] })
const readyStory = (flags = knownFlags, wanted = probed) => {
  const story = new PodStory(flags).running(wanted)
  if (wanted === probed) story.probe("app", "readiness", "success")
  assert.equal(story.state.containers[0]?.ready, true)
  return story
}
const isReady = (story: PodStory) => [story.state.containers[0]?.ready, story.state.conditions.Ready?.status]

describe("a container that is being stopped", () => {
  it("is ready until it has ended, and its pod with it", () => {
    for (const wanted of [probed, pod()]) {
      const story = readyStory(knownFlags, wanted)
      assert.deepEqual(only(story.undesire(), "ContainerReadinessChanged"), [])
      assert.deepEqual(isReady(story), [true, true])
      story.stopped("app")
      assert.deepEqual(isReady(story), [false, false])
    }
  })
  it("is unready as soon as its readiness probe, which goes on, says so", () => {
    const story = readyStory()
    story.undesire()
    const events = story.probe("app", "readiness", "failure")
    assert.deepEqual(tags(events).slice(0, 2), ["ContainerProbeReported", "ContainerReadinessChanged"])
    assert.deepEqual(isReady(story), [false, false])
    assert.deepEqual(story.refolded(), story.state)
  })
  it("hears nothing more of liveness", () => {
    const story = readyStory()
    story.undesire()
    assert.deepEqual(story.probe("app", "liveness", "failure"), [])
  })
  it("is not ready where its state is unknown, or where it never started", () => {
    const story = readyStory()
    const unclear = { containerId: story.containerId("app"), state: "unknown" }
    story.tell({ _tag: "ObserveRuntime", uid: "uid-1", sandboxes: [], containers: [unclear] })
    assert.deepEqual(isReady(story), [false, false])
    const gated = new PodStory().running(pod({ containers: [container("app", { startupProbe: { exec: {} } })] }))
    gated.undesire()
    assert.deepEqual(isReady(gated), [false, false])
  })
  it("was unready at once before the flag, as old logs have it", () => {
    const story = readyStory(withoutFlag)
    const [changed] = only(story.undesire(), "ContainerReadinessChanged")
    assert.equal(changed?.event.ready, false)
    assert.deepEqual(story.probe("app", "readiness", "failure"), [])
  })
})
