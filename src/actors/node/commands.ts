/** What the node's actor is told: by the agent about itself, by the journal about its room. */
import { Schema } from "effect"
import { NodeStarted } from "../../events/kinds/node.ts"

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

export const NodeCommand = Schema.Union([AgentStarted, AgentStopping, SpaceReported, JournalCut])
export type NodeCommand = typeof NodeCommand.Type
