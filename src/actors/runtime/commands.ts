/** What the runtime observer tells the runtime's actor. */
import { Schema } from "effect"
import { GarbageFound, GarbageRemoved, HandlerFeatures } from "../../events/kinds/runtime.ts"

const text = Schema.String
const at = Schema.Finite

export const RuntimeAnswered = Schema.TaggedStruct("RuntimeAnswered", {
  at,
  endpoint: text,
  name: text,
  version: text,
  apiVersion: text,
  events: Schema.Boolean,
  cgroupDriver: Schema.Literals(["cgroupfs", "systemd", "unknown"]),
  conditions: Schema.Array(Schema.Struct({ type: text, status: Schema.Boolean, reason: text, message: text })),
  /** Absent in logs of agents that did not ask. */
  handlers: Schema.optionalKey(Schema.Array(HandlerFeatures)),
  supplementalGroupsPolicy: Schema.optionalKey(Schema.Boolean)
})
export const RuntimeFailed = Schema.TaggedStruct("RuntimeFailed", { at, endpoint: text, message: text })
export const OrphanSeen = Schema.TaggedStruct("OrphanSeen", {
  at,
  sandboxId: text,
  namespace: text,
  name: text,
  uid: text
})
export const OrphanGone = Schema.TaggedStruct("OrphanGone", { at, sandboxId: text })

/** Things that nobody needs any more, told in one piece. */
export const GarbageSeen = Schema.TaggedStruct("GarbageSeen", {
  at,
  found: Schema.Array(Schema.Struct(GarbageFound.fields))
})
export const GarbageGone = Schema.TaggedStruct("GarbageGone", { at, ...GarbageRemoved.fields })

export const RuntimeCommand = Schema.Union([
  RuntimeAnswered,
  RuntimeFailed,
  OrphanSeen,
  OrphanGone,
  GarbageSeen,
  GarbageGone
])
export type RuntimeCommand = typeof RuntimeCommand.Type
