/** `chronode events` */
import { Effect, Result, Stream } from "effect"
import type { Execute } from "./command.ts"
import { type EventLog, type LogLine, unreadableText } from "./event-log/log.ts"
import { openLog, type SourceFlags } from "./event-log/open-log.ts"
import { exitCodes } from "./exit.ts"
import { type FilterFlags, filterRemarks, parseFilter, selectionOf } from "./filter.ts"
import { readerLeft, timeOver } from "./follow-end.ts"
import { eventLine } from "./render.ts"
import { untilInterrupted } from "./signals.ts"
import { painter } from "./text.ts"

interface EventsFlags extends FilterFlags, SourceFlags {
  readonly follow?: boolean
  readonly output: "text" | "json"
}

export const execute: Execute<EventsFlags, []> = async (context, flags) => {
  const { terminal } = context
  const filter = await parseFilter(flags, terminal.now())
  const { until } = selectionOf(filter)
  // What is over has no end to wait for.
  const follow = flags.follow === true && (until === undefined || until > terminal.now())
  const readsTwice = follow && until !== undefined
  const paint = painter(terminal.colours)
  /** Places of lines that are no events. */
  const unreadable = new Set<string>()
  /** The last sequence that was printed of each node: each node's events come in order. */
  const printed = new Map<string, number>()
  const print = (shown: LogLine): void => {
    const { event, line, place } = shown
    if (Result.isFailure(event)) {
      if (unreadable.has(place)) return
      unreadable.add(place)
      terminal.note(`chronode: ${unreadableText(shown)}`)
      return
    }
    const { node, sequence } = event.success
    if (readsTwice && sequence <= (printed.get(node) ?? 0)) return
    if (readsTwice) printed.set(node, sequence)
    terminal.out(flags.output === "json" ? `${line}\n` : `${eventLine(event.success, paint)}\n`)
  }
  const reading = (log: EventLog, isLive: boolean) =>
    Stream.runForEachArray(log.read(filter, isLive), (lines) =>
      Effect.sync(() => {
        for (const line of lines) print(line)
        if (follow) terminal.flush()
      })
    )
  const printing = Effect.gen(function* () {
    const log = yield* openLog(context, flags)
    if (!readsTwice) return yield* reading(log, follow)
    yield* Effect.raceFirst(reading(log, true), timeOver(until, terminal.now))
    // What it had not come to yet when the time was over.
    yield* reading(log, false)
  })
  const ends = follow ? [readerLeft(context.neighbours)] : []
  await untilInterrupted(Effect.raceAllFirst([Effect.scoped(printing), ...ends]), follow)
  for (const remark of filterRemarks(filter)) terminal.note(remark)
  return unreadable.size === 0 ? exitCodes.good : exitCodes.failed
}
