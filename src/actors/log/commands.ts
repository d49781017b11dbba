/** What a log's actor is told: by the observer of sizes, and by its own rotation. */
import { Schema } from "effect"
import { LogRotationRequested } from "../../events/kinds/log.ts"
import { TimerFired } from "../kernel/behavior.ts"

const text = Schema.String
const at = Schema.Finite

/** The log is larger than it may be. Becomes `LogRotationRequested` as it is. */
export const LogGrew = Schema.TaggedStruct("LogGrew", { at, ...LogRotationRequested.fields })
export const RotationDone = Schema.TaggedStruct("RotationDone", {
  at,
  containerId: text,
  rotatedPath: Schema.optionalKey(text)
})
export const RotationFailed = Schema.TaggedStruct("RotationFailed", { at, containerId: text, message: text })
/** The container does not run any more. */
export const RotationPointless = Schema.TaggedStruct("RotationPointless", { at, containerId: text })

export const LogCommand = Schema.Union([LogGrew, RotationDone, RotationFailed, RotationPointless, TimerFired])
export type LogCommand = typeof LogCommand.Type
