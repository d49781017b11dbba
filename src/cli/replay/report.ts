/** `chronode replay FILE --html OUT --perfetto OUT`: the incident as files to look at. Both are made in one reading. */

import { realpathSync } from "node:fs"
import { basename, resolve } from "node:path"
import { Effect, Result, Stream } from "effect"
import type { RecordedEvent } from "../../events/envelope.ts"
import { HtmlReport } from "../../reports/html/report.ts"
import { perfettoTrace } from "../../reports/perfetto.ts"
import { mayWrite, type ReportError, writeReport } from "../../reports/report-file.ts"
import type { Timeline } from "../../reports/timeline/model.ts"
import { TimelineBuilder } from "../../reports/timeline/timeline.ts"
import type { Execute } from "../command.ts"
import { upTo } from "../event-log/fold-log.ts"
import { type ChainedLog, type LogLine, lineMatcher, unreadableText } from "../event-log/log.ts"
import { type Moment, momentFlag } from "../event-log/moments.ts"
import { openChainedLog } from "../event-log/open-log.ts"
import { CommandFailed, exitCodes, UsageError } from "../exit.ts"
import { filterRemarks, parseFilter } from "../filter.ts"
import { progressOf } from "../progress.ts"
import { sentence } from "../render.ts"
import type { Terminal } from "../terminal.ts"
import { version } from "../version.ts"
import type { ReplayFlags } from "./flags.ts"

/** Events of one report: with more, browsers run out of memory before a person finds anything. */
const maxEvents = 500_000
/** Unreadable lines that are told one by one; all are counted. */
const maxTold = 20

interface Gathered {
  readonly timeline: Timeline
  readonly html: HtmlReport | undefined
  /** For each event what a trace shows of it; empty where no trace is wanted. */
  readonly details: ReadonlyArray<string>
  readonly unreadable: number
  readonly remarks: ReadonlyArray<string>
}

interface Written {
  readonly file: string
  readonly bytes: number
}

const samePlace = (a: string, b: string): boolean => {
  const real = (path: string): string => {
    try {
      return realpathSync(path)
    } catch {
      return resolve(path)
    }
  }
  return real(a) === real(b)
}

const checkPlaces = (file: string, { html, perfetto }: ReplayFlags): void => {
  for (const out of [html, perfetto])
    if (out !== undefined && samePlace(out, file)) throw new UsageError(`replay: ${out} is the incident itself`)
  if (html !== undefined && perfetto !== undefined && samePlace(html, perfetto))
    throw new UsageError(`replay: --html and --perfetto both name ${html}`)
}

const failed = (error: ReportError): CommandFailed =>
  new CommandFailed(error.message, error.reason === "Exists" ? "--force replaces it" : undefined)

const detail = (recorded: RecordedEvent, line: LogLine): string => {
  const { cause, event, id, sequence } = recorded
  const { _tag, ...fields } = event
  const data = _tag === "Unknown" && "data" in fields ? fields.data : fields
  return JSON.stringify({ sentence: sentence(recorded), id, sequence, cause, place: line.place, data })
}

const gather = (
  log: ChainedLog,
  until: Moment | undefined,
  isChosen: (line: LogLine) => boolean,
  flags: ReplayFlags,
  terminal: Terminal
): Effect.Effect<Gathered, CommandFailed> =>
  Effect.gen(function* () {
    const builder = new TimelineBuilder()
    const html = flags.html === undefined ? undefined : new HtmlReport()
    const details: Array<string> = []
    const remarks: Array<string> = []
    let unreadable = 0
    let broken: LogLine | undefined
    let events = 0
    const progress = progressOf(terminal, (done) => `${done} events …`)
    const take = (line: LogLine): Promise<unknown> | undefined => {
      if (line.broken !== undefined) broken ??= line
      if (Result.isFailure(line.event)) {
        unreadable += 1
        if (unreadable <= maxTold) terminal.note(`chronode: ${unreadableText(line)}`)
        return undefined
      }
      if (!isChosen(line)) return undefined
      const recorded = line.event.success
      builder.apply(recorded)
      events += 1
      if (flags.perfetto !== undefined) details.push(detail(recorded, line))
      return html?.add(sentence(recorded), line.line)
    }
    yield* Stream.runForEachArray(upTo(log, until), (lines) =>
      Effect.gen(function* () {
        for (const line of lines) {
          const room = take(line)
          if (room !== undefined) yield* Effect.promise(() => room)
        }
        if (events > maxEvents) return yield* Effect.fail(tooMany(log.name))
        progress(events)
      })
    )
    if (unreadable > maxTold) terminal.note(`chronode: ${unreadable} lines in all are no events`)
    if (unreadable > 0)
      remarks.push(`${linesText(unreadable)} of the file ${unreadable === 1 ? "is" : "are"} no event and not shown.`)
    if (broken !== undefined) {
      const why = `the hash chain is broken at ${broken.place}: ${broken.broken}`
      terminal.note(`chronode: ${why}`)
      remarks.push(`The log is not what it was: ${why}.`)
    }
    const chosen = chosenBy(flags)
    if (chosen !== "")
      remarks.push(`Only events chosen by ${chosen} are shown; others are left out, causes among them.`)
    if (flags.until !== undefined) remarks.push(`Shown up to ${flags.until}; the file may go on.`)
    return { timeline: builder.end(), html, details, unreadable, remarks }
  })

const chosenBy = ({ filter, pod, since, type }: ReplayFlags): string =>
  Object.entries({ pod, type, since, filter })
    .flatMap(([name, value]) => (value === undefined ? [] : [`--${name} ${value}`]))
    .join(", ")

const linesText = (count: number): string => `${count} ${count === 1 ? "line" : "lines"}`

const tooMany = (name: string): CommandFailed =>
  new CommandFailed(
    `${name} holds more than ${maxEvents} events, too many for one report`,
    "cut a slice first: chronode export --from FILE --out slice.ndjson --since … --until … (or --around EVENT-ID)"
  )

export const execute: Execute<ReplayFlags, [file: string]> = async ({ terminal }, flags, file) => {
  const { until: point, ...filterFlags } = flags
  const until = momentFlag("--until", point, terminal.now())
  const filter = await parseFilter(filterFlags, terminal.now())
  checkPlaces(file, flags)
  if (flags.speed !== undefined || flags.step === true)
    throw new UsageError("replay: --speed and --step are for what is shown as it comes; a report is written at once")
  const overwrite = flags.force === true
  const { gathered, written } = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        // Before the reading, which may be long.
        for (const out of [flags.html, flags.perfetto])
          if (out !== undefined) yield* Effect.mapError(mayWrite(out, overwrite), failed)
        const log = yield* openChainedLog(file, "")
        const gathered = yield* gather(log, until, lineMatcher(filter), flags, terminal)
        const { details, html, remarks, timeline } = gathered
        const written: Array<Written> = []
        const write = (out: string, pieces: Iterable<string> | AsyncIterable<string>) =>
          Effect.map(Effect.mapError(writeReport(out, pieces, overwrite), failed), (bytes) => {
            written.push({ file: out, bytes })
          })
        const facts = { file: basename(file), writtenBy: `chronode ${version}`, remarks }
        if (flags.html !== undefined && html !== undefined) yield* write(flags.html, html.pieces(timeline, facts))
        if (flags.perfetto !== undefined)
          yield* write(
            flags.perfetto,
            perfettoTrace(timeline, (event) => details[event] as string)
          )
        return { gathered, written }
      })
    )
  )
  for (const remark of filterRemarks(filter)) terminal.note(remark)
  const { totals } = gathered.timeline
  if (flags.output === "json") {
    const { node } = gathered.timeline
    terminal.out(`${JSON.stringify({ node, ...totals, unreadable: gathered.unreadable, written }, null, 2)}\n`)
  } else {
    const unknown = totals.unknown === 0 ? "" : `, ${totals.unknown} of types that this version does not know`
    for (const { bytes, file: out } of written)
      terminal.out(`${out}: ${totals.events} events${unknown}, ${sizeText(bytes)}\n`)
  }
  return gathered.unreadable === 0 ? exitCodes.good : exitCodes.failed
}

const sizeText = (bytes: number): string =>
  bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
