/** What the node's actor is told: by the agent about itself, by the journal about its room. */
import { Schema } from "effect"
import { CgroupValues } from "../../events/cgroup-values.ts"
import { NodeStarted, TierName } from "../../events/kinds/node.ts"

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

export const NodeCommand = Schema.Union([
  AgentStarted,
  AgentStopping,
  SpaceReported,
  JournalCut,
  TiersCounted,
  TierApplied
])
export type NodeCommand = typeof NodeCommand.Type
