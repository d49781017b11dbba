/**
 * Playback: the lines of a log at the pace in which they came (`--speed`), or one at a time (`--step`). The clock is that
 * of `recordedtime`: when the node wrote an event is when others could get it.
 */
import { Clock, Effect, Result, type Scope, Stream } from "effect"
import { millis } from "../../events/definition.ts"
import type { LogLine } from "../event-log/log.ts"
import { UsageError } from "../exit.ts"
import { formatLength } from "../times.ts"
import { openSteps } from "./steps.ts"

export interface PlaybackFlags {
  readonly speed?: string
  readonly step?: boolean
}

/** How many times faster than it was; `max`: no waiting at all. */
export type Speed = number | "max"

/** Waits that are longer are told before they begin, milliseconds. */
const longWait = 5_000
/** One timer's longest wait, milliseconds: setTimeout takes no more than 2^31. */
const longestSleep = 3_600_000

export const parseSpeed = (text: string): Speed => {
  if (text === "max") return "max"
  const speed = /^\d+(?:\.\d+)?$/u.test(text) ? Number(text) : 0
  if (speed > 0 && Number.isFinite(speed)) return speed
  throw new UsageError(`--speed: '${text}' is no speed; write 1 (as it was), 10, 0.5, … or max`)
}

/**
 * The same lines, each when its turn has come. Where the clock was set back in the log, the wait is nothing and `note`
 * hears of it; long waits are told too. Lines that are no events come at once, and so do those that are not shown.
 */
export const paced = <E>(
  lines: Stream.Stream<LogLine, E>,
  speed: Speed,
  note: (text: string) => void,
  isShown: (line: LogLine) => boolean = () => true
): Stream.Stream<LogLine, E> => {
  if (speed === "max") return lines
  return Stream.suspend(() => {
    let began: number | undefined
    let last = 0
    /** Milliseconds of playback from its beginning to the last event. */
    let due = 0
    const wait = Effect.fnUntraced(function* (line: LogLine) {
      if (!isShown(line) || Result.isFailure(line.event)) return line
      const at = millis(line.event.success.recordedTime)
      const now = yield* Clock.currentTimeMillis
      if (began === undefined) {
        began = now
        last = at
        return line
      }
      const step = at - last
      last = at
      if (step < 0) {
        note(`chronode: the node's clock was set back by ${formatLength(-step)} before ${line.place}`)
        return line
      }
      due += step / speed
      let left = began + due - now
      if (left > longWait)
        note(`chronode: nothing for ${formatLength(step)} before ${line.place}; the wait is ${formatLength(left)}`)
      for (; left > 0; left -= longestSleep) yield* Effect.sleep(Math.min(left, longestSleep))
      return line
    })
    return Stream.mapEffect(lines, wait)
  })
}

/** `step`: by the user's hand. */
export type Pace = Speed | "step"

/** What the flags ask for. @param unasked where they say nothing */
export const parsePace = ({ speed, step }: PlaybackFlags, unasked: Speed): Pace => {
  if (step === true && speed !== undefined) throw new UsageError("--step and --speed: give one or the other")
  return step === true ? "step" : speed === undefined ? unasked : parseSpeed(speed)
}

/** Plays lines at a pace; those that are not shown pass without a pause. Takes stdin where that is by hand, until the scope closes. */
export const openPlayback = (
  pace: Pace,
  note: (text: string) => void,
  isShown: (line: LogLine) => boolean = () => true
): Effect.Effect<<E>(lines: Stream.Stream<LogLine, E>) => Stream.Stream<LogLine, E>, never, Scope.Scope> =>
  Effect.gen(function* () {
    if (pace !== "step") return (lines) => paced(lines, pace, note, isShown)
    const steps = yield* openSteps(note)
    return (lines) =>
      Stream.mapEffect(lines, (line) =>
        isShown(line) ? Effect.map(steps.next, (go) => (go ? line : undefined)) : Effect.succeed(line)
      ).pipe(Stream.takeWhile((line) => line !== undefined))
  })
