/**
 * What a timeline is: lanes (one for each thing that has a course of its own), bars (the state of a lane over a span of
 * time), marks (its events, each with its cause), troubles and measured series. It is plain data: both reports are made of it.
 *
 * Times are milliseconds since the epoch; events are named by their position in the log, from 0.
 */
import type { Severity } from "../../events/definition.ts"

/** In the order in which lanes are listed within one node or pod. */
export const laneKinds = [
  "node",
  "runtime",
  "source",
  "stream",
  "eviction",
  "proxy",
  "image",
  "service",
  "pod",
  "sandbox",
  "volume",
  "container",
  "probe",
  "endpoint"
] as const
export type LaneKind = (typeof laneKinds)[number]

export interface Lane {
  readonly kind: LaneKind
  /** As it is called within its parent: `app`, `liveness`, `http.10.88.0.2:80`; of a pod or Service `namespace/name`. */
  readonly name: string
  /** Lane of the pod, of the container of a probe, of the Service of an endpoint; -1: none. Comes before this one. */
  readonly parent: number
  /** Steps below the top, for indenting. */
  readonly depth: number
}

/** How a state is to be seen: colours go by it. */
export const tones = [
  "idle",
  "pulling",
  "progress",
  "active",
  "good",
  "warn",
  "backoff",
  "bad",
  "ending",
  "done"
] as const
export type Tone = (typeof tones)[number]

/** Every state that a bar can show, and its tone. */
export const states = {
  waiting: "idle",
  pulling: "pulling",
  starting: "progress",
  running: "active",
  ready: "good",
  "not ready": "warn",
  "back-off": "backoff",
  stopping: "ending",
  terminating: "ending",
  completed: "done",
  failed: "bad",
  rejected: "bad",
  lost: "bad",
  down: "bad",
  stopped: "idle",
  connected: "good",
  disconnected: "bad",
  readable: "good",
  unreadable: "bad",
  "admission closed": "warn",
  present: "done",
  mounting: "progress",
  mounted: "good",
  unmounting: "ending",
  unknown: "idle",
  passing: "good",
  failing: "warn"
} as const satisfies Readonly<Record<string, Tone>>
export type StateName = keyof typeof states
export const stateNames = Object.keys(states) as ReadonlyArray<StateName>

export interface Bar {
  readonly lane: number
  readonly state: StateName
  readonly from: number
  readonly to: number
  /** The event that began it. */
  readonly event: number
  /** It had not ended where the log ends. */
  readonly open: boolean
}

/** The events as columns, each as long as the log. */
export interface Marks {
  readonly at: ReadonlyArray<number>
  readonly lane: ReadonlyArray<number>
  /** Position in `Timeline.tags`. */
  readonly tag: ReadonlyArray<number>
  /** Position in `severityNames`. */
  readonly severity: ReadonlyArray<number>
  /** Position of the event that caused it; `noCause` or `causeElsewhere`. */
  readonly cause: ReadonlyArray<number>
}
export const noCause = -1
/** It has a cause that this log does not hold. */
export const causeElsewhere = -2

export const severityNames = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"] as const satisfies ReadonlyArray<Severity>

export const troubleKinds = [
  "restart",
  "exit",
  "probe",
  "start",
  "image",
  "volume",
  "pod",
  "hook",
  "log",
  "source",
  "service",
  "node"
] as const
export type TroubleKind = (typeof troubleKinds)[number]

/** An event that one asks "why?" about. */
export interface Trouble {
  readonly event: number
  readonly kind: TroubleKind
}

/** Numbers that events measured on the way, e.g. how long a probe took. */
export interface Series {
  readonly name: string
  readonly unit: "ms" | "bytes" | "events"
  readonly lane: number
  readonly at: ReadonlyArray<number>
  readonly value: ReadonlyArray<number>
  readonly event: ReadonlyArray<number>
}

export interface PodSummary {
  /** Its lane. */
  readonly lane: number
  readonly restarts: number
  /** `restarted 3 times since …: its liveness probe … answered 404 three times`; empty where it never was. */
  readonly sentence: string
}

export interface Totals {
  readonly events: number
  readonly pods: number
  readonly restarts: number
  /** Containers that ended with another exit code than 0, unless they were told to end with their pod. */
  readonly failures: number
  /** Probes that reached their failure threshold. */
  readonly probeFailures: number
  /** Events of types that this version does not know. */
  readonly unknown: number
}

export interface Timeline {
  readonly node: string
  /** Of the earliest and the latest event; both 0 where there is none. */
  readonly from: number
  readonly to: number
  readonly lanes: ReadonlyArray<Lane>
  readonly bars: ReadonlyArray<Bar>
  readonly marks: Marks
  readonly tags: ReadonlyArray<string>
  readonly troubles: ReadonlyArray<Trouble>
  readonly series: ReadonlyArray<Series>
  readonly pods: ReadonlyArray<PodSummary>
  readonly totals: Totals
}
