/** From what was decided to what is appended: ids, sequences, causes. */
import { v7 as uuidv7 } from "uuid"
import { type NodeEvent, severityOf } from "../../events/catalogue.ts"
import { timestamp } from "../../events/definition.ts"
import type { EventDraft } from "../../events/journal/port.ts"
import type { Cell, Letter } from "./cell.ts"
import { pendingIndex } from "./decision.ts"
import type { Flags } from "./flags.ts"
import { evolveActor } from "./fold.ts"

/** `at`: milliseconds since the epoch. `before`: events of the same turn that come first. */
export const kernelDraft = (
  cell: Cell,
  event: NodeEvent,
  cause: string | undefined,
  at: number,
  before = 0
): EventDraft => {
  const subject = cell.behavior.subject?.(cell.state)
  return {
    id: uuidv7(),
    actor: cell.id,
    subject,
    time: timestamp(at),
    actorSequence: cell.actorSequence + before + 1,
    cause,
    correlation: subject,
    traceparent: undefined,
    severity: severityOf(event),
    command: undefined,
    event
  }
}

/** A command that led to nothing, for the flight recorder. */
export const inputDraft = (cell: Cell, letter: Letter, before: number): EventDraft => ({
  ...kernelDraft(cell, { _tag: "InputRecorded" }, letter.cause, letter.command.at, before),
  command: JSON.stringify(letter.command)
})

/**
 * Decides one command on a provisional state. Answers the state after it and the events to be appended, the command on
 * the first of them. Throws what the decider throws.
 */
export const decideLetter = (
  cell: Cell,
  state: unknown,
  letter: Letter,
  before: number,
  flags: Flags
): { readonly state: unknown; readonly drafts: ReadonlyArray<EventDraft> } => {
  const { behavior } = cell
  const decided = behavior.decide(state, letter.command as never, flags)
  if (decided.length === 0) return { state, drafts: [] }
  const ids = decided.map(() => uuidv7())
  const times = decided.map((d) => timestamp(d.time ?? letter.command.at))
  const next = decided.reduce<unknown>(
    (folded, d, i) => evolveActor(behavior, cell.id, folded, d.event, { id: ids[i]!, time: times[i]! }),
    state
  )
  const subject = behavior.subject?.(next) ?? behavior.subject?.(state)
  const drafts = decided.map((d, i): EventDraft => {
    const index = d.because === undefined ? undefined : pendingIndex(d.because)
    return {
      id: ids[i]!,
      actor: cell.id,
      subject,
      time: times[i]!,
      actorSequence: cell.actorSequence + before + i + 1,
      cause: index === undefined ? (d.because ?? letter.cause) : ids[index],
      correlation: subject,
      traceparent: undefined,
      severity: severityOf(d.event),
      command: i === 0 ? JSON.stringify(letter.command) : undefined,
      event: d.event
    }
  })
  return { state: next, drafts }
}
