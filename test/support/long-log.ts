/** A log of any length, as an agent would write it: pods that are admitted once, whose containers then live and die. */
import { Result } from "effect"
import { actorId } from "../../src/events/actor-id.ts"
import { makeChain } from "../../src/events/journal/chain.ts"
import { placeDrafts } from "../../src/events/journal/draft.ts"
import type { EventDraft, JournalRow } from "../../src/events/journal/port.ts"

export const longLogStart = Date.parse("2026-11-21T05:53:47.000Z")

/** The n-th event, from 1. About 500 bytes as a line. */
export const longLogDraft = (n: number, pods: number): EventDraft => {
  const pod = `web-${n % pods}`
  const round = Math.floor((n - 1) / pods)
  const time = new Date(longLogStart + n).toISOString()
  const uid = `0b5f1a3c77d94e0b8a0f3f51${pod}`
  const ids = { container: "app", containerId: "0123456789abcdef".repeat(4), attempt: round >> 2 }
  const admitted: EventDraft["event"] = {
    _tag: "PodAdmitted",
    pod: { metadata: { name: pod, namespace: "default", uid }, spec: { containers: [{ name: "app", image: "a" }] } },
    source: "/manifests/web.yaml",
    qosClass: "BestEffort"
  }
  const ended = { exitCode: 137, reason: "Error", message: "", oomKilled: false, finishedAt: time }
  const lives: ReadonlyArray<EventDraft["event"]> = [
    { _tag: "ContainerCreated", ...ids },
    { _tag: "ContainerStarted", ...ids, startedAt: time },
    { _tag: "ContainerReadinessChanged", container: "app", ready: true },
    { _tag: "ContainerExited", ...ids, ...ended }
  ]
  return {
    id: longLogId(n),
    actor: actorId("pod", "default", pod),
    subject: uid,
    time,
    actorSequence: round + 1,
    cause: longLogId(n - 1),
    correlation: uid,
    traceparent: undefined,
    severity: "INFO",
    command: undefined,
    event: round === 0 ? admitted : (lives[(round - 1) % lives.length] as EventDraft["event"])
  }
}

export const longLogId = (n: number): string => `019aa000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`

/** @param recordedAt when the n-th event is written, milliseconds; default: one a millisecond */
export const longLogRows = function* (
  events: number,
  pods: number,
  recordedAt: (n: number) => number = (n) => longLogStart + n
): Generator<JournalRow> {
  const chain = makeChain()
  for (let n = 1; n <= events; n++) {
    const placed = Result.getOrThrow(placeDrafts("test", "node-1", [longLogDraft(n, pods)], n, recordedAt(n)))
    const { line } = placed[0] as { readonly line: string }
    const previousHash = chain.head()
    const hash = chain.next(line)
    yield n === 1 ? { sequence: n, line, hash, previousHash } : { sequence: n, line, hash }
  }
}
