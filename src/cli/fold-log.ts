/** The state that a log leads to, at its end or at any time. */
import { Effect, Result, Stream } from "effect"
import { deciders } from "../actors/deciders.ts"
import { NodeFold } from "../actors/kernel/fold.ts"
import { millis } from "../events/definition.ts"
import type { RecordedEvent } from "../events/envelope.ts"
import type { CommandFailed } from "./exit.ts"
import { type EventLog, type LogLine, unreadableText } from "./log.ts"

/**
 * The lines of a log up to a time: those that were recorded until then. Not those that happened until then: a fold
 * needs whole prefixes, and the node knew no more at that time.
 */
export const upTo = (log: EventLog, until: number | undefined): Stream.Stream<LogLine, CommandFailed> =>
  log
    .read({}, false)
    .pipe(
      Stream.takeWhile(
        ({ event }) => until === undefined || Result.isFailure(event) || millis(event.success.recordedTime) <= until
      )
    )

export interface Folded {
  readonly fold: NodeFold
  /** Lines that are no events: what was folded lacks them. */
  readonly unreadable: ReadonlyArray<LogLine>
  /** The first line at which the hash chain does not hold, where reading the log tells. */
  readonly broken: LogLine | undefined
}

/** What stderr is to hear of a log that was folded: lines that were left out, a chain that does not hold. */
export const remarks = ({ unreadable, broken }: Folded): ReadonlyArray<string> => [
  ...unreadable.map((line) => `chronode: ${unreadableText(line)}`),
  ...(broken === undefined ? [] : [`chronode: the hash chain is broken at ${broken.place}: ${broken.broken}`])
]

/** How many unreadable lines are kept to be shown. */
const maxUnreadable = 100

/** `each` sees every event that is folded. Bounded by the number of actors, not by the log's length. */
export const foldLines = (
  lines: Stream.Stream<LogLine, CommandFailed>,
  each: (recorded: RecordedEvent, line: LogLine) => void = () => {}
): Effect.Effect<Folded, CommandFailed> => {
  const fold = new NodeFold(deciders)
  const unreadable: Array<LogLine> = []
  let broken: LogLine | undefined
  return Stream.runForEachArray(lines, (chunk) =>
    Effect.sync(() => {
      for (const line of chunk) {
        if (line.broken !== undefined) broken ??= line
        if (Result.isFailure(line.event)) {
          if (unreadable.length < maxUnreadable) unreadable.push(line)
          continue
        }
        fold.apply(line.event.success)
        each(line.event.success, line)
      }
    })
  ).pipe(Effect.map(() => ({ fold, unreadable, broken })))
}
