import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { actorId } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import { maxSpanEvents, maxSpans, PodStarts, type PodStartTrace } from "../../src/reports/pod-starts.ts"
import { type Given, recordedEvents, start } from "../events/recorded.ts"

const image = actorId("image", "", "web:1")
const manifests = actorId("source", "", "manifests")
const pod = {
  metadata: { name: "web", namespace: "default", uid: "uid-web" },
  spec: { containers: [{ name: "app", image: "web:1" }] }
}
const admitted: NodeEvent = { _tag: "PodAdmitted", pod, source: "/m/web.yaml", qosClass: "BestEffort" }
const ofContainer = { container: "app", containerId: "c0", attempt: 0 } as const
const requested: NodeEvent = {
  _tag: "ContainerStartRequested",
  container: "app",
  attempt: 0,
  sandboxId: "s0",
  imageId: "i1",
  reason: "first"
}
const created: NodeEvent = { _tag: "ContainerCreated", ...ofContainer }
const started: NodeEvent = { _tag: "ContainerStarted", ...ofContainer, startedAt: "2026-01-15T09:30:07.000Z" }
const ready: NodeEvent = { _tag: "PodConditionChanged", condition: "Ready", status: true, reason: "", message: "" }

/** From a manifest that is read at 0 s to a pod that is ready at 9 s. */
const wholeStart: ReadonlyArray<Given> = [
  { event: { _tag: "ManifestRead", file: "/m/web.yaml", hash: "ab", pods: [] }, actor: manifests, after: 0 },
  { event: admitted, cause: "e1", after: 1 },
  { event: { _tag: "SandboxRequested", attempt: 0, reason: "none" }, after: 1 },
  {
    event: { _tag: "ImageRequested", image: "web:1", pod: "default/web", policy: "IfNotPresent" },
    actor: image,
    after: 1
  },
  { event: { _tag: "ImagePullStarted", image: "web:1", attempt: 1 }, actor: image, after: 2 },
  {
    event: { _tag: "SandboxCreated", sandboxId: "s0", attempt: 0, ips: [], createdAt: "2026-01-15T09:30:03.000Z" },
    after: 3
  },
  { event: { _tag: "ImagePulled", image: "web:1", imageId: "i1", duration: 3000 }, actor: image, after: 5 },
  { event: requested, after: 5 },
  { event: created, after: 6 },
  { event: started, after: 7 },
  { event: { _tag: "ContainerReadinessChanged", container: "app", ready: true }, after: 9 },
  { event: ready, after: 9 }
]

const tracesOf = (given: ReadonlyArray<Given>): ReadonlyArray<PodStartTrace> => {
  const starts = new PodStarts()
  return [...recordedEvents(given).flatMap((recorded) => starts.apply(recorded)), ...starts.end()]
}
/** `name from-to parent`, in seconds after the beginning. */
const shape = ({ spans }: PodStartTrace) =>
  spans
    .map((span) => {
      const parent = spans.find(({ key }) => key === span.parent)?.name ?? "-"
      return `${span.name} ${(span.start - start) / 1000}-${(span.end - start) / 1000} ${parent}`
    })
    .sort()

describe("the start of a pod", () => {
  it("is one trace with a span for each step", () => {
    const [trace, ...more] = tracesOf(wholeStart)
    assert.ok(trace)
    assert.equal(more.length, 0)
    assert.deepEqual(shape(trace), [
      "admission 0-1 pod start",
      "container 5-9 pod start",
      "container create 5-6 container",
      "container ready 7-9 container",
      "container start 6-7 container",
      "image pull 1-5 pod start",
      "pod start 0-9 -",
      "sandbox create 1-3 pod start"
    ])
    assert.equal(trace.spans[0]?.name, "pod start")
    assert.ok(trace.spans.every(({ error }) => error === undefined))
    assert.equal(new Set(trace.spans.map(({ key }) => key)).size, trace.spans.length)
  })

  it("names pod, container and image by the semantic conventions, and the event that each step began with", () => {
    const [trace] = tracesOf(wholeStart)
    const of = (name: string) => trace?.spans.find((span) => span.name === name)?.attributes
    assert.deepEqual(of("pod start"), {
      "k8s.namespace.name": "default",
      "k8s.pod.name": "web",
      "k8s.pod.uid": "uid-web",
      "cloudevents.event_id": "e2",
      "cloudevents.event_source": "/nodes/node1/pod/default/web",
      "cloudevents.event_type": "dev.chronode.PodAdmitted.v1",
      "chronode.pod.ready": true
    })
    assert.equal(of("image pull")?.["container.image.name"], "web:1")
    assert.deepEqual([of("container")?.["container.id"], of("container")?.["k8s.container.name"]], ["c0", "app"])
    assert.equal(of("container create")?.["k8s.container.restart_count"], 0)
  })

  it("is the same, key by key, however often the log is read", () => {
    assert.deepEqual(tracesOf(wholeStart), tracesOf(wholeStart))
  })

  it("tells failures as span events, and ends well if it ends well", () => {
    const [trace] = tracesOf([
      ...wholeStart.slice(0, 8),
      {
        event: {
          _tag: "ContainerStartFailed",
          container: "app",
          attempt: 0,
          reason: "CreateContainerError",
          message: "no such file",
          retryAt: "2026-01-15T09:30:08.000Z"
        },
        after: 6
      },
      { event: { ...requested, attempt: 1 } as NodeEvent, after: 8 },
      { event: created, after: 9 },
      { event: started, after: 9 },
      { event: ready, after: 10 }
    ])
    assert.ok(trace)
    const [failed, second] = trace.spans.filter(({ name }) => name === "container create")
    assert.deepEqual([failed?.error, second?.error], ["CreateContainerError: no such file", undefined])
    assert.deepEqual(
      failed?.events.map(({ attributes, name }) => [name, attributes["error.type"]]),
      [["ContainerStartFailed", "ContainerStartFailed"]]
    )
    assert.equal(trace.spans[0]?.error, undefined)
  })

  it("has failed where the pod never became ready: it ended, was replaced, or the log ends", () => {
    const begun = wholeStart.slice(0, 6)
    const cases: ReadonlyArray<readonly [more: ReadonlyArray<Given>, error: RegExp, end: number]> = [
      [[], /the log ends/u, 3],
      [
        [{ event: { _tag: "PodTerminationRequested", reason: "ManifestRemoved", gracePeriodSeconds: 1 }, after: 7 }],
        /was ended/u,
        7
      ],
      [[{ event: { _tag: "PodPhaseChanged", from: "Running", to: "Failed" }, after: 8 }], /the pod failed/u, 8],
      [
        [
          { event: admitted, after: 9 },
          { event: ready, after: 9 }
        ],
        /another definition/u,
        9
      ]
    ]
    for (const [more, error, end] of cases) {
      const [trace] = tracesOf([...begun, ...more])
      const [root] = trace?.spans ?? []
      assert.match(root?.error ?? "", error)
      assert.deepEqual([root?.end, root?.attributes["chronode.pod.ready"]], [start + end * 1000, false])
    }
  })

  it("takes an init container as one that runs to its end, and a job that succeeds as started", () => {
    const exited: NodeEvent = {
      _tag: "ContainerExited",
      ...ofContainer,
      exitCode: 0,
      reason: "Completed",
      message: "",
      oomKilled: false,
      finishedAt: "2026-01-15T09:30:08.000Z"
    }
    const [trace] = tracesOf([
      ...wholeStart.slice(0, 10),
      { event: exited, after: 8 },
      { event: { _tag: "PodPhaseChanged", from: "Running", to: "Succeeded" }, after: 8 }
    ])
    assert.ok(trace && shape(trace).includes("container run 7-8 container"))
    assert.equal(trace.spans[0]?.error, undefined)
  })

  it("gives a pull that two pods wait for to both, and no other pod's", () => {
    const other = actorId("pod", "default", "other")
    const traces = tracesOf([
      { event: admitted, after: 0 },
      { event: admitted, actor: other, correlation: "uid-other", after: 0 },
      ...(["default/web", "default/other"] as const).map(
        (name): Given => ({
          event: { _tag: "ImageRequested", image: "web:1", pod: name, policy: "Always" },
          actor: image,
          after: 1
        })
      ),
      {
        event: { _tag: "ImageRequested", image: "x:1", pod: "default/third", policy: "Always" },
        actor: image,
        after: 1
      },
      { event: { _tag: "ImagePullStarted", image: "web:1", attempt: 1 }, actor: image, after: 1 },
      {
        event: { _tag: "ImagePullFailed", image: "web:1", reason: "ErrImagePull", message: "no", attempt: 1 },
        actor: image,
        after: 2
      },
      { event: { _tag: "ImagePullStarted", image: "web:1", attempt: 2 }, actor: image, after: 4 },
      { event: { _tag: "ImagePulled", image: "web:1", imageId: "i1", duration: 1 }, actor: image, after: 5 }
    ])
    assert.equal(traces.length, 2)
    for (const trace of traces) {
      const pulls = trace.spans.filter(({ name }) => name === "image pull")
      assert.deepEqual(
        pulls.map(({ error }) => error),
        ["ErrImagePull: no", undefined]
      )
      assert.ok(trace.spans.every(({ attributes }) => attributes["container.image.name"] !== "x:1"))
    }
  })

  it("stays within its bounds for a pod that crashes for days", () => {
    const crash = (n: number): ReadonlyArray<Given> => [
      { event: { ...requested, attempt: n } as NodeEvent, after: 10 + n },
      { event: created, after: 10 + n },
      { event: started, after: 10 + n },
      { event: { _tag: "ContainerWaiting", container: "app", reason: "CrashLoopBackOff", message: "" }, after: 10 + n },
      {
        event: {
          _tag: "ContainerExited",
          ...ofContainer,
          exitCode: 1,
          reason: "Error",
          message: "",
          oomKilled: false,
          finishedAt: "2026-01-15T09:30:08.000Z"
        },
        after: 10 + n
      }
    ]
    const [trace] = tracesOf([...wholeStart.slice(0, 7), ...Array.from({ length: 400 }, (_, n) => crash(n)).flat()])
    assert.ok(trace)
    assert.ok(trace.spans.length <= maxSpans)
    const [root] = trace.spans
    assert.equal(root?.events.length, maxSpanEvents)
    assert.ok((root?.droppedEvents ?? 0) > 0 && Number(root?.attributes["chronode.dropped_spans"]) > 0)
  })
})
