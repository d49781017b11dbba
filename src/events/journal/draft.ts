/** What every journal does to a draft before it is stored: checks it, takes what its schema names, gives it its place. */
import { Result, Schema } from "effect"
import { actorPath } from "../actor-id.ts"
import { catalogue, type NodeEvent } from "../catalogue.ts"
import { decodeLine } from "../decode.ts"
import { actorKinds, severities, timestamp } from "../definition.ts"
import { encode, maxEventBytes, type RecordedEvent } from "../envelope.ts"
import { type EventDraft, JournalError } from "./port.ts"

/** A draft in its place: what the caller gets back and what is stored. */
export interface PlacedEvent {
  readonly recorded: RecordedEvent<NodeEvent>
  readonly line: string
  readonly bytes: number
}

/** Ids are UUIDs (36 characters); this is what an index key may hold at most. */
const maxIdLength = 128

const checks: ReadonlyMap<string, (input: unknown) => Result.Result<unknown, unknown>> = new Map(
  catalogue.map((d) => [d.tag, Schema.decodeUnknownResult(d.schema as never) as never])
)

const envelopeProblem = (draft: EventDraft): string | undefined => {
  if (typeof draft.id !== "string" || draft.id === "" || draft.id.length > maxIdLength)
    return `id is not a text of 1 to ${maxIdLength} characters`
  if (typeof draft.time !== "string" || Number.isNaN(Date.parse(draft.time))) return "time is no RFC 3339 time"
  if (!actorKinds.includes(draft.actor.kind)) return `actor kind ${draft.actor.kind} is unknown`
  if (draft.actor.name === "") return "the actor has no name"
  if (draft.actor.namespace.includes("/")) return `namespace ${draft.actor.namespace} holds a slash`
  if (!Number.isSafeInteger(draft.actorSequence) || draft.actorSequence < 1) return "actorSequence is not 1 or more"
  if (!(draft.severity in severities)) return `severity ${draft.severity} is unknown`
  if (draft.command !== undefined && typeof draft.command !== "string") return "command is no text"
  return undefined
}

/** The drafts with their events reduced to what their schemas name, or why one of them is no event. */
export const checkDrafts = (
  path: string,
  drafts: ReadonlyArray<EventDraft>
): Result.Result<ReadonlyArray<EventDraft>, JournalError> => {
  const checked: Array<EventDraft> = []
  for (const draft of drafts) {
    const check = checks.get(draft.event._tag)
    if (check === undefined) return invalid(path, draft, `no event type ${draft.event._tag} is in the catalogue`)
    const problem = envelopeProblem(draft)
    if (problem !== undefined) return invalid(path, draft, problem)
    const result = check(draft.event)
    if (Result.isFailure(result)) return invalid(path, draft, String(result.failure).replaceAll("\n", " "))
    checked.push({ ...draft, event: result.success as NodeEvent })
  }
  return Result.succeed(checked)
}

const invalid = (path: string, draft: EventDraft, why: string): Result.Result<never, JournalError> =>
  Result.fail(
    new JournalError({
      reason: "EventInvalid",
      path,
      message: `${draft.event?._tag} of ${actorPath(draft.actor)} was not stored, it is no valid event: ${why}`
    })
  )

/**
 * Gives checked drafts their sequences, from `sequence` on. What cannot be stored (over 64 KiB) or could not be read
 * back fails, and with it the whole call.
 *
 * @param at recorded time, milliseconds since the epoch
 */
export const placeDrafts = (
  path: string,
  node: string,
  drafts: ReadonlyArray<EventDraft>,
  sequence: number,
  at: number
): Result.Result<ReadonlyArray<PlacedEvent>, JournalError> => {
  const recordedTime = timestamp(at)
  const placed: Array<PlacedEvent> = []
  for (const [index, draft] of drafts.entries()) {
    const recorded: RecordedEvent<NodeEvent> = {
      id: draft.id,
      node,
      actor: draft.actor,
      subject: draft.subject,
      time: draft.time,
      sequence: sequence + index,
      actorSequence: draft.actorSequence,
      recordedTime,
      cause: draft.cause,
      correlation: draft.correlation,
      traceparent: draft.traceparent,
      severity: draft.severity,
      command: draft.command,
      event: draft.event
    }
    let line: string
    try {
      line = encode(recorded)
    } catch (error) {
      return invalid(path, draft, error instanceof Error ? error.message : String(error))
    }
    const bytes = Buffer.byteLength(line)
    if (bytes > maxEventBytes)
      return Result.fail(
        new JournalError({
          reason: "EventTooLarge",
          path,
          message: `${draft.event._tag} of ${actorPath(draft.actor)} was not stored: it takes ${bytes} bytes, ${maxEventBytes} are the most`
        })
      )
    // JSON writes a number that is not finite as null: only then can a checked event be unreadable afterwards.
    if (line.includes(":null")) {
      const back = decodeLine(line)
      if (Result.isFailure(back)) return invalid(path, draft, `${back.failure.where} ${back.failure.message}`)
    }
    placed.push({ recorded, line, bytes })
  }
  return Result.succeed(placed)
}
