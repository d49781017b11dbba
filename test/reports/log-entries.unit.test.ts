import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { actorId } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import { timestamp } from "../../src/events/definition.ts"
import type { RecordedEvent } from "../../src/events/envelope.ts"
import { LogLines } from "../../src/reports/log-entries.ts"
import { PodStarts } from "../../src/reports/pod-starts.ts"

const at = Date.UTC(2026, 0, 15, 9, 30)
const recorded = (
  id: string,
  event: object,
  more: Partial<RecordedEvent<NodeEvent>> = {}
): RecordedEvent<NodeEvent> => ({
  id,
  node: "node1",
  actor: actorId("pod", "default", "web"),
  subject: undefined,
  time: timestamp(at),
  recordedTime: timestamp(at + 3),
  sequence: 7,
  actorSequence: 1,
  cause: "before",
  correlation: "u1",
  traceparent: undefined,
  severity: "INFO",
  command: undefined,
  event: event as NodeEvent,
  ...more
})
const pod = { metadata: { name: "web", namespace: "default", uid: "u1" }, spec: { containers: [] } }
const admitted = recorded("e1", { _tag: "PodAdmitted", pod, source: "web.yaml", qosClass: "BestEffort" })
const exited = recorded(
  "e2",
  {
    _tag: "ContainerExited",
    container: "app",
    exitCode: 3,
    oomKilled: false,
    message: "x".repeat(5000),
    reason: "Error"
  },
  { severity: "WARN" }
)

describe("events as lines of a log", () => {
  it("say what happened, when, where and by which event", () => {
    const line = new LogLines().apply(exited)
    assert.deepEqual([line.at, line.observedAt, line.severity, line.node], [at, at + 3, "WARN", "node1"])
    assert.equal(line.name, "dev.chronode.ContainerExited.v1")
    assert.match(line.body, /^app ended with exit code 3/u)
    const { attributes } = line
    assert.deepEqual(
      [
        attributes["k8s.pod.name"],
        attributes["k8s.pod.uid"],
        attributes["chronode.exitCode"],
        attributes["chronode.cause"]
      ],
      ["web", "u1", 3, "before"]
    )
    assert.equal(attributes["cloudevents.event_id"], "e2")
    assert.equal(String(attributes["chronode.message"]).length, 1024)
  })

  it("belong to the trace of their pod's last start, as that is sent", () => {
    const lines = new LogLines()
    assert.equal(lines.apply(exited).trace, undefined)
    const { trace } = lines.apply(admitted)
    assert.deepEqual(lines.apply(exited).trace, trace)
    const starts = new PodStarts()
    starts.apply(admitted)
    const [start] = starts.end()
    const root = start?.spans.find(({ parent }) => parent === undefined)
    assert.deepEqual(trace, { key: start?.key, traceparent: undefined, span: root?.key })
    lines.apply(recorded("e3", { _tag: "PodRemoved", uid: "u1" }))
    assert.equal(lines.apply(exited).trace, undefined)
  })
})
