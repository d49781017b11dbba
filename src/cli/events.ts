/** `chronode events` */
import { Effect, Result, Stream } from "effect"
import type { Execute } from "./command.ts"
import { type LogLine, unreadableText } from "./event-log/log.ts"
import { openLog, type SourceFlags } from "./event-log/open-log.ts"
import { exitCodes } from "./exit.ts"
import { type FilterFlags, filterRemarks, parseFilter } from "./filter.ts"
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
  const follow = flags.follow === true
  const paint = painter(terminal.colours)
  let unreadable = 0
  const print = (printed: LogLine): void => {
    const { event, line } = printed
    if (Result.isFailure(event)) {
      unreadable += 1
      terminal.note(`chronode: ${unreadableText(printed)}`)
    } else terminal.out(flags.output === "json" ? `${line}\n` : `${eventLine(event.success, paint)}\n`)
  }
  const printing = Effect.gen(function* () {
    const log = yield* openLog(context, flags)
    yield* Stream.runForEachArray(log.read(filter, follow), (lines) =>
      Effect.sync(() => {
        for (const line of lines) print(line)
        if (follow) terminal.flush()
      })
    )
  })
  await untilInterrupted(Effect.scoped(printing), follow)
  for (const remark of filterRemarks(filter)) terminal.note(remark)
  return unreadable === 0 ? exitCodes.good : exitCodes.failed
}
