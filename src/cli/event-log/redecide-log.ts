/** Decides a log again, up to the first difference or to its end. */
import { Effect, Result, Stream } from "effect"
import type { Redecision } from "../../actors/kernel/redecide.ts"
import type { CommandFailed } from "../exit.ts"
import type { LogLine } from "./log.ts"

/** How many unreadable lines are kept to be shown. */
const maxUnreadable = 100

export interface RedecideOptions {
  /** Go on after a difference. */
  readonly all: boolean
  /** Called with the number of events so far, after each piece of the log. */
  readonly progress?: (events: number) => void
}

export interface Redecided {
  /** The log was not read to its end, for it differs before. */
  readonly stopped: boolean
  /** Lines that are no events at all: damage, which the chain tells more of. */
  readonly unreadable: ReadonlyArray<LogLine>
}

class Stopped {
  readonly _tag = "Stopped"
}

/** Number and id of a line whose data cannot be read; the envelope could be. */
const envelopeOf = (line: string): { readonly sequence: number; readonly id: string } => {
  const { sequence, id } = JSON.parse(line) as { readonly sequence: string; readonly id: string }
  return { sequence: Number(sequence), id }
}

export const redecideLines = (
  lines: Stream.Stream<LogLine, CommandFailed>,
  redecision: Redecision,
  { all, progress }: RedecideOptions
): Effect.Effect<Redecided, CommandFailed> => {
  const unreadable: Array<LogLine> = []
  const take = (entry: LogLine): void => {
    const { event } = entry
    if (Result.isSuccess(event)) redecision.apply(event.success)
    else if (event.failure.where === "data")
      redecision.unreadable({ ...envelopeOf(entry.line), message: `its data cannot be read: ${event.failure.message}` })
    else if (unreadable.length < maxUnreadable) unreadable.push(entry)
  }
  return Stream.runForEachArray(
    lines,
    (piece): Effect.Effect<void, Stopped> =>
      Effect.suspend(() => {
        for (const entry of piece) {
          take(entry)
          if (!all && redecision.found > 0) return Effect.fail(new Stopped())
        }
        progress?.(redecision.fold.events)
        return Effect.void
      })
  ).pipe(
    Effect.as(false),
    Effect.catchTag("Stopped", () => Effect.succeed(true)),
    Effect.map((stopped) => {
      if (!stopped) redecision.end()
      return { stopped, unreadable }
    })
  )
}
