/** What the node's actor is told: by the agent about itself, by the journal about its room. */
import { Schema } from "effect"
import { CgroupValues } from "../../events/cgroup-values.ts"
import { NodeStarted, TierName } from "../../events/kinds/node.ts"
import { ConfigurationApplied, ConfigurationRejected } from "../../events/kinds/node-configuration.ts"
import { NodeDescription, NodeShutdownStarted, PressureCondition } from "../../events/kinds/node-health.ts"

const text = Schema.String
const at = Schema.Finite

/** Becomes `NodeStarted` as it is. */
export const AgentStarted = Schema.TaggedStruct("AgentStarted", { at, ...NodeStarted.fields })
export const AgentStopping = Schema.TaggedStruct("AgentStopping", { at, reason: text })
export const SpaceReported = Schema.TaggedStruct("SpaceReported", {
  at,
  state: Schema.Literals(["ok", "low", "full"]),
  freeBytes: Schema.Int
})
export const JournalCut = Schema.TaggedStruct("JournalCut", {
  at,
  throughSequence: Schema.Int,
  events: Schema.Int,
  hash: text
})

/** The cgroups above the pods, as the pods of the moment want them. */
export const TiersCounted = Schema.TaggedStruct("TiersCounted", {
  at,
  tiers: Schema.Array(Schema.Struct({ tier: TierName, path: text, values: CgroupValues })),
  /** Pods that were counted. */
  pods: Schema.Int
})
/** What became of setting one of them in the kernel. `made`: it was not there; `again`: it was set once already. */
export const TierApplied = Schema.TaggedStruct("TierApplied", {
  at,
  path: text,
  outcome: Schema.Literals(["applied", "failed"]),
  made: Schema.optionalKey(Schema.Boolean),
  again: Schema.optionalKey(Schema.Boolean),
  message: Schema.optionalKey(text)
})

/** What the node is and has, as it was seen. */
export const NodeSeen = Schema.TaggedStruct("NodeSeen", { at, description: NodeDescription })
/** What speaks against the node being ready, in kubelet's words; told every 10 s. */
export const StatusObserved = Schema.TaggedStruct("StatusObserved", {
  at,
  runtimeErrors: Schema.Array(text),
  networkErrors: Schema.Array(text)
})
/** By whoever watches what the node has left. `because`: id of the event that led to it, where that is not the command's cause. */
export const PressureReported = Schema.TaggedStruct("PressureReported", {
  at,
  condition: PressureCondition,
  isUnderPressure: Schema.Boolean,
  because: Schema.optionalKey(text)
})
export type PressureReported = typeof PressureReported.Type

/** `by`: who asks, e.g. `root (uid 0)`. */
export const CordonNode = Schema.TaggedStruct("CordonNode", { at, by: text })
export const UncordonNode = Schema.TaggedStruct("UncordonNode", { at, by: text })
export const DrainNode = Schema.TaggedStruct("DrainNode", {
  at,
  by: text,
  /** Seconds, in place of the pods' own; absent: each has its own. */
  gracePeriodSeconds: Schema.optionalKey(Schema.Int),
  /** Seconds after which it is given up; absent: never. */
  timeoutSeconds: Schema.optionalKey(Schema.Finite),
  selector: Schema.optionalKey(text),
  /** Pods that are to end. */
  pods: Schema.Int
})
/** What a drain has come to: `left` are the first names of those that are left. */
export const DrainEnded = Schema.TaggedStruct("DrainEnded", {
  at,
  outcome: Schema.Literals(["drained", "timeout"]),
  left: Schema.Array(text),
  leftCount: Schema.Int
})

/** What became of asking logind to wait at shutdown. */
export const InhibitorReported = Schema.TaggedStruct("InhibitorReported", {
  at,
  outcome: Schema.Literals(["taken", "failed"]),
  /** Seconds. */
  delayLimitSeconds: Schema.optionalKey(Schema.Finite),
  gracePeriodSeconds: Schema.optionalKey(Schema.Finite),
  message: Schema.optionalKey(text)
})
/** logind is about to shut down, or is not any more. `groups`: lowest priority first, with the pods that are there. */
export const ShutdownAnnounced = Schema.TaggedStruct("ShutdownAnnounced", {
  at,
  active: Schema.Boolean,
  groups: NodeShutdownStarted.fields.groups
})
export const ShutdownGroupEnded = Schema.TaggedStruct("ShutdownGroupEnded", {
  at,
  priority: Schema.Int,
  left: Schema.Array(text),
  leftCount: Schema.Int
})

/** With what the agent runs now. `beside`: fields that are another than the defaults. */
export const ConfigurationRead = Schema.TaggedStruct("ConfigurationRead", {
  at,
  reason: ConfigurationApplied.fields.reason,
  file: ConfigurationApplied.fields.file,
  configuration: ConfigurationApplied.fields.configuration,
  logLevel: ConfigurationApplied.fields.logLevel,
  needsRestart: ConfigurationApplied.fields.needsRestart,
  notHonoured: ConfigurationApplied.fields.notHonoured,
  omitted: ConfigurationApplied.fields.omitted,
  beside: ConfigurationApplied.fields.changed
})
/** Its file was read again, and cannot be taken. */
export const ConfigurationRefused = Schema.TaggedStruct("ConfigurationRefused", {
  at,
  ...ConfigurationRejected.fields
})

export const NodeCommand = Schema.Union([
  AgentStarted,
  AgentStopping,
  SpaceReported,
  JournalCut,
  TiersCounted,
  TierApplied,
  NodeSeen,
  StatusObserved,
  PressureReported,
  CordonNode,
  UncordonNode,
  DrainNode,
  DrainEnded,
  InhibitorReported,
  ShutdownAnnounced,
  ShutdownGroupEnded,
  ConfigurationRead,
  ConfigurationRefused
])
export type NodeCommand = typeof NodeCommand.Type
export type CommandOf<Tag extends NodeCommand["_tag"]> = Extract<NodeCommand, { readonly _tag: Tag }>
