/** What a probe knows: the container that it asks, the row of equal answers, and what it says of the container. */
import type { ActorId } from "../../events/actor-id.ts"
import type { EventsOf } from "../../events/catalogue.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { ProbeResult, ProbeType, probeEvents } from "../../events/kinds/probe.ts"
import type { Probe } from "../../events/pod-spec.ts"

export type ProbeEvent = EventsOf<typeof probeEvents>

export interface AskedContainer {
  readonly podUid: string
  readonly container: string
  readonly containerId: string
  readonly probe: ProbeType
  readonly spec: Probe
  readonly host: string
  /** RFC 3339. */
  readonly startedAt: string
  /** The last answer that was written down, and how many of its kind in a row. */
  readonly last: "success" | "failure" | null
  readonly run: number
  /** What the probe says of the container now. */
  readonly result: ProbeResult
  /** With what it last changed. */
  readonly output: string
  /** Liveness or startup has spoken: nothing more is asked until there is a new container. */
  readonly onHold: boolean
  /** Id of the event that began it, and of the last one. */
  readonly startedBy: string
  readonly because: string
}

export interface ProbeState {
  readonly asked: AskedContainer | null
}

export const initialProbe: ProbeState = { asked: null }

/** What counts before the first threshold is reached (`pkg/kubelet/prober/worker.go` newWorker). */
export const initialResult = (probe: ProbeType): ProbeResult =>
  probe === "readiness" ? "failure" : probe === "liveness" ? "success" : "unknown"

/** Defaults of `pkg/apis/core/v1/defaults.go`, for specs that come without them. */
export const timing = (spec: Probe) => ({
  /** Milliseconds. */
  initialDelay: Math.max(0, spec.initialDelaySeconds ?? 0) * 1000,
  /** Milliseconds. */
  period: Math.max(1, spec.periodSeconds ?? 10) * 1000,
  timeoutSeconds: Math.max(1, spec.timeoutSeconds ?? 1),
  successThreshold: Math.max(1, spec.successThreshold ?? 1),
  failureThreshold: Math.max(1, spec.failureThreshold ?? 3)
})

/** The pod of a probe's actor: its name is `<pod>.<container>.<type>`, and only the pod's own name may hold dots. */
export const podNameOf = (id: ActorId): string => id.name.split(".").slice(0, -2).join(".")

type ChangingAsked = { -readonly [Key in keyof AskedContainer]: AskedContainer[Key] }

/** `change` writes to a copy that nobody else has yet. */
const withAsked = (state: ProbeState, meta: EventMeta, change: (asked: ChangingAsked) => void): ProbeState => {
  if (state.asked === null) return state
  const asked = { ...state.asked }
  asked.because = meta.id
  change(asked)
  return { asked }
}

export const evolveProbe = (state: ProbeState, event: ProbeEvent, meta: EventMeta): ProbeState => {
  switch (event._tag) {
    case "ProbeStarted": {
      const { podUid, container, containerId, probe, spec, host } = event
      return {
        asked: {
          podUid,
          container,
          containerId,
          probe,
          spec,
          host,
          startedAt: event.startedAt ?? meta.time,
          last: null,
          run: 0,
          result: initialResult(probe),
          output: "",
          onHold: false,
          startedBy: meta.id,
          because: meta.id
        }
      }
    }
    case "ProbeSucceeded":
      return withAsked(state, meta, (asked) => {
        asked.last = "success"
        asked.run = event.consecutive
      })
    case "ProbeFailed":
      return withAsked(state, meta, (asked) => {
        asked.last = "failure"
        asked.run = event.consecutive
      })
    case "ProbeResultChanged":
      return withAsked(state, meta, (asked) => {
        asked.result = event.to
        asked.output = event.output
        if (event.probe !== "startup" && !(event.probe === "liveness" && event.to === "failure")) return
        asked.onHold = true
        asked.run = 0
      })
    case "ProbeStopped":
      return initialProbe
  }
}
