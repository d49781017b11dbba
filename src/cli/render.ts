/** An event as a line for people. */
import type { ActorId } from "../events/actor-id.ts"
import { catalogue, tell } from "../events/catalogue.ts"
import type { RecordedEvent } from "../events/envelope.ts"
import { tagOf } from "./filter/tags.ts"
import { oneLine, type Paint, severityColour } from "./text.ts"
import { localTime } from "./times.ts"

/** `pod default/web`, `node n1`. */
export const actorText = (actor: ActorId): string =>
  `${actor.kind} ${actor.namespace === "" ? "" : `${actor.namespace}/`}${actor.name}`

/** The sentence that tells an event, on one line; the raw data where the type is not known here. */
export const sentence = (recorded: RecordedEvent): string =>
  oneLine(
    recorded.event._tag === "Unknown"
      ? `(unknown type ${recorded.event.type}) ${JSON.stringify(recorded.event.data)}`
      : tell(recorded.event)
  )

/** A stream's rest is not known yet: the actors' column widens as longer names come, up to a bound. */
const maxActorWidth = 44
let actorWidth = 26
const severityWidth = 5
const typeWidth = Math.max(...catalogue.map(({ tag }) => tag.length))

/** `2026-11-21 05:53:47.123  WARN   pod default/web   ContainerExited   app ended with exit code 1`, without newline. */
export const eventLine = (recorded: RecordedEvent, paint: Paint): string => {
  const colour = severityColour[recorded.severity]
  const actor = oneLine(actorText(recorded.actor))
  actorWidth = Math.min(Math.max(actorWidth, actor.length), maxActorWidth)
  const painted = (text: string): string => (colour === undefined ? text : paint(colour, text))
  return [
    paint("dim", localTime(Date.parse(recorded.time))),
    painted(recorded.severity.padEnd(severityWidth)),
    actor.padEnd(actorWidth),
    painted(tagOf(recorded).padEnd(typeWidth)),
    sentence(recorded)
  ].join("  ")
}
