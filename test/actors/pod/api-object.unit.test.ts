/** Pods as `/pods` answers them. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { podList, podObject, runningPodObject } from "../../../src/actors/pod/api-object.ts"
import { emptyContainer, emptyPod, type PodState } from "../../../src/actors/pod/state.ts"
import { actorId } from "../../../src/events/actor-id.ts"

const id = actorId("pod", "default", "web")
const pod = {
  metadata: { name: "web", namespace: "default", uid: "u1", labels: { app: "web" } },
  spec: { containers: [{ name: "app", image: "busybox", env: [{ name: "A", valueHash: "0123" }] }] }
} as const

const state = (more: Partial<PodState> = {}): PodState => ({
  ...emptyPod("default/web"),
  definition: {
    pod: pod as never,
    source: "web.yaml",
    qosClass: "BestEffort",
    maxRestartPeriodSeconds: 300,
    because: "e1"
  },
  startTime: "2026-01-01T00:00:00.123Z",
  ...more
})

const jsonOf = (of: PodState) => JSON.parse(JSON.stringify(podObject(id, of, "n1")))

describe("a pod of the API", () => {
  it("has its definition, its node, and times of whole seconds", () => {
    const { metadata, spec, status } = jsonOf(
      state({ conditions: { Ready: { status: false, reason: "R", message: "", since: "2026-01-01T00:00:01.9Z" } } })
    )
    assert.deepEqual(metadata, { ...pod.metadata, creationTimestamp: "2026-01-01T00:00:00Z" })
    assert.deepEqual(spec, { ...pod.spec, nodeName: "n1" })
    assert.deepEqual(
      [status.phase, status.startTime, status.qosClass, status.podIP],
      ["Pending", "2026-01-01T00:00:00Z", "BestEffort", undefined]
    )
    assert.deepEqual(status.conditions, [
      { type: "Ready", status: "False", lastProbeTime: null, lastTransitionTime: "2026-01-01T00:00:01Z", reason: "R" }
    ])
  })

  it("tells of containers in the API's words alone", () => {
    const container = {
      ...emptyContainer("app", false),
      status: "exited" as const,
      attempt: 1,
      containerId: "c2",
      lastExit: {
        ...{ containerId: "c2", attempt: 1, exitCode: 137, reason: "Error", message: "", oomKilled: false },
        killedFor: "LivenessProbe" as const,
        startedAt: "2026-01-01T00:00:01.5Z",
        finishedAt: "2026-01-01T00:00:02.5Z"
      }
    }
    const [told] = jsonOf(state({ containers: [container] })).status.containerStatuses
    assert.equal(told.restartCount, 1)
    const ended = told.state.terminated ?? told.lastState.terminated
    assert.equal(ended.exitCode, 137)
    assert.equal(ended.finishedAt, "2026-01-01T00:00:02Z")
    assert.equal(ended.ownKill, undefined)
  })

  it("says until when it is to end, why it was refused, and is not there without a definition", () => {
    const at = Date.parse("2026-01-01T00:01:00Z")
    const leaving = jsonOf(
      state({ termination: { reason: "ManifestRemoved" as never, gracePeriodSeconds: 30, at, because: "e2" } })
    )
    assert.equal(leaving.metadata.deletionTimestamp, "2026-01-01T00:01:30Z")
    assert.equal(leaving.metadata.deletionGracePeriodSeconds, 30)
    const { status } = jsonOf(state({ rejected: { uid: "u1", reason: "OutOfcpu", message: "no room" } }))
    assert.deepEqual([status.phase, status.reason, status.message], ["Failed", "OutOfcpu", "no room"])
    assert.equal(podObject(id, emptyPod("default/web"), "n1"), undefined)
  })

  it("is listed as running with what of it runs", () => {
    const running = { ...emptyContainer("app", false), status: "running" as const }
    const sandbox = { status: "ready" } as PodState["sandbox"]
    assert.deepEqual(runningPodObject(state({ sandbox, containers: [running] }))?.spec, {
      containers: [{ name: "app", image: "busybox", resources: {} }]
    })
    assert.equal(runningPodObject(state()), undefined)
    assert.deepEqual(podList([]), { kind: "PodList", apiVersion: "v1", metadata: {}, items: [] })
  })
})
