/** Facts about probes. One actor per probe of a container. */
import { Schema } from "effect"
import { defineEvent, Timestamp } from "../definition.ts"
import { Probe } from "../pod-spec.ts"

const text = Schema.String
export const ProbeType = Schema.Literals(["liveness", "readiness", "startup"])
export type ProbeType = typeof ProbeType.Type
export const ProbeResult = Schema.Literals(["unknown", "success", "failure"])
export type ProbeResult = typeof ProbeResult.Type

const place = { podUid: text, container: text, containerId: text, probe: ProbeType }

export const ProbeStarted = defineEvent("ProbeStarted", {
  kind: "probe",
  about: "A container that this probe watches runs; the probe is asked every period from now on.",
  fields: {
    ...place,
    /** Names of ports are replaced by their numbers. */
    spec: Probe,
    host: text,
    /** What is asked, for people: `GET http://10.0.0.3:8080/healthz`. */
    target: text,
    /** When the container started: the initial delay counts from here. */
    startedAt: Schema.optionalKey(Timestamp)
  },
  tell: (e) => `${e.probe} probe of ${e.container} started: ${e.target}`
})

export const ProbeSucceeded = defineEvent("ProbeSucceeded", {
  kind: "probe",
  severity: "DEBUG",
  about:
    "One success that counts towards the success threshold, ends a row of failures, or is the first answer. Further ones change nothing and are not written.",
  fields: {
    ...place,
    consecutive: Schema.Int,
    threshold: Schema.Int,
    output: text,
    /** Milliseconds. */ duration: Schema.Int
  },
  tell: (e) => `${e.probe} probe of ${e.container} succeeded (${e.consecutive}/${e.threshold})`
})

export const ProbeFailed = defineEvent("ProbeFailed", {
  kind: "probe",
  severity: "WARN",
  about:
    "One failure that counts towards the failure threshold, ends a row of successes, or is the first answer. Further ones change nothing and are not written.",
  fields: {
    ...place,
    consecutive: Schema.Int,
    threshold: Schema.Int,
    /** What the probe saw, at most 1 KiB. */
    output: text,
    timedOut: Schema.Boolean,
    duration: Schema.Int
  },
  tell: (e) => `${e.probe} probe of ${e.container} failed (${e.consecutive}/${e.threshold}): ${e.output}`
})

export const ProbeResultChanged = defineEvent("ProbeResultChanged", {
  kind: "probe",
  about: "A threshold was reached: what the probe says of its container changed.",
  fields: {
    ...place,
    from: ProbeResult,
    to: ProbeResult,
    consecutive: Schema.Int,
    threshold: Schema.Int,
    output: text
  },
  tell: (e) => `${e.probe} of ${e.container}: ${e.from} → ${e.to} after ${e.consecutive} in a row: ${e.output}`
})

export const ProbeStopped = defineEvent("ProbeStopped", {
  kind: "probe",
  severity: "DEBUG",
  about: "The probe is asked no more.",
  fields: { ...place, reason: text },
  tell: (e) => `${e.probe} probe of ${e.container} stopped: ${e.reason}`
})

export const probeEvents = [ProbeStarted, ProbeSucceeded, ProbeFailed, ProbeResultChanged, ProbeStopped] as const
