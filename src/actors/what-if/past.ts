/**
 * What the world did to a pod, read off its log: every run of a container from its start to its end, what its probes were
 * answered meanwhile, and how long the runtime took for its work. The model of a what-if run answers out of it.
 */
import { millis } from "../../events/definition.ts"
import type { ProbeResult, ProbeType } from "../../events/kinds/probe.ts"
import type { ObservedContainer } from "../pod/commands.ts"
import type { PodState } from "../pod/state.ts"
import type { ProbeObserved, StartProbe } from "../probe/commands.ts"
import { type AskedContainer, initialResult, type ProbeState, timing } from "../probe/state.ts"
import type { Family, KnownEvent, Letter } from "./letters.ts"

/** Times are milliseconds since the epoch. */
export interface Answer {
  readonly at: number
  readonly result: ProbeObserved["result"]
  readonly output: string
  readonly timedOut: boolean
  readonly duration: number
}

export interface Asking {
  readonly probe: ProbeType
  readonly answers: ReadonlyArray<Answer>
  /** From when to when it was asked; Infinity: it still was when the log ended. */
  readonly from: number
  readonly to: number
  /** Between two asks. */
  readonly period: number
  readonly changes: ReadonlyArray<{ readonly at: number; readonly to: ProbeResult }>
}

export interface Run {
  readonly container: string
  readonly attempt: number
  readonly requestedAt: number
  /** Absent: it was not started in this log, and why. */
  readonly started?:
    | {
        readonly at: number
        readonly containerId: string
        readonly startedAt: number
        readonly stopSignal?: string | undefined
      }
    | undefined
  readonly startFailed?: { readonly at: number; readonly reason: string; readonly message: string } | undefined
  /** How it ended by itself; absent: it was stopped, or still ran when the log ended. */
  readonly ended?: { readonly at: number; readonly observed: ObservedContainer } | undefined
  /** How it ended when it was told to. */
  readonly stopped?: { readonly askedAt: number; readonly at: number; readonly observed: ObservedContainer } | undefined
  readonly asked: ReadonlyMap<ProbeType, Asking>
}

export interface Past {
  readonly runs: ReadonlyArray<Run>
  /** When the log ends. */
  readonly end: number
  /** `recording: inputs`: also commands that led to nothing are there. */
  readonly isWhole: boolean
  /** Milliseconds from an event that asked for work to the one that told of it, by the tags of the two; the last in the log. */
  readonly took: (from: string, to: string, key: string) => number | undefined
  /** The last event of a tag, for what a model needs of it (addresses, paths). */
  readonly last: (tag: string, key?: string) => KnownEvent["event"] | undefined
}

interface Draft {
  container: string
  attempt: number
  requestedAt: number
  started?: Run["started"]
  startFailed?: Run["startFailed"]
  ended?: Run["ended"]
  stopped?: Run["stopped"]
  killAskedAt?: number
  readonly asked: Map<ProbeType, DraftAsking>
}
interface DraftAsking {
  probe: ProbeType
  answers: Array<Answer>
  from: number
  to: number
  period: number
  changes: Array<{ at: number; to: ProbeResult }>
}

/** What a request and its outcome have in common. */
const keyOf = (event: KnownEvent["event"]): string => {
  const e = event as Readonly<Record<string, unknown>>
  if (typeof e.container === "string") return typeof e.hook === "string" ? `${e.container} ${e.hook}` : e.container
  if (typeof e.volume === "string") return e.volume
  return ""
}

/** Pairs of a request and its outcome whose time is of use. */
const pairs: ReadonlyArray<readonly [from: string, to: string]> = [
  ["SandboxRequested", "SandboxCreated"],
  ["SandboxStopRequested", "SandboxStopped"],
  ["PodCleanupRequested", "PodRemoved"],
  ["VolumeMountRequested", "VolumeMounted"],
  ["VolumeUnmountRequested", "VolumeUnmounted"],
  ["ContainerHookStarted", "ContainerHookEnded"],
  ["ContainerStartRequested", "ContainerCreated"],
  ["ContainerStartRequested", "ContainerStarted"]
]

/** `end`: of the whole log, milliseconds; `isWhole`: see `Past`. */
export const pastOf = (family: Family, end: number, isWhole: boolean): Past => {
  const drafts: Array<Draft> = []
  const byId = new Map<string, Draft>()
  const latest = (container: string): Draft | undefined => drafts.findLast((d) => d.container === container)
  const requests = new Map<string, number>()
  const durations = new Map<string, number>()
  const lastOf = new Map<string, KnownEvent["event"]>()

  for (const { actor, state } of family.firstStates.values()) {
    if (actor.kind !== "pod") continue
    for (const c of (state as PodState).containers) {
      if (c.containerId === "" || (c.status !== "running" && c.status !== "killing")) continue
      const at = millis(c.startedAt)
      const draft: Draft = {
        container: c.name,
        attempt: c.attempt,
        requestedAt: at,
        started: { at, containerId: c.containerId, startedAt: at, stopSignal: c.stopSignal },
        ...(c.kill === null ? {} : { killAskedAt: c.kill.at }),
        asked: new Map()
      }
      drafts.push(draft)
      byId.set(c.containerId, draft)
    }
  }
  for (const { actor, state } of family.firstStates.values()) {
    if (actor.kind === "probe") beginAsking((state as ProbeState).asked, byId)
  }
  for (const recorded of family.events) {
    const { event } = recorded
    const at = millis(recorded.recordedTime)
    const key = keyOf(event)
    lastOf.set(event._tag, event)
    lastOf.set(`${event._tag}/${key}`, event)
    for (const [from, to] of pairs) {
      if (event._tag === from) requests.set(`${from}/${to}/${requestKey(event, key)}`, at)
      if (event._tag === to) {
        const asked = requests.get(`${from}/${to}/${key}`)
        if (asked !== undefined) durations.set(`${from}/${to}/${key}`, at - asked)
      }
    }
    switch (event._tag) {
      case "ContainerStartRequested":
        drafts.push({ container: event.container, attempt: event.attempt, requestedAt: at, asked: new Map() })
        break
      case "ContainerStarted": {
        // A log may begin after the request.
        let draft = latest(event.container)
        if (draft === undefined || draft.attempt !== event.attempt) {
          draft = { container: event.container, attempt: event.attempt, requestedAt: at, asked: new Map() }
          drafts.push(draft)
        }
        const { containerId, stopSignal } = event
        draft.started = { at, containerId, startedAt: millis(event.startedAt), stopSignal }
        byId.set(event.containerId, draft)
        break
      }
      case "ContainerStartFailed": {
        const draft = latest(event.container)
        if (draft !== undefined) draft.startFailed = { at, reason: event.reason, message: event.message }
        break
      }
      case "ContainerKillRequested": {
        const draft = byId.get(event.containerId)
        if (draft !== undefined) draft.killAskedAt ??= at
        break
      }
      // Its stop had to wait: what it takes to end counts from here.
      case "ContainerStopRequested": {
        const draft = byId.get(event.containerId)
        if (draft !== undefined) draft.killAskedAt = at
        break
      }
      case "ContainerExited": {
        const draft = byId.get(event.containerId)
        if (draft === undefined) break
        const { containerId, exitCode, reason, message, oom, startedAt, finishedAt } = event
        const observed: ObservedContainer = {
          containerId,
          state: "exited",
          ...(startedAt === undefined ? {} : { startedAt }),
          finishedAt,
          exitCode,
          reason,
          message,
          ...(oom === undefined ? {} : { oom })
        }
        if (draft.killAskedAt === undefined) draft.ended = { at, observed }
        else draft.stopped = { askedAt: draft.killAskedAt, at, observed }
        break
      }
      default:
    }
  }
  for (const letter of family.letters) learnAsking(letter, byId)
  const runs = drafts.map(({ killAskedAt: _, ...run }): Run => run)
  return {
    runs,
    end,
    isWhole,
    took: (from, to, key) => durations.get(`${from}/${to}/${key}`),
    last: (tag, key) => lastOf.get(key === undefined ? tag : `${tag}/${key}`)
  }
}

const beginAsking = (asked: AskedContainer | null, byId: ReadonlyMap<string, Draft>): void => {
  if (asked === null) return
  const { containerId, probe, spec, result, startedAt, last, output } = asked
  const from = millis(startedAt)
  byId.get(containerId)?.asked.set(probe, {
    probe,
    answers: last === null ? [] : [{ at: from, result: last, output, timedOut: false, duration: 0 }],
    from,
    to: asked.onHold ? from : Number.POSITIVE_INFINITY,
    period: timing(spec).period,
    changes: [{ at: from, to: result }]
  })
}

/** A request for a volume carries the whole volume, its outcome the name. */
const requestKey = (event: KnownEvent["event"], key: string): string =>
  event._tag === "VolumeMountRequested" ? event.volume.name : key

const learnAsking = ({ command, events, actor }: Letter, byId: ReadonlyMap<string, Draft>): void => {
  if (actor.kind !== "probe") return
  if (command._tag === "StartProbe") {
    const { containerId, probe, spec, at } = command as StartProbe
    const draft = byId.get(containerId)
    if (draft === undefined || draft.asked.has(probe)) return
    const { period } = timing(spec)
    draft.asked.set(probe, {
      probe,
      answers: [],
      from: at,
      to: Number.POSITIVE_INFINITY,
      period,
      changes: [{ at, to: initialResult(probe) }]
    })
  } else if (command._tag === "ProbeObserved") {
    const { at, containerId, result, output, timedOut, duration } = command as ProbeObserved
    const probe = actor.name.slice(actor.name.lastIndexOf(".") + 1) as ProbeType
    byId.get(containerId)?.asked.get(probe)?.answers.push({ at, result, output, timedOut, duration })
  }
  for (const { event, recordedTime } of events) {
    const at = millis(recordedTime)
    if (event._tag === "ProbeStopped") {
      const asking = byId.get(event.containerId)?.asked.get(event.probe)
      if (asking !== undefined) asking.to = Math.min(asking.to, at)
    } else if (event._tag === "ProbeResultChanged") {
      const asking = byId.get(event.containerId)?.asked.get(event.probe)
      if (asking === undefined) continue
      asking.changes.push({ at, to: event.to })
      // The verdict of a liveness or startup probe: it is asked no more.
      if (event.probe === "startup" || (event.probe === "liveness" && event.to === "failure")) asking.to = at
    }
  }
}

/** What a recorded probe said of its container at a time. */
export const resultAt = ({ changes }: Asking, at: number): ProbeResult =>
  changes.findLast((change) => change.at <= at)?.to ?? changes[0]?.to ?? "unknown"
