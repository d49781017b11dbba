/** What a volume's actor can be told: by its pod, by the outcome of its own work, and by the clock. */
import { Schema } from "effect"
import { Volume } from "../../events/pod-spec.ts"
import { TimerFired } from "../kernel/behavior.ts"

const text = Schema.String
const at = Schema.Finite

export const MountVolume = Schema.TaggedStruct("MountVolume", {
  at,
  podUid: text,
  /** `namespace/name` */
  podPath: text,
  volume: Volume,
  fsGroup: Schema.optionalKey(Schema.Int)
})
export type MountVolume = typeof MountVolume.Type
export const UnmountVolume = Schema.TaggedStruct("UnmountVolume", { at, podUid: text })

/** An object that the volume takes files from has changed, has come or is gone. */
export const RefreshVolume = Schema.TaggedStruct("RefreshVolume", { at, podUid: text })
export type RefreshVolume = typeof RefreshVolume.Type

export const MountSucceeded = Schema.TaggedStruct("MountSucceeded", {
  at,
  podUid: text,
  path: text,
  /** Of a volume of files: what they are. */
  hash: Schema.optionalKey(text)
})
export const MountFailed = Schema.TaggedStruct("MountFailed", {
  at,
  podUid: text,
  message: text,
  /** The files that were there are still there. */
  kept: Schema.optionalKey(Schema.Literal(true)),
  /** Nothing helps but a change of an object, which is told. */
  awaitsObject: Schema.optionalKey(Schema.Literal(true))
})
export const UnmountSucceeded = Schema.TaggedStruct("UnmountSucceeded", { at, podUid: text })
export const UnmountFailed = Schema.TaggedStruct("UnmountFailed", { at, podUid: text, message: text })

export const VolumeCommand = Schema.Union([
  MountVolume,
  UnmountVolume,
  RefreshVolume,
  MountSucceeded,
  MountFailed,
  UnmountSucceeded,
  UnmountFailed,
  TimerFired
])
export type VolumeCommand = typeof VolumeCommand.Type
