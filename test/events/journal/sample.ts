/** Drafts of events for tests: small, of several actors, types and flows. */
import { actorId } from "../../../src/events/actor-id.ts"
import type { EventDraft } from "../../../src/events/journal/port.ts"

/** 2026-11-21T05:53:47Z */
export const sampleTime = Date.parse("2026-11-21T05:53:47.000Z")

/** A UUIDv7-shaped id that is the same for the same number. */
export const sampleId = (n: number): string => `019aa000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`

export interface SampleOptions {
  readonly pod?: string
  readonly at?: number
  readonly text?: string
}

/** The n-th draft: a container of pod `pod` exited. Its correlation is `uid-<pod>`. */
export const sampleDraft = (n: number, options: SampleOptions = {}): EventDraft => {
  const pod = options.pod ?? "web"
  return {
    id: sampleId(n),
    actor: actorId("pod", "default", pod),
    subject: `uid-${pod}`,
    time: new Date(options.at ?? sampleTime + n * 1000).toISOString(),
    actorSequence: n,
    cause: undefined,
    correlation: `uid-${pod}`,
    traceparent: undefined,
    severity: "WARN",
    command: undefined,
    event: {
      _tag: "ContainerExited",
      container: "app",
      containerId: "c0ffee",
      attempt: n,
      exitCode: 1,
      reason: "Error",
      message: options.text ?? `ended, number ${n}`,
      oomKilled: false,
      finishedAt: new Date(sampleTime + n * 1000).toISOString()
    }
  }
}

/** A draft of another type and another actor (the node), without a correlation. */
export const sampleNodeDraft = (n: number): EventDraft => ({
  ...sampleDraft(n),
  actor: actorId("node", "", "n1"),
  subject: undefined,
  correlation: undefined,
  severity: "INFO",
  event: { _tag: "NodeStopped", reason: `reason ${n}` }
})

export const sampleDrafts = (from: number, count: number, options: SampleOptions = {}): ReadonlyArray<EventDraft> =>
  Array.from({ length: count }, (_, i) => sampleDraft(from + i, options))
