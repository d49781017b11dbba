/** The agent's log: lines on stderr, for people or (`--log-format json`) for machines. Events are logged as they commit. */
import { styleText } from "node:util"
import { Layer, Logger, References } from "effect"
import { actorPath } from "../../events/actor-id.ts"
import { type NodeEvent, tell } from "../../events/catalogue.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { oneLine } from "../text.ts"
import type { LogFormat, LogLevel } from "./agent-options.ts"

const rank: Readonly<Record<string, number>> = { TRACE: 0, DEBUG: 1, INFO: 2, WARN: 3, ERROR: 4, FATAL: 5 }

interface Line {
  /** RFC 3339 */
  readonly time: string
  readonly level: string
  /** `pod/default/web`; empty for the agent itself. */
  readonly actor: string
  readonly event?: string
  readonly message: string
}

const coloured = process.stderr.isTTY === true && (process.env.NO_COLOR ?? "") === ""
const paint = (style: "red" | "yellow" | "cyan" | "bold", words: string): string =>
  coloured ? styleText(style, words, { validateStream: false }) : words

const text = ({ time, level, actor, event, message }: Line): string => {
  const clock = new Date(time).toTimeString().slice(0, 8)
  const word =
    level === "WARN"
      ? paint("yellow", "WARN ")
      : level === "ERROR" || level === "FATAL"
        ? paint("red", "ERROR")
        : level.padEnd(5)
  const head = actor === "" ? "agent" : actor.replaceAll("/", " ").replace(" _ ", " ")
  return `${clock} ${word} ${paint("cyan", head)} ${event === undefined ? "" : `${paint("bold", event)} `}${oneLine(message)}\n`
}

const shown = (format: LogFormat, line: Line): string => (format === "json" ? `${JSON.stringify(line)}\n` : text(line))

const write = (format: LogFormat, line: Line): void => {
  process.stderr.write(shown(format, line))
}

/** The last line of a log: why an agent did not come to run. */
export const logRefusal = (format: LogFormat, message: string): void =>
  write(format, { time: new Date().toISOString(), level: "FATAL", actor: "", message })

/** What is logged at least; may change while the agent runs. */
export interface LogThreshold {
  level: LogLevel
}

const isBelow = (severity: string, { level }: LogThreshold): boolean =>
  (rank[severity] ?? 2) < (rank[level.toUpperCase()] ?? 2)

/** Effect's logger, writing our lines. */
export const logLayer = (format: LogFormat, threshold: LogThreshold): Layer.Layer<never> =>
  Layer.merge(
    Logger.layer([
      Logger.make(({ date, logLevel, message, cause }) => {
        if (isBelow(logLevel.toUpperCase(), threshold)) return
        const words = (Array.isArray(message) ? message : [message]).map((part) =>
          typeof part === "string" ? part : part instanceof Error ? part.message : JSON.stringify(part)
        )
        const failures = cause.reasons.map((reason) =>
          String("error" in reason ? reason.error : "defect" in reason ? reason.defect : reason._tag)
        )
        const joined = [...words, ...failures].join(" ")
        write(format, { time: date.toISOString(), level: logLevel.toUpperCase(), actor: "", message: joined })
      })
    ]),
    Layer.succeed(References.MinimumLogLevel, "Trace")
  )

/** Logs committed events of the wanted severity and above. */
export const logEvents =
  (format: LogFormat, threshold: LogThreshold) =>
  (events: ReadonlyArray<RecordedEvent<NodeEvent>>): void => {
    let lines = ""
    for (const { severity, time, actor, event } of events) {
      if (isBelow(severity, threshold)) continue
      const line = { time, level: severity, actor: actorPath(actor), event: event._tag, message: tell(event) }
      lines += shown(format, line)
    }
    if (lines !== "") process.stderr.write(lines)
  }
