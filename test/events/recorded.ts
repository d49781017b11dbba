/** Recorded events for tests, with everything that a test does not care about filled in. */
import { type ActorId, actorId } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import { byTag } from "../../src/events/catalogue.ts"
import { timestamp } from "../../src/events/definition.ts"
import type { RecordedEvent } from "../../src/events/envelope.ts"

export const web = actorId("pod", "default", "web")
/** 2026-01-15T09:30:00Z */
export const start = Date.UTC(2026, 0, 15, 9, 30)

export interface Given {
  readonly event: NodeEvent
  readonly actor?: ActorId
  /** Seconds after `start`. */
  readonly after?: number
  readonly cause?: string
  readonly correlation?: string
  readonly command?: string
}

/** Events of one node in the order given: `e1`, `e2`, …, one second apart unless said otherwise. */
export const recordedEvents = (given: ReadonlyArray<Given>): ReadonlyArray<RecordedEvent<NodeEvent>> => {
  const sequences = new Map<string, number>()
  return given.map(({ event, actor = web, after, cause, correlation = "uid-web", command }, index) => {
    const key = JSON.stringify(actor)
    const actorSequence = (sequences.get(key) ?? 0) + 1
    sequences.set(key, actorSequence)
    const time = timestamp(start + (after ?? index) * 1000)
    return {
      id: `e${index + 1}`,
      node: "node1",
      actor,
      subject: correlation,
      time,
      sequence: index + 1,
      actorSequence,
      recordedTime: time,
      cause,
      correlation,
      traceparent: undefined,
      severity: byTag.get(event._tag)!.severity,
      command,
      event
    }
  })
}
