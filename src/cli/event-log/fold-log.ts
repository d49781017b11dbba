/** The state that a log leads to, at its end or at any time. */
import { createHash } from "node:crypto"
import { Effect, Result, Stream } from "effect"
import { deciders } from "../../actors/deciders.ts"
import { NodeFold } from "../../actors/kernel/fold.ts"
import { stateHash } from "../../actors/kernel/state-hash.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { type CommandFailed, exitCodes } from "../exit.ts"
import { ClockSeen } from "./clock-seen.ts"
import { type ChainedLog, type LogLine, type LogPlace, noEvent, unreadableText } from "./log.ts"
import type { Moment } from "./moments.ts"

/**
 * The lines of a log up to a point. Up to an event: it is the last one. Up to a time: the last one is the last that was
 * recorded at or before it, with all that stands before, for a fold needs whole prefixes. (When an event happened is another
 * matter: the node may have known of it later.) Where the clock was set back, a time may have come twice; its last
 * passage counts, and what was recorded under later times before that belongs to it.
 */
export const upTo = (log: ChainedLog, until: Moment | undefined): Stream.Stream<LogLine, CommandFailed> => {
  const lines = log.read({}, false)
  if (until === undefined) return lines
  if (until._tag === "Time")
    return Stream.unwrap(Effect.map(lastUntil(log, until.at), (sequence) => upToSequence(lines, sequence)))
  return Stream.suspend(() => {
    let isFound = false
    const taken = Stream.takeUntil(lines, ({ event }) => {
      isFound = Result.isSuccess(event) && event.success.id === until.id
      return isFound
    })
    return Stream.concat(
      taken,
      Stream.suspend(() => (isFound ? Stream.empty : Stream.fail(noEvent(until.id, log.name))))
    )
  })
}

export const upToSequence = (lines: Stream.Stream<LogLine, CommandFailed>, last: number) =>
  Stream.takeWhile(lines, ({ event }) => Result.isFailure(event) || event.success.sequence <= last)

/** Sequence of the last event that was recorded at or before a time; 0: none. `span`: only behind a place, and up to a sequence. */
export const lastUntil = (
  log: ChainedLog,
  at: number,
  { from, to }: { readonly from: LogPlace | undefined; readonly to: number } = {
    from: undefined,
    to: Number.MAX_SAFE_INTEGER
  }
): Effect.Effect<number, CommandFailed> =>
  Effect.suspend(() => {
    let last = 0
    const marks = Stream.takeWhile(log.marks(from), ({ sequence }) => sequence <= to)
    return Stream.runForEachArray(marks, (some) =>
      Effect.sync(() => {
        for (const { recorded, sequence } of some) if (recorded <= at) last = sequence
      })
    ).pipe(Effect.map(() => last))
  })

/** SHA-256 over the states of all actors, hex: the same for the same log, on every runtime. */
export const hashOf = (fold: NodeFold): string =>
  stateHash(fold, (text) => createHash("sha256").update(text).digest("hex"))

export interface Folded {
  readonly fold: NodeFold
  readonly clock: ClockSeen
  /** Lines that are no events: what was folded lacks them. */
  readonly unreadable: ReadonlyArray<LogLine>
  /** The first line at which the hash chain does not hold, where reading the log tells. */
  readonly broken: LogLine | undefined
}

/** What stderr is to hear of a log that was folded: lines that were left out, a chain that does not hold. */
export const remarks = ({ fold, clock, unreadable, broken }: Folded): ReadonlyArray<string> => [
  ...clock.remarks(),
  ...partialText(fold),
  ...unknownText(fold),
  ...unreadable.map((line) => `chronode: ${unreadableText(line)}`),
  ...(broken === undefined ? [] : [`chronode: the hash chain is broken at ${broken.place}: ${broken.broken}`])
]

/** A state that lacks something is no good answer, though it is given. */
export const codeOf = ({ unreadable, broken }: Folded): number =>
  unreadable.length === 0 && broken === undefined ? exitCodes.good : exitCodes.failed

const unknownText = ({ unknown }: NodeFold): ReadonlyArray<string> =>
  unknown === 0
    ? []
    : [
        `chronode: ${unknown} events are of types or versions that this program does not know: what they changed is not in the states. A newer Chronode may know them.`
      ]

/** How many actors a remark names. */
const maxNamed = 3

const partialText = ({ partial, actors }: NodeFold): ReadonlyArray<string> => {
  const paths = [...partial].filter((path) => actors.has(path)).sort()
  if (paths.length === 0) return []
  const more = paths.length > maxNamed ? ` and ${paths.length - maxNamed} more` : ""
  return [
    `chronode: the log holds a part only of the events of ${paths.slice(0, maxNamed).join(", ")}${more}: their states may lack something`
  ]
}

/** How many unreadable lines are kept to be shown. */
const maxUnreadable = 100

/** A fold that begins as the log does: with nothing, or with the first state of a slice. */
export const beginFold = (log: ChainedLog): Effect.Effect<NodeFold, CommandFailed> =>
  Effect.map(log.first, (first) => {
    const fold = new NodeFold(deciders)
    if (first !== undefined) fold.begin(first.state)
    return fold
  })

/**
 * `each` sees every event that is folded. Bounded by the number of actors, not by the log's length.
 *
 * @param fold where it goes on from: `beginFold`
 */
export const foldLines = (
  lines: Stream.Stream<LogLine, CommandFailed>,
  each: (recorded: RecordedEvent, line: LogLine) => void = () => {},
  fold: NodeFold = new NodeFold(deciders),
  clock: ClockSeen = new ClockSeen()
): Effect.Effect<Folded, CommandFailed> => {
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
        clock.apply(line.event.success)
        each(line.event.success, line)
      }
    })
  ).pipe(Effect.map(() => ({ fold, clock, unreadable, broken })))
}
