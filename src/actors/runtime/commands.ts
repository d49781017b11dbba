/** What the runtime observer tells the runtime's actor. */
import { Schema } from "effect"
import {
  GarbageFound,
  GarbageKept,
  GarbageRemoved,
  HandlerFeatures,
  RuntimeUnhealthy
} from "../../events/kinds/runtime.ts"

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

/** It stays after all. */
export const GarbageLeft = Schema.TaggedStruct("GarbageLeft", { at, ...GarbageKept.fields })

/** The images of the node that no container uses and nobody pinned, and the disk that they are on. */
export const ImagesSurveyed = Schema.TaggedStruct("ImagesSurveyed", {
  at,
  /** Eviction: as much as can go is to go, whatever room there is. */
  by: Schema.Literals(["Period", "Eviction"]),
  /** Bytes; absent: the runtime or the disk does not tell. */
  disk: Schema.optionalKey(Schema.Struct({ capacity: Schema.Int, available: Schema.Int })),
  policy: Schema.Struct({
    highThresholdPercent: Schema.Finite,
    lowThresholdPercent: Schema.Finite,
    /** Milliseconds. */
    minAge: Schema.Finite,
    maxAge: Schema.Finite
  }),
  /** When looking began, milliseconds since the epoch. */
  since: Schema.Finite,
  /** Those unused for the longest time first; at most `maxSurveyedImages`. */
  unused: Schema.Array(
    Schema.Struct({
      id: text,
      /** One of its names; empty: it has none. */
      name: text,
      /** Bytes. */
      size: Schema.Int,
      /** Milliseconds since the epoch; absent: it was there before anybody looked. */
      firstDetected: Schema.optionalKey(Schema.Finite),
      /** Absent: never. */
      lastUsed: Schema.optionalKey(Schema.Finite)
    })
  )
})

/** How the look at all containers goes. `calls`: those without an answer, and since when. */
export const RuntimeHealthSeen = Schema.TaggedStruct("RuntimeHealthSeen", {
  at,
  lastRelist: RuntimeUnhealthy.fields.lastRelist,
  /** False: `lastRelist` is when looking began. */
  isRelisted: Schema.Boolean,
  calls: RuntimeUnhealthy.fields.calls
})

export const RuntimeCommand = Schema.Union([
  RuntimeHealthSeen,
  RuntimeAnswered,
  RuntimeFailed,
  OrphanSeen,
  OrphanGone,
  GarbageSeen,
  GarbageGone,
  GarbageLeft,
  ImagesSurveyed
])
export type RuntimeCommand = typeof RuntimeCommand.Type
export type CommandOf<Tag extends RuntimeCommand["_tag"]> = Extract<RuntimeCommand, { readonly _tag: Tag }>
