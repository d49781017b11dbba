/** What a probe's actor can be told: by its pod, and by its own asking. */
import { Schema } from "effect"
import { Timestamp } from "../../events/definition.ts"
import { ProbeType } from "../../events/kinds/probe.ts"
import { Probe } from "../../events/pod-spec.ts"

const text = Schema.String
const at = Schema.Finite

/** The container runs: it is to be asked from now on. The same container again is no news. */
export const StartProbe = Schema.TaggedStruct("StartProbe", {
  at,
  podUid: text,
  /** `namespace/name` */
  pod: text,
  container: text,
  containerId: text,
  probe: ProbeType,
  /** In its recorded form. */
  spec: Probe,
  /** The pod's address. */
  host: text,
  /** Ports of the container that have names. */
  ports: Schema.Record(text, Schema.Int),
  startedAt: Timestamp
})
export type StartProbe = typeof StartProbe.Type
export const StopProbe = Schema.TaggedStruct("StopProbe", { at, reason: text })
/** `error`: it could not be asked; that says nothing of the container. */
export const ProbeObserved = Schema.TaggedStruct("ProbeObserved", {
  at,
  containerId: text,
  result: Schema.Literals(["success", "failure", "error"]),
  output: text,
  timedOut: Schema.Boolean,
  /** Milliseconds. */
  duration: Schema.Int
})
export type ProbeObserved = typeof ProbeObserved.Type

export const ProbeCommand = Schema.Union([StartProbe, StopProbe, ProbeObserved])
export type ProbeCommand = typeof ProbeCommand.Type
