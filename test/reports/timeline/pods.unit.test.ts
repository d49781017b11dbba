/** The lanes of a pod: what its events draw of it, its sandbox, its containers and its images. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { actorId } from "../../../src/events/actor-id.ts"
import type { NodeEvent } from "../../../src/events/catalogue.ts"
import type { Given } from "../../events/recorded.ts"
import { barsOf, laneText, timelineOfGiven } from "./given.ts"

const admitted: NodeEvent = {
  _tag: "PodAdmitted",
  pod: {
    metadata: { name: "web", namespace: "default", uid: "uid-web" },
    spec: { initContainers: [{ name: "prepare", image: "tools:1" }], containers: [{ name: "app", image: "web:1" }] }
  },
  source: "/manifests/web.yaml",
  qosClass: "BestEffort"
}
const image = actorId("image", "", "web:1")
const start = (attempt: number): NodeEvent => ({
  _tag: "ContainerStartRequested",
  container: "app",
  attempt,
  sandboxId: "s",
  imageId: "i",
  reason: "first start"
})
const started: NodeEvent = {
  _tag: "ContainerStarted",
  container: "app",
  containerId: "c1",
  attempt: 0,
  startedAt: "2026-01-15T09:30:03.000Z"
}
const exited = (exitCode: number): NodeEvent => ({
  _tag: "ContainerExited",
  container: "app",
  containerId: "c1",
  attempt: 0,
  exitCode,
  reason: exitCode === 0 ? "Completed" : "Error",
  message: "",
  oomKilled: false,
  startedAt: "2026-01-15T09:30:03.000Z",
  finishedAt: "2026-01-15T09:30:06.000Z"
})
const ready = (is: boolean): NodeEvent => ({ _tag: "ContainerReadinessChanged", container: "app", ready: is })
const condition = (status: boolean): NodeEvent => ({
  _tag: "PodConditionChanged",
  condition: "Ready",
  status,
  reason: "",
  message: ""
})
const kill = (reason: "LivenessProbe" | "PodTerminating"): NodeEvent => ({
  _tag: "ContainerKillRequested",
  container: "app",
  containerId: "c1",
  reason,
  message: "",
  gracePeriodSeconds: 5
})
const backOff: NodeEvent = {
  _tag: "ContainerBackOffStarted",
  container: "app",
  delaySeconds: 10,
  until: "2026-01-15T09:30:20.000Z"
}
const given = (...events: ReadonlyArray<NodeEvent | Given>) =>
  timelineOfGiven(events.map((event) => ("event" in event ? event : { event }) as Given))

describe("the lanes of a pod", () => {
  it("stand below it in the order of its definition, with probes below their container", () => {
    const timeline = given(admitted, {
      event: { _tag: "ProbeStopped", podUid: "u", container: "app", containerId: "c", probe: "liveness", reason: "" },
      actor: actorId("probe", "default", "web.app.liveness")
    })
    assert.deepEqual(
      timeline.lanes.map(({ depth, kind, name }) => `${depth} ${kind} ${name}`),
      ["0 pod default/web", "1 container prepare", "1 container app", "2 probe liveness"]
    )
  })

  it("tell of a container's log in its own lane, and of hooks that fail", () => {
    const timeline = given(
      { event: { _tag: "ActorRestarted", events: 1 }, actor: actorId("log", "default", "web.v2.app") },
      {
        _tag: "ContainerHookEnded",
        container: "app",
        containerId: "c1",
        hook: "PostStart",
        outcome: "failed",
        output: "no",
        timedOut: false,
        duration: 3
      }
    )
    assert.deepEqual(
      timeline.marks.lane.map((lane) => laneText(timeline, lane)),
      ["default/web.v2 app", "default/web app"]
    )
    assert.deepEqual(
      timeline.troubles.map(({ kind }) => kind),
      ["hook"]
    )
  })

  it("stand in the order of the numbers in their names", () => {
    const of = (name: string): Given => ({
      event: { _tag: "PodRemoved", uid: "u" },
      actor: actorId("pod", "default", name)
    })
    assert.deepEqual(
      given(of("web-10"), of("web-2"), of("db")).lanes.map(({ name }) => name),
      ["default/db", "default/web-2", "default/web-10"]
    )
  })

  it("tell of a container from waiting to ready", () => {
    const timeline = given(admitted, start(0), started, ready(true))
    assert.deepEqual(barsOf(timeline, "default/web app"), ["waiting 0-1", "starting 1-2", "running 2-3", "ready 3-…"])
    assert.deepEqual(barsOf(timeline, "default/web prepare"), ["waiting 0-…"])
  })

  it("show that a container pulls its image, and waits to try again", () => {
    const pulling: NodeEvent = { _tag: "ImagePullStarted", image: "web:1", attempt: 1 }
    const failed: NodeEvent = {
      _tag: "ImagePullFailed",
      image: "web:1",
      reason: "ErrImagePull",
      message: "no",
      attempt: 1
    }
    const of = (event: NodeEvent): Given => ({ event, actor: image })
    const pulled: NodeEvent = { _tag: "ImagePulled", image: "web:1", imageId: "i", duration: 1000 }
    const timeline = given(admitted, of(pulling), of(failed), of(pulling), of(pulled), start(0))
    assert.deepEqual(barsOf(timeline, "default/web app"), [
      "waiting 0-1",
      "pulling 1-2",
      "back-off 2-3",
      "pulling 3-4",
      "waiting 4-5",
      "starting 5-…"
    ])
    assert.deepEqual(barsOf(timeline, "default/web prepare"), ["waiting 0-…"], "it has another image")
    assert.deepEqual(barsOf(timeline, "image web:1"), ["pulling 1-2", "back-off 2-3", "pulling 3-4", "present 4-…"])
  })

  it("tell of a kill, the failure and the back-off", () => {
    const timeline = given(
      admitted,
      start(0),
      started,
      ready(true),
      kill("LivenessProbe"),
      ready(false),
      exited(137),
      backOff,
      start(1)
    )
    assert.deepEqual(barsOf(timeline, "default/web app").slice(3), [
      "ready 3-4",
      "stopping 4-6",
      "failed 6-7",
      "back-off 7-8",
      "starting 8-…"
    ])
    assert.deepEqual(
      timeline.troubles.map(({ event, kind }) => `${event} ${kind}`),
      ["6 exit", "8 restart"]
    )
  })

  it("end with the pod, whose end is no trouble", () => {
    const timeline = given(
      admitted,
      start(0),
      started,
      { _tag: "PodTerminationRequested", reason: "ManifestRemoved", gracePeriodSeconds: 5 },
      kill("PodTerminating"),
      exited(143),
      { _tag: "PodRemoved", uid: "uid-web" }
    )
    assert.deepEqual(barsOf(timeline, "default/web app").slice(-2), ["stopping 4-5", "failed 5-6"])
    assert.deepEqual(barsOf(timeline, "default/web"), ["waiting 0-3", "terminating 3-6"])
    assert.deepEqual(timeline.troubles, [])
    assert.equal(timeline.totals.failures, 0)
  })

  it("tell the pod's own course", () => {
    const timeline = given(
      admitted,
      { _tag: "PodPhaseChanged", from: "Pending", to: "Running" },
      condition(true),
      condition(false),
      condition(true),
      { _tag: "PodPhaseChanged", from: "Running", to: "Succeeded" }
    )
    assert.deepEqual(barsOf(timeline, "default/web"), [
      "waiting 0-1",
      "running 1-2",
      "ready 2-3",
      "not ready 3-4",
      "ready 4-5",
      "completed 5-…"
    ])
  })

  it("begin where the log does, and with what an exit tells of before", () => {
    const timeline = given({ event: exited(1), after: 6 })
    assert.deepEqual(barsOf(timeline, "default/web app"), ["running 3-6", "failed 6-…"])
  })

  it("never overlap, whatever the clock does", () => {
    const timeline = given(
      { event: admitted, after: 10 },
      { event: start(0), after: 12 },
      { event: started, after: 4 },
      { event: ready(true), after: 5 },
      { event: exited(0), after: 20 }
    )
    const bars = timeline.bars.filter((bar) => timeline.lanes[bar.lane]!.name === "app")
    for (const [i, bar] of bars.entries()) {
      assert.ok(bar.from <= bar.to)
      if (i > 0) assert.ok(bars[i - 1]!.to <= bar.from, `${bars[i - 1]!.state} reaches into ${bar.state}`)
    }
    assert.equal(bars.at(-1)!.state, "completed")
  })
})
