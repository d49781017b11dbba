/** The log of a small incident: a pod whose liveness probe fails; its container is killed and restarted. */
import { actorId } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import type { EventDraft } from "../../src/events/journal/port.ts"
import { type Given, recordedEvents, web } from "../events/recorded.ts"

const probe = actorId("probe", "default", "web.app.liveness")
const place = { podUid: "uid-web", container: "app", containerId: "c0ffee0123456789", probe: "liveness" } as const
const output = "HTTP probe failed with statuscode: 500"

const podDefinition: NodeEvent = {
  _tag: "PodAdmitted",
  pod: {
    metadata: { name: "web", namespace: "default", uid: "uid-web" },
    spec: { containers: [{ name: "app", image: "web:1" }] }
  },
  source: "/manifests/web.yaml",
  qosClass: "BestEffort"
}

const given: ReadonlyArray<Given> = [
  {
    event: { _tag: "ManifestRead", file: "/manifests/web.yaml", hash: "ab", pods: [] },
    actor: actorId("source", "", "manifests"),
    correlation: "source"
  },
  { event: podDefinition, cause: "e1" },
  {
    event: {
      _tag: "ContainerStarted",
      container: "app",
      containerId: "c0ffee0123456789",
      attempt: 0,
      startedAt: "2026-01-15T09:30:02.000Z"
    },
    cause: "e2"
  },
  {
    event: { _tag: "ProbeFailed", ...place, consecutive: 1, threshold: 1, output, timedOut: false, duration: 3 },
    actor: probe,
    cause: "e3"
  },
  {
    event: {
      _tag: "ProbeResultChanged",
      ...place,
      from: "success",
      to: "failure",
      consecutive: 1,
      threshold: 1,
      output
    },
    actor: probe,
    cause: "e4"
  },
  {
    event: {
      _tag: "ContainerKillRequested",
      container: "app",
      containerId: "c0ffee0123456789",
      reason: "LivenessProbe",
      message: "its liveness probe failed",
      gracePeriodSeconds: 30
    },
    cause: "e5"
  },
  {
    event: {
      _tag: "ContainerExited",
      container: "app",
      containerId: "c0ffee0123456789",
      attempt: 0,
      exitCode: 137,
      signal: 9,
      reason: "Error",
      message: "",
      oomKilled: false,
      startedAt: "2026-01-15T09:30:02.000Z",
      finishedAt: "2026-01-15T09:30:06.000Z"
    },
    cause: "e6"
  },
  {
    event: {
      _tag: "ContainerStartRequested",
      container: "app",
      attempt: 1,
      sandboxId: "5a5a5a5a5a5a5a5a",
      imageId: "i1",
      reason: "it ended and its restart policy is Always"
    },
    cause: "e7"
  },
  {
    event: { _tag: "NodeStopped", reason: "SIGTERM" },
    actor: actorId("node", "", "node1"),
    correlation: "node"
  },
  { event: { _tag: "SandboxStopped", sandboxId: "s2" }, actor: { ...web, name: "web.v2" }, correlation: "uid-v2" }
]

/** Event ids are `e1` … `e10`; one second lies between two. */
export const story: ReadonlyArray<EventDraft> = recordedEvents(given).map(
  ({ sequence: _, recordedTime: __, node: ___, ...draft }) => draft
)
