/** A part of a log around one of its points, read from the log's beginning: so the state at that point is whole. */
import { Effect, Result, Stream } from "effect"
import { millis } from "../../events/definition.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { type ChainedLog, type EventLog, type LogLine, noEvent } from "../event-log/log.ts"
import type { Moment } from "../event-log/moments.ts"
import type { CommandFailed } from "../exit.ts"
import { Picture } from "./picture.ts"
import { type Entry, maxCharacters, maxEvents, Timeline } from "./timeline.ts"

/** Where to stop: a moment, a place in the journal, or the end. */
export type Point = Moment | { readonly _tag: "Sequence"; readonly sequence: number } | undefined

export interface Window {
  readonly timeline: Timeline
  /** Of the timeline: after the last event that is before the point. */
  readonly position: number
}

/** A line that is an event. */
export const entryOf = ({ event, line, hash, broken, place }: LogLine): Entry | undefined =>
  Result.isFailure(event)
    ? undefined
    : {
        recorded: event.success,
        length: line.length,
        hash,
        ...(broken === undefined ? {} : { broken: `${place}: ${broken}` })
      }

/** What is known before a log's first event: nothing, or the first state of a slice. */
export const pictureBefore = (log: EventLog | ChainedLog): Effect.Effect<Picture, CommandFailed> => {
  const picture = new Picture()
  if (!("first" in log)) return Effect.succeed(picture)
  return Effect.map(log.first, (first) => {
    if (first !== undefined) picture.fold.begin(first.state)
    picture.recording = log.configuration.agent?.recording ?? ""
    return picture
  })
}

/** Whether an event lies beyond the point, asked of each in the order of the log. */
const beyond = (point: Point): ((recorded: RecordedEvent) => boolean) => {
  switch (point?._tag) {
    case undefined:
      return () => false
    // As `chronode state --at`: what was recorded until then, for the node knew no more.
    case "Time":
      return ({ recordedTime }) => millis(recordedTime) > point.at
    case "Sequence":
      return ({ sequence }) => sequence > point.sequence
    case "Event": {
      let isFound = false
      return ({ id }) => {
        if (isFound) return true
        isFound = id === point.id
        return false
      }
    }
  }
}

/** Reads the log up to the point, and on as far as one may want to step forward. @param each is told of every event */
export const loadWindow = (
  log: EventLog,
  point: Point,
  each: (recorded: RecordedEvent) => boolean = () => true
): Effect.Effect<Window, CommandFailed> =>
  Effect.gen(function* () {
    const timeline = new Timeline(yield* pictureBefore(log))
    const isBeyond = beyond(point)
    let position: number | undefined
    let ahead = 0
    let isFound = false
    const take = (line: LogLine): void => {
      const entry = entryOf(line)
      if (entry === undefined || !each(entry.recorded)) return
      if (position === undefined && isBeyond(entry.recorded)) position = timeline.last
      if (position !== undefined) ahead += entry.length
      if (point?._tag === "Event" && entry.recorded.id === point.id) isFound = true
      timeline.push(entry)
    }
    const isEnough = (): boolean =>
      position !== undefined && (timeline.last - position >= maxEvents / 2 || ahead >= maxCharacters / 2)
    yield* Stream.runForEachArray(
      Stream.takeWhile(log.read({}, false), () => !isEnough()),
      (lines) =>
        Effect.sync(() => {
          for (const line of lines) if (!isEnough()) take(line)
        })
    )
    if (point?._tag === "Event" && !isFound) return yield* Effect.fail(noEvent(point.id, log.name))
    return { timeline, position: position ?? timeline.last }
  })
