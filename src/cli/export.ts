/** `chronode export --out FILE` */

import { Effect, Stream } from "effect"
import type { IncidentError } from "../events/incident/format.ts"
import { writeIncident } from "../events/incident/writer.ts"
import type { Execute } from "./command.ts"
import { type EventLog, noEvent } from "./event-log/log.ts"
import { openChainedLog } from "./event-log/open-log.ts"
import { cutSlice } from "./event-log/slice.ts"
import { CommandFailed, exitCodes, UsageError } from "./exit.ts"
import { type EventFilter, type FilterFlags, filterRemarks, filterWords, parseFilter } from "./filter.ts"
import { progressOf } from "./progress.ts"
import { parseLength } from "./times.ts"
import { version } from "./version.ts"

interface ExportFlags extends FilterFlags {
  readonly out: string
  readonly from: string
  readonly force?: boolean
  readonly around?: string
  readonly window?: string
  readonly dataDir: string
  readonly output: "text" | "json"
}

/** Milliseconds before and after the event that a slice is taken around. */
const defaultWindow = 5 * 60_000

/** Names that promise a file which this program neither writes nor reads. */
const foreignName = /\.(gz|xz|bz2|zip|lz4|br)$/iu

const checkName = (out: string): void => {
  const ending = foreignName.exec(out)?.[0]
  if (ending !== undefined)
    throw new UsageError(`--out: no ${ending} files are written; name it .ndjson, or .ndjson.zst to have it packed`)
}

const windowOf = ({ around, window, since, until }: ExportFlags): number => {
  if (around === undefined && window !== undefined)
    throw new UsageError("--window: around which event? add --around ID")
  if (around !== undefined && (since !== undefined || until !== undefined))
    throw new UsageError("--around stands for --since and --until: give one or the other")
  if (window === undefined) return defaultWindow
  const length = parseLength(window)
  if (length === undefined) throw new UsageError(`--window: '${window}' is no length of time; write 30s, 5m or 1h`)
  return length
}

/** The filter, with the span of time around the event that was named. */
const narrowed = (log: EventLog, filter: EventFilter, around: string | undefined, window: number) =>
  around === undefined
    ? Effect.succeed(filter)
    : Effect.flatMap(log.find(around), (event) => {
        if (event === undefined) return Effect.fail(noEvent(around, log.name))
        const at = Date.parse(event.time)
        return Effect.succeed<EventFilter>({ ...filter, since: at - window, until: at + window })
      })

/** Whether what is taken of an actor is all of it, so that its decisions can be taken again. */
const isStory = ({ pod, types, condition }: EventFilter): boolean =>
  pod !== undefined && types === undefined && condition === undefined

const failed = (error: IncidentError): CommandFailed =>
  new CommandFailed(error.message, error.reason === "Exists" ? "--force replaces it" : undefined)

export const execute: Execute<ExportFlags, []> = async ({ terminal }, flags) => {
  const now = terminal.now()
  checkName(flags.out)
  const wanted = await parseFilter(flags, now)
  const window = windowOf(flags)
  const progress = progressOf(terminal, (events) => `${events} events …`)
  const header = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const log = yield* openChainedLog(flags.from, flags.dataDir)
        const filter = yield* narrowed(log, wanted, flags.around, window)
        const asked = filterWords(filter)
        const words = Object.keys(log.filter).length === 0 ? asked : { ...asked, of: log.filter }
        const slice = yield* cutSlice(log, filter)
        const origin = {
          node: log.node,
          chronodeVersion: version,
          filter: words,
          exportedAt: now,
          ...(slice === undefined ? {} : { configuration: slice.configuration }),
          ...(slice?.first === undefined ? {} : { first: slice.first })
        }
        const { since: _, until: __, ...ofWhat } = filter
        const rows = slice === undefined ? Stream.empty : log.rows({ ...ofWhat, starts: isStory(filter) }, slice.span)
        return yield* writeIncident(flags.out, origin, rows, { overwrite: flags.force === true, progress })
      })
    ).pipe(Effect.mapError((error) => (error instanceof CommandFailed ? error : failed(error))))
  )
  for (const remark of filterRemarks(wanted)) terminal.note(remark)
  const { events = 0, firstSequence, lastSequence } = header
  if (flags.output === "json") terminal.out(`${JSON.stringify({ file: flags.out, ...header }, null, 2)}\n`)
  else {
    const span =
      events === 0 ? "no events: nothing matched" : `${events} events, sequences ${firstSequence} to ${lastSequence}`
    terminal.out(`${flags.out}: ${span}\n`)
  }
  return exitCodes.good
}
