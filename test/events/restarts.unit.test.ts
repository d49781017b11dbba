import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { actorId } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import { Restarts, timesText } from "../../src/events/restarts.ts"
import { recordedEvents } from "./recorded.ts"

const probe = actorId("probe", "default", "web.app.liveness")
const id = "c".repeat(8)
const place = { podUid: "u", container: "app", containerId: id, probe: "liveness" } as const

const admitted = (...containers: ReadonlyArray<string>): NodeEvent => ({
  _tag: "PodAdmitted",
  pod: {
    metadata: { name: "web", namespace: "default", uid: "u" },
    spec: { containers: containers.map((name) => ({ name, image: "i" })) }
  },
  source: "/m/web.yaml",
  qosClass: "BestEffort"
})
const asks: NodeEvent = {
  _tag: "ProbeStarted",
  ...place,
  spec: { httpGet: { port: 8080, path: "/healthz" } },
  host: "10.0.0.3",
  target: "GET http://10.0.0.3:8080/healthz"
}
const fails = (consecutive: number, output: string, timedOut = false): NodeEvent => ({
  _tag: "ProbeFailed",
  ...place,
  consecutive,
  threshold: 3,
  output,
  timedOut,
  duration: 1
})
const kill = (reason: "LivenessProbe" | "SandboxLost" | "PodTerminating", container = "app"): NodeEvent => ({
  _tag: "ContainerKillRequested",
  container,
  containerId: id,
  reason,
  message: "m",
  gracePeriodSeconds: 2
})
const exit = (exitCode: number, oomKilled = false, container = "app"): NodeEvent => ({
  _tag: "ContainerExited",
  container,
  containerId: id,
  attempt: 0,
  exitCode,
  reason: oomKilled ? "OOMKilled" : "Error",
  message: "",
  oomKilled,
  finishedAt: "2026-01-15T09:30:06.000Z"
})
const start = (attempt: number, container = "app"): NodeEvent => ({
  _tag: "ContainerStartRequested",
  container,
  attempt,
  sandboxId: "s",
  imageId: "i",
  reason: "first start"
})

const told = (events: ReadonlyArray<NodeEvent>, container?: string) => {
  const restarts = new Restarts()
  for (const event of recordedEvents(
    events.map((event) => (event._tag.startsWith("Probe") ? { event, actor: probe } : { event }))
  ))
    restarts.apply(event)
  return restarts.summary(container)
}
const liveness = [asks, fails(1, "a"), fails(2, "a"), fails(3, "HTTP probe failed with statuscode: 503")]

describe("how often and why a pod was restarted", () => {
  it("counts restarts since its admission, with what the probe saw", () => {
    const round = (attempt: number) => [...liveness, kill("LivenessProbe"), exit(137), start(attempt)]
    assert.deepEqual(told([admitted("app"), start(0), ...round(1), ...round(2), ...round(3)]), {
      count: 3,
      since: "2026-01-15T09:30:00.000Z",
      why: "its liveness probe GET http://10.0.0.3:8080/healthz answered 503 three times",
      alike: true
    })
  })

  it("names the container where the pod has several, and what a probe said that has no status", () => {
    const events = [asks, fails(1, "connection refused\n"), kill("LivenessProbe"), exit(137), start(1)]
    const why = told([admitted("app", "side"), ...events])?.why
    assert.equal(why, "the liveness probe of app GET http://10.0.0.3:8080/healthz failed once: connection refused")
    const late = told([admitted("app"), asks, fails(2, "x", true), kill("LivenessProbe"), exit(137), start(1)])?.why
    assert.equal(late, "its liveness probe GET http://10.0.0.3:8080/healthz did not answer in time twice")
  })

  it("tells a container that ended by itself, ran out of memory, or lost its sandbox", () => {
    const after = (...events: ReadonlyArray<NodeEvent>) => told([admitted("app"), ...events, start(1)])?.why
    assert.equal(after(exit(3)), "app ended with exit code 3")
    assert.equal(after(exit(137, true)), "app ran out of memory (OOMKilled)")
    assert.equal(after(kill("SandboxLost"), exit(137)), "the sandbox of app was lost")
    assert.equal(after(), "first start")
  })

  it("says whether all had one reason, and counts one container alone", () => {
    const events = [admitted("app", "side"), exit(1), start(1), exit(2, false, "side"), start(1, "side")]
    assert.deepEqual([told(events)?.count, told(events)?.alike], [2, false])
    assert.deepEqual(told(events, "app"), {
      count: 1,
      since: "2026-01-15T09:30:00.000Z",
      why: "app ended with exit code 1",
      alike: true
    })
  })

  it("begins anew with another pod of the same name, and says nothing where nothing was restarted", () => {
    assert.equal(told([admitted("app"), start(0), exit(1), start(1), admitted("app"), start(0)]), undefined)
    assert.equal(told([]), undefined)
  })

  it("counts in words", () => {
    assert.deepEqual([1, 2, 3, 10, 11].map(timesText), ["once", "twice", "three times", "ten times", "11 times"])
  })
})
