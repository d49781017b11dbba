/** `why` from within the table: the same answers as `chronode why`, as of the moment that is shown. */
import { Effect, Result, Stream } from "effect"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { EventLog, LogLine } from "../event-log/log.ts"
import type { CommandFailed } from "../exit.ts"
import { isOfPod } from "../filter.ts"
import type { Paint } from "../text.ts"
import { answerText, whyEvent, whySubject } from "../why.ts"
import type { Subject } from "./tables.ts"
import type { Timeline } from "./timeline.ts"

const plain: Paint = (_, text) => text

/** The same log, as if it ended after this sequence. */
export const endingAt = (log: EventLog, sequence: number): EventLog => ({
  ...log,
  read: (filter) =>
    Stream.takeWhile(
      log.read(filter, false),
      ({ event }) => Result.isFailure(event) || event.success.sequence <= sequence
    )
})

/** Of a log that cannot be read again or looked up in (NATS): the events that are kept. */
export const keptLog = (name: string, timeline: Timeline, position: number): EventLog => {
  const lineOf = (recorded: RecordedEvent): LogLine => ({
    line: "",
    place: `sequence ${recorded.sequence}`,
    event: Result.succeed(recorded)
  })
  return {
    name: `the newest events of ${name}`,
    read: ({ pod }) =>
      Stream.fromIterable(
        [...timeline.between(timeline.first, position)]
          .filter(({ actor }) => pod === undefined || isOfPod(actor, pod))
          .map(lineOf)
      ),
    find: (id) =>
      Effect.sync(() => [...timeline.between(timeline.first, position)].find((recorded) => recorded.id === id))
  }
}

/** The text of the answer. */
export const asked = (log: EventLog, subject: Subject): Effect.Effect<string, CommandFailed> =>
  Effect.map(
    subject._tag === "Event"
      ? whyEvent(log, subject.id)
      : whySubject(log, {
          pod: { namespace: subject.namespace, name: subject.name },
          container: subject.container
        }),
    (answer) => answerText(answer, plain, true)
  )
