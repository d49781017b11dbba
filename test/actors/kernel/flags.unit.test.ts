/** Changes of behaviour by numbered flags: what a log that lacks them led to is decided so for ever. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import {
  decisionFlags,
  type Flags,
  flagsText,
  knownFlags,
  noFlags,
  unknownFlags
} from "../../../src/actors/kernel/flags.ts"
import { tags } from "../../support/given.ts"
import { container, PodStory, pod } from "../pod/pod-story.ts"

const liveness = { httpGet: { port: 8080 }, failureThreshold: 1 }
const probed = (restartPolicy: "Always" | "OnFailure" | "Never") =>
  pod({ restartPolicy, containers: [container("app", { livenessProbe: liveness })] })

describe("the decision flags", () => {
  it("are numbered in order, without a number twice", () => {
    assert.deepEqual(
      decisionFlags.map(({ number }) => number),
      decisionFlags.map((_, i) => i + 1)
    )
    assert.deepEqual(
      unknownFlags([1, 2, 900]),
      [2, 900].filter((number) => !knownFlags.has(number))
    )
    assert.equal(flagsText(noFlags), "none")
    assert.equal(flagsText([10, 2]), "2, 10")
  })
})

describe("flag 1, RestartAfterOwnKill: a container that its liveness probe condemned and that obeys SIGTERM with exit code 0", () => {
  const killed = (flags: Flags, policy: "Always" | "OnFailure" | "Never") => {
    const story = new PodStory(flags).running(probed(policy))
    story.probe("app", "liveness", "failure")
    return { story, after: tags(story.wait(1).stopped("app", 0)) }
  }

  it("comes back under OnFailure, and its pod has not succeeded meanwhile", () => {
    const { after, story } = killed(knownFlags, "OnFailure")
    assert.deepEqual(after.slice(0, 2), ["ContainerExited", "ContainerStartRequested"])
    assert.ok(!after.includes("PodPhaseChanged"))
    assert.equal(story.state.phase, "Running")
    assert.equal(story.state.containers[0]?.lastExit?.killedFor, "LivenessProbe")
  })

  it("waits out its back-off where it was restarted before, still running in phase", () => {
    const { story } = killed(knownFlags, "OnFailure")
    story.started("app")
    story.wait(5).probe("app", "liveness", "failure")
    assert.ok(tags(story.wait(1).stopped("app", 0)).includes("ContainerBackOffStarted"))
    assert.equal(story.state.phase, "Running")
    assert.ok(tags(story.wait(10).timer("back-off/app")).includes("ContainerStartRequested"))
  })

  it("stays down under Never, and when its pod ends", () => {
    assert.ok(!killed(knownFlags, "Never").after.includes("ContainerStartRequested"))
    const story = new PodStory().running(probed("OnFailure"))
    story.undesire()
    const ended = story.stopped("app", 0)
    assert.equal(ended[0]?.event._tag === "ContainerExited" && ended[0].event.killedFor, "PodTerminating")
    assert.ok(!tags(ended).includes("ContainerStartRequested"))
  })

  it("stayed down before the flag, as old logs say, and nothing new is in its events", () => {
    const { after, story } = killed(noFlags, "OnFailure")
    assert.ok(!after.includes("ContainerStartRequested"))
    assert.ok(after.includes("PodPhaseChanged"))
    assert.equal(story.state.phase, "Succeeded")
    assert.ok(!("killedFor" in (story.state.containers[0]?.lastExit ?? {})))
  })
})
