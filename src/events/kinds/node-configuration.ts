/** Facts about the node's configuration: with what the agent runs, and files that it could not take. */
import { Schema } from "effect"
import { defineEvent } from "../definition.ts"

const text = Schema.String
const opt = Schema.optionalKey

/** Where in a file something is wrong, and what. Line and column from 1; absent where it is about no place. */
export const ConfigurationProblem = Schema.Struct({
  line: opt(Schema.Int),
  column: opt(Schema.Int),
  /** `evictionHard.memory.available`; absent: the file as a whole. */
  field: opt(text),
  message: text
})

const list = (names: ReadonlyArray<string>): string => {
  const shown = names.slice(0, 8).join(", ")
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown
}

export const ConfigurationApplied = defineEvent("ConfigurationApplied", {
  kind: "node",
  severityOf: (e) => (e.needsRestart.length > 0 || e.notHonoured.length > 0 ? "WARN" : "INFO"),
  severity: "INFO",
  about:
    "The agent runs with this configuration, which is another than the one that was told last: at its start, or because its file was changed and read again (on SIGHUP, and when it is seen to be another).",
  fields: {
    reason: Schema.Literals(["Started", "Reloaded"]),
    /** Path of the file; absent: there is none. */
    file: opt(text),
    /** A KubeletConfiguration with v1beta1 names and all defaults, with what flags say over it. Values of headers and credentials in addresses are left out. */
    configuration: Schema.Record(text, Schema.Json),
    /** Level of the agent's own log. */
    logLevel: text,
    /** Fields that are another than in the configuration that was told last; at the first one: than the defaults. */
    changed: Schema.Array(text),
    /** Fields that the file changed and that count from the next start on; `configuration` has them as they were. */
    needsRestart: Schema.Array(text),
    /** Fields that the file sets and that are not acted on. */
    notHonoured: Schema.Array(text),
    /** Fields that were left out of `configuration` because it was too large; absent: none. */
    omitted: opt(Schema.Array(text))
  },
  tell: (e) =>
    [
      `${e.reason === "Started" ? "configured" : "configured anew"}${e.file === undefined ? "" : ` by ${e.file}`}`,
      ...(e.changed.length === 0 ? [] : [`changed: ${list(e.changed)}`]),
      ...(e.needsRestart.length === 0 ? [] : [`from the next start on: ${list(e.needsRestart)}`]),
      ...(e.notHonoured.length === 0 ? [] : [`not acted on: ${list(e.notHonoured)}`])
    ].join("; ")
})

export const ConfigurationRejected = defineEvent("ConfigurationRejected", {
  kind: "node",
  severity: "ERROR",
  about:
    "The configuration's file was changed, and cannot be taken: the agent runs on with what it had. Told once for each text of the problems, until the file is right again (ConfigurationApplied).",
  fields: {
    file: text,
    /** At most 16, the first ones. */
    problems: Schema.Array(ConfigurationProblem),
    /** How many there are. */
    count: Schema.Int
  },
  tell: ({ file, problems: [first], count }) =>
    `${file}${first?.line === undefined ? "" : `:${first.line}`} is not taken: ${first?.field === undefined ? "" : `${first.field}: `}${first?.message}${count > 1 ? ` (and ${count - 1} more)` : ""}`
})

export const nodeConfigurationEvents = [ConfigurationApplied, ConfigurationRejected] as const
