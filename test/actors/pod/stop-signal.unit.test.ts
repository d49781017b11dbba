import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { containerStatuses } from "../../../src/actors/pod/status/container-statuses.ts"
import { only, tags } from "../../support/given.ts"
import { container, PodStory, pod } from "./pod-story.ts"

const asking = (stopSignal?: string) => {
  const story = new PodStory()
  const app = container("app", stopSignal === undefined ? {} : { lifecycle: { stopSignal } })
  story.desire(pod({ containers: [app], os: { name: "linux" } }))
  story.sandboxCreated()
  story.imagePresent()
  return story
}
const start = (story: PodStory, told?: string) =>
  story.tell({
    _tag: "ReportContainerStart",
    container: "app",
    attempt: 0,
    outcome: "started",
    containerId: "app-0",
    startedAt: "2026-01-01T00:00:00.000Z",
    ...(told === undefined ? {} : { stopSignal: told })
  })

describe("the stop signal of a container", () => {
  it("is part of its status where the runtime tells it", () => {
    const story = asking("SIGUSR1")
    const events = start(story, "SIGUSR1")
    assert.equal(only(events, "ContainerStarted")[0]?.event.stopSignal, "SIGUSR1")
    assert.deepEqual(only(events, "ContainerStopSignalIgnored"), [])
    assert.equal(containerStatuses(story.state)[0]?.stopSignal, "SIGUSR1")
    assert.deepEqual(story.refolded(), story.state)
  })
  it("that a runtime does not know of, or does not take, is told as such", () => {
    for (const told of [undefined, "SIGTERM"]) {
      const story = asking("SIGUSR1")
      const events = start(story, told)
      const [ignored] = only(events, "ContainerStopSignalIgnored")
      assert.deepEqual([ignored?.event.asked, ignored?.event.taken], ["SIGUSR1", told])
      assert.equal(ignored?.cause, only(events, "ContainerStarted")[0]?.id)
    }
  })
  it("is nobody's business where none is asked for", () => {
    const story = asking()
    assert.ok(!tags(start(story, "SIGTERM")).includes("ContainerStopSignalIgnored"))
    assert.equal(containerStatuses(story.state)[0]?.stopSignal, "SIGTERM")
  })
})
