/** Facts about containers' log files. One actor per container whose log is being rotated. */
import { Schema } from "effect"
import { defineEvent, Timestamp } from "../definition.ts"

const text = Schema.String

export const LogRotationRequested = defineEvent("LogRotationRequested", {
  kind: "log",
  severity: "DEBUG",
  about: "A container's log is larger than it may be (containerLogMaxSize); it is to be set aside and a new one begun.",
  fields: {
    podUid: text,
    container: text,
    containerId: text,
    attempt: Schema.Int,
    /** File that the runtime writes. */
    path: text,
    sizeBytes: Schema.Int
  },
  tell: (e) => `the log of ${e.container} has ${e.sizeBytes} bytes: it is set aside`
})

export const LogRotated = defineEvent("LogRotated", {
  kind: "log",
  about: "The container's log was set aside under another name, and the runtime writes a new one.",
  fields: {
    container: text,
    containerId: text,
    /** Absent where an earlier life of the agent gave it its new name. */
    rotatedPath: Schema.optionalKey(text)
  },
  tell: (e) =>
    `the log of ${e.container} was set aside${e.rotatedPath === undefined ? "" : ` as ${e.rotatedPath.split("/").at(-1)}`}`
})

export const LogRotationFailed = defineEvent("LogRotationFailed", {
  kind: "log",
  severity: "ERROR",
  about:
    "The container's log could not be set aside; the runtime goes on writing into it. It is tried again after a back-off of 10 s, doubling to 300 s.",
  fields: { container: text, containerId: text, message: text, failures: Schema.Int, retryAt: Timestamp },
  tell: (e) => `the log of ${e.container} could not be set aside: ${e.message}`
})

export const LogRotationDropped = defineEvent("LogRotationDropped", {
  kind: "log",
  severity: "DEBUG",
  about: "The container ended before its log was set aside: it does not grow any more.",
  fields: { container: text, containerId: text },
  tell: (e) => `the log of ${e.container} stays as it is: the container ended`
})

export const logEvents = [LogRotationRequested, LogRotated, LogRotationFailed, LogRotationDropped] as const
