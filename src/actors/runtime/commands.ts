/** What the runtime observer tells the runtime's actor. */
import { Schema } from "effect"
import { HandlerFeatures } from "../../events/kinds/runtime.ts"

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

export const RuntimeCommand = Schema.Union([RuntimeAnswered, RuntimeFailed, OrphanSeen, OrphanGone])
export type RuntimeCommand = typeof RuntimeCommand.Type
