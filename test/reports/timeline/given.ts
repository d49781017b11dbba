/** Given events, the timeline that they make, told in words that a test can compare. */
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import type { Timeline } from "../../../src/reports/timeline/model.ts"
import { TimelineBuilder } from "../../../src/reports/timeline/timeline.ts"
import { type Given, recordedEvents, start } from "../../events/recorded.ts"

export const timelineOf = (events: Iterable<RecordedEvent>): Timeline => {
  const builder = new TimelineBuilder()
  for (const event of events) builder.apply(event)
  return builder.end()
}

export const timelineOfGiven = (given: ReadonlyArray<Given>): Timeline => timelineOf(recordedEvents(given))

/** `default/web app liveness` */
export const laneText = (timeline: Timeline, lane: number): string => {
  const { kind, name, parent } = timeline.lanes[lane]!
  return parent >= 0 ? `${laneText(timeline, parent)} ${name}` : kind === "pod" ? name : `${kind} ${name}`
}

/** The bars of a lane, e.g. `starting 1-3`, in seconds after the first moment; `…`: it goes on. */
export const barsOf = (timeline: Timeline, lane: string): ReadonlyArray<string> =>
  timeline.bars
    .filter((bar) => laneText(timeline, bar.lane) === lane)
    .map(({ from, open, state, to }) => `${state} ${(from - start) / 1000}-${open ? "…" : (to - start) / 1000}`)
