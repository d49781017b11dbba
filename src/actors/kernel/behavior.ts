/**
 * What an actor is made of. The decider is pure: no clock, no randomness, no I/O; everything it needs comes in the
 * command. `react`, `observe` and `resume` touch the world and run live only: replay gets a `Decider` and cannot reach
 * them, by type.
 */
import { type Effect, Schema } from "effect"
import type { ActorId } from "../../events/actor-id.ts"
import type { NodeEvent } from "../../events/catalogue.ts"
import type { ActorKind } from "../../events/definition.ts"
import type { EventMeta, RecordedEvent } from "../../events/envelope.ts"
import type { Flags } from "./flags.ts"

/** Every command says when it was made (milliseconds since the epoch), by the clock of the sender. */
export interface Command {
  readonly _tag: string
  readonly at: number
}

/** Sent by the clock when a timer that an actor's state asks for is due. Every decider that has timers handles it. */
export const TimerFired = Schema.TaggedStruct("TimerFired", {
  at: Schema.Finite,
  key: Schema.String,
  /** When it was due. */
  dueAt: Schema.Finite
})
export type TimerFired = typeof TimerFired.Type

/**
 * An event that a decider decided, before it has an id. `because` names its cause: `@0`, `@1`, … an earlier event of
 * the same decision, else the id of an event that the state remembers; absent: what caused the command.
 */
export interface Decided<Event> {
  readonly event: Event
  readonly because?: string
  /** When it happened, if not when the command was made (an exit that was seen later). Milliseconds. */
  readonly time?: number
}

export interface Timer {
  readonly key: string
  /** Milliseconds since the epoch. */
  readonly dueAt: number
  /** Id of the event that asked for it: the cause of what follows. */
  readonly because?: string
}

export interface Decider<State, C extends Command, Event extends NodeEvent> {
  readonly kind: ActorKind
  /** Counts up when the state's shape changes: older checkpoints are thrown away. */
  readonly stateVersion: number
  /** The shape of its commands, to read them back from a log. */
  readonly command: Schema.Codec<C, unknown>
  readonly initial: (id: ActorId) => State
  /** `flags`: which changes of behaviour are in force (flags.ts). The only place where they count. */
  readonly decide: (state: State, command: C, flags: Flags) => ReadonlyArray<Decided<Event>>
  readonly evolve: (state: State, event: Event, meta: EventMeta) => State
  /** The timers that this state asks for. Armed and disarmed by comparison, after every fold. */
  readonly timers?: (state: State) => ReadonlyArray<Timer>
  /** True when nothing is left to do or to remember, as in `initial`: the actor is let go, and is `initial` if it comes again. */
  readonly finished?: (state: State) => boolean
  /** CloudEvents subject and correlation id: a pod's uid. */
  readonly subject?: (state: State) => string | undefined
  /** Which actor supervises this one; absent: the node. */
  readonly supervisor?: (id: ActorId) => ActorId
}

/** A command for another actor (or the same). The kernel makes the actor if it is not there. */
export interface Outgoing {
  readonly to: ActorId
  readonly command: Command
  /** Id of the event that led to it, where that is another than what the work is done for. */
  readonly cause?: string
}

/** Long-lived watching of the world that a state asks for: started and stopped by comparison of keys. */
export interface Observation<R> {
  readonly key: string
  /** Sends what it sees through `emit`. Runs until interrupted; a defect restarts it after a pause. */
  readonly run: (emit: (outgoing: Outgoing) => Effect.Effect<void>) => Effect.Effect<void, never, R>
  /** Id of the event that asked for it. */
  readonly because?: string
}

/** One piece of work with the commands that come of it, or several that run side by side, each told as it ends. */
export type Reaction<R> =
  | Effect.Effect<ReadonlyArray<Outgoing>, never, R>
  | ReadonlyArray<Effect.Effect<ReadonlyArray<Outgoing>, never, R>>

export interface Behavior<State, C extends Command, Event extends NodeEvent, R> extends Decider<State, C, Event> {
  /**
   * Acts on an event, after it is durable. `state` is the state after the whole decision. Answers outcome commands.
   * Failures are outcomes, never errors; a defect is an actor's failure.
   */
  readonly react?: (event: RecordedEvent<Event>, state: State, id: ActorId) => Reaction<R>
  readonly observe?: (state: State, id: ActorId) => ReadonlyArray<Observation<R>>
  /**
   * After recovery: finishes what was decided and not done (checking the world first), and tells other actors again
   * what they may have missed. Everything in it is idempotent.
   */
  readonly resume?: (state: State, id: ActorId) => Reaction<R>
}

// biome-ignore lint/suspicious/noExplicitAny: behaviours of many state types in one table; each is checked where it is made
export type AnyBehavior<R> = Behavior<any, any, any, R>
