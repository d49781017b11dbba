/**
 * Tests of deciders that read like the incident: given what happened, when a command comes, then these events.
 * Events get ids `e1`, `e2`, … in order; causes are given by these ids.
 */
import assert from "node:assert/strict"
import type { Command, Decider } from "../../src/actors/kernel/behavior.ts"
import { pendingIndex } from "../../src/actors/kernel/decision.ts"
import { type Flags, knownFlags } from "../../src/actors/kernel/flags.ts"
import { canonical } from "../../src/actors/kernel/json.ts"
import { type ActorId, actorPath } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import { timestamp } from "../../src/events/definition.ts"

export interface Happened<E> {
  readonly id: string
  readonly cause: string | undefined
  readonly time: string
  readonly event: E
}

/** One actor, told commands one after another, as the kernel would. */
export class Story<State, C extends Command, E extends NodeEvent> {
  state: State
  readonly log: Array<Happened<E>> = []
  private readonly decider: Decider<State, C, E>
  private readonly id: ActorId
  private readonly flags: Flags

  constructor(decider: Decider<State, C, E>, id: ActorId, flags: Flags = knownFlags) {
    this.flags = flags
    this.decider = decider
    this.id = id
    this.state = decider.initial(id)
  }

  /** Tells a command; answers the events that it led to. `cause`: id of the event that led to the command. */
  when(command: C, cause?: string): ReadonlyArray<Happened<E>> {
    const decided = this.decider.decide(this.state, command, this.flags)
    assert.equal(
      canonical(this.decider.decide(this.state, command, this.flags)),
      canonical(decided),
      "deciding twice gives the same"
    )
    const ids = decided.map((_, i) => `e${this.log.length + i + 1}`)
    const happened = decided.map((d, i) => {
      const index = d.because === undefined ? undefined : pendingIndex(d.because)
      assert.ok(index === undefined || index < i, "a cause comes before what it causes")
      const entry = {
        id: ids[i]!,
        cause: index === undefined ? (d.because ?? cause) : ids[index],
        time: timestamp(d.time ?? command.at),
        event: d.event
      }
      this.state = this.decider.evolve(this.state, entry.event, { id: entry.id, time: entry.time })
      return entry
    })
    this.log.push(...happened)
    assert.equal(canonical(JSON.parse(canonical(this.state))), canonical(this.state), "the state is plain JSON")
    return happened
  }

  /** The state folded anew from everything that happened. */
  refolded(): State {
    return this.log.reduce(
      (state, { event, id, time }) => this.decider.evolve(state, event, { id, time }),
      this.decider.initial(this.id)
    )
  }

  get path(): string {
    return actorPath(this.id)
  }
}

/** The tags of events, in order. */
export const tags = (events: ReadonlyArray<{ readonly event: { readonly _tag: string } }>): ReadonlyArray<string> =>
  events.map(({ event }) => event._tag)

/** The events of one type among them. */
export const only = <E extends { readonly _tag: string }, Tag extends E["_tag"]>(
  events: ReadonlyArray<Happened<E>>,
  tag: Tag
): ReadonlyArray<Happened<Extract<E, { readonly _tag: Tag }>>> =>
  events.filter(({ event }) => event._tag === tag) as never
