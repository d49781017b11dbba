/** What a node had left when a pod was asked for: the evidence of its admission. */
import { Schema } from "effect"

const text = Schema.String

/** A pod that has to go for another one. */
export const PreemptedPod = Schema.Struct({
  namespace: text,
  name: text,
  uid: text,
  priority: Schema.Int,
  qosClass: Schema.Literals(["Guaranteed", "Burstable", "BestEffort"])
})
export type PreemptedPod = typeof PreemptedPod.Type

/** What a pod's admission is decided on, as it was when the pod was asked for. Amounts as text. */
export const NodeRoom = Schema.Struct({
  /** By resource: `cpu`, `memory`; what is not named here is not limited. */
  allocatable: Schema.Record(text, text),
  /** What the other pods of the node request. */
  used: Schema.Record(text, text),
  maxPods: Schema.Int,
  /** Pods that are there already. */
  pods: Schema.Int,
  labels: Schema.Record(text, text),
  /** Pods of lower priority whose end would make room for one that does not fit (`pkg/kubelet/preemption`). */
  preempt: Schema.optionalKey(Schema.Array(PreemptedPod)),
  /** The node is under pressure: MemoryPressure, DiskPressure, PIDPressure; absent: it is not. */
  pressure: Schema.optionalKey(Schema.Array(text)),
  /** Id of the event that told of it. */
  pressureBecause: Schema.optionalKey(text),
  /** Those of the pod's host ports that others have: `TCP 0.0.0.0:80 (default/web)`. */
  takenPorts: Schema.Array(text),
  /** Kernel parameters that pods may set, as names and prefixes with `*`; only for a pod that sets some. */
  sysctls: Schema.optionalKey(Schema.Array(text)),
  /** Whether the host enforces AppArmor; only for a pod that asks for a profile. */
  appArmor: Schema.optionalKey(Schema.Boolean),
  /** Whether the runtime keeps `supplementalGroupsPolicy`; only for a pod that asks for Strict. */
  supplementalGroupsPolicy: Schema.optionalKey(Schema.Boolean)
})
export type NodeRoom = typeof NodeRoom.Type
