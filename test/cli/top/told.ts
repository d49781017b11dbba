/** The story of test/cli/story.ts as a timeline, and the model of a screen that shows it. */
import { Effect, Result, Stream } from "effect"
import type { EventLog } from "../../../src/cli/event-log/log.ts"
import { Choice } from "../../../src/cli/top/choice.ts"
import { ChosenEvents } from "../../../src/cli/top/chosen-events.ts"
import { initialModel, type Model } from "../../../src/cli/top/model.ts"
import type { TableName } from "../../../src/cli/top/tables.ts"
import { Timeline } from "../../../src/cli/top/timeline.ts"
import { viewOf } from "../../../src/cli/top/view.ts"
import { noUsage, type Usage } from "../../../src/cli/usage.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import { story } from "../story.ts"

export const events: ReadonlyArray<RecordedEvent> = story.map((draft, index) => ({
  ...draft,
  node: "node1",
  sequence: index + 1,
  recordedTime: draft.time
}))

/** Characters of each line: they only count towards the bound. */
const length = 100

export const timelineOf = (recorded: ReadonlyArray<RecordedEvent>): Timeline => {
  const timeline = new Timeline()
  for (const event of recorded) timeline.push({ recorded: event, length })
  return timeline
}

export const logOf = (recorded: ReadonlyArray<RecordedEvent>): EventLog => ({
  name: "the story",
  read: () =>
    Stream.fromIterable(
      recorded.map((event) => ({
        line: "x".repeat(length),
        place: `sequence ${event.sequence}`,
        event: Result.succeed(event)
      }))
    ),
  find: (id) => Effect.succeed(recorded.find((event) => event.id === id))
})

/** The screen after all of these, at the time of the last one. */
export const modelOf = (
  recorded: ReadonlyArray<RecordedEvent>,
  table: TableName = "pods",
  choice = Choice.all(),
  usage: Usage = noUsage
): Model => {
  const timeline = timelineOf(recorded)
  const chosen = new ChosenEvents(choice)
  const newest = chosen.upTo(timeline, timeline.last)
  const picture = timeline.at(timeline.last)
  const sources = { log: "the story", lag: 3, otherNodes: 0, newest, usage }
  const view = viewOf(picture, sources, table, chosen.choice, Date.parse(picture.fold.lastTime))
  return initialModel(view, chosen.choice, false)
}
