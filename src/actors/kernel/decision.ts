/**
 * Building a decision step by step: each event is folded at once, so that later steps decide on what earlier ones
 * changed. `emit` answers a reference (`@0`, `@1`, …) that later events of the same decision can name as their cause.
 */
import type { NodeEvent } from "../../events/catalogue.ts"
import { timestamp } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { Decided } from "./behavior.ts"
import { type Flags, noFlags } from "./flags.ts"

/** Ids of events that are decided but not appended yet start so; the kernel puts real ids in their place. */
const pendingReference = (index: number): string => `@${index}`

export class Decision<State, Event extends NodeEvent> {
  state: State
  readonly decided: Array<Decided<Event>> = []
  readonly at: number
  readonly flags: Flags
  private readonly evolve: (state: State, event: Event, meta: EventMeta) => State

  constructor(
    state: State,
    evolve: (state: State, event: Event, meta: EventMeta) => State,
    at: number,
    flags: Flags = noFlags
  ) {
    this.state = state
    this.evolve = evolve
    this.at = at
    this.flags = flags
  }

  /** `time`: when it happened, milliseconds, if not now. Answers the reference of the event. */
  emit(event: Event, because?: string, time?: number): string {
    const id = pendingReference(this.decided.length)
    const decided: { -readonly [Key in keyof Decided<Event>]: Decided<Event>[Key] } = { event }
    if (because !== undefined) decided.because = because
    if (time !== undefined) decided.time = time
    this.decided.push(decided)
    this.state = this.evolve(this.state, event, { id, time: timestamp(time ?? this.at) })
    return id
  }
}

/** Index of a pending reference, or undefined for an event id. */
export const pendingIndex = (because: string): number | undefined =>
  because.startsWith("@") ? Number(because.slice(1)) : undefined
