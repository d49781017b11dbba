/** Pauses between attempts at what ends a pod (flag 13): 1 s, doubling to 10 s, for each step by itself. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { growingRetries, knownFlags } from "../../../src/actors/kernel/flags.ts"
import { millis } from "../../../src/events/definition.ts"
import { only } from "../../support/given.ts"
import { PodStory } from "./pod-story.ts"

const withoutFlag = new Set([...knownFlags].filter((number) => number !== growingRetries.number))
const failed = { outcome: "failed", message: "busy" } as const
const killFailed = { _tag: "ReportContainerStop", container: "app", containerId: "app-0", ...failed } as const
const stopFailed = { _tag: "ReportSandboxStop", sandboxId: "sandbox-0", ...failed } as const
const cleanupFailed = { _tag: "ReportCleanup", ...failed } as const

/** Fails again and again, each time when its timer is due; answers the pauses in seconds. */
const pauses = (story: PodStory, report: Parameters<PodStory["tell"]>[0], timer: string, times: number) =>
  Array.from({ length: times }, () => {
    const [told] = only(story.tell(report), "PodOperationFailed")
    assert.ok(told !== undefined)
    const seconds = (millis(told.event.retryAt) - story.at) / 1000
    story.wait(seconds).timer(timer)
    return seconds
  })

describe("pauses between attempts at what ends a pod", () => {
  it("grow for each step by itself, and begin anew with the next one", () => {
    const story = new PodStory().running()
    story.undesire()
    assert.deepEqual(pauses(story, killFailed, "kill/app", 6), [1, 2, 4, 8, 10, 10])
    assert.equal(only(story.log, "ContainerKillRequested").at(-1)?.event.failures, 6)
    story.stopped("app")
    assert.deepEqual(pauses(story, stopFailed, "sandbox", 5), [1, 2, 4, 8, 10])
    assert.equal(only(story.log, "SandboxStopRequested").at(-1)?.event.failures, 5)
    story.sandboxStopped()
    assert.deepEqual(pauses(story, cleanupFailed, "cleanup", 3), [1, 2, 4])
    assert.equal(only(story.log, "PodCleanupRequested").at(-1)?.event.failures, 3)
    assert.deepEqual(story.refolded(), story.state)
  })

  it("were 1 s for ever in logs without the flag, which say nothing of attempts before", () => {
    const story = new PodStory(withoutFlag).running()
    story.undesire()
    assert.deepEqual(pauses(story, killFailed, "kill/app", 3), [1, 1, 1])
    assert.ok(only(story.log, "ContainerKillRequested").every(({ event }) => !("failures" in event)))
    story.stopped("app")
    assert.deepEqual(pauses(story, stopFailed, "sandbox", 3), [1, 1, 1])
  })
})
