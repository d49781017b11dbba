/**
 * State is a fold (law 3): the same function rebuilds actors at the agent's start, after an actor's failure, and offline
 * from an incident file. It sees deciders only, so nothing in it can act.
 */
import { type ActorId, actorPath, parseActorPath } from "../../events/actor-id.ts"
import type { NodeEvent } from "../../events/catalogue.ts"
import type { ActorKind } from "../../events/definition.ts"
import type { EventMeta, RecordedEvent } from "../../events/envelope.ts"
import type { FirstState } from "../../events/incident/first-state.ts"
import type { Command, Decider } from "./behavior.ts"

// biome-ignore lint/suspicious/noExplicitAny: a table of deciders whose types differ by kind; each is checked where it is made
export type AnyDecider = Decider<any, any, any>
export type Deciders = ReadonlyMap<ActorKind, AnyDecider>

/** Events that the kernel writes for an actor; its `evolve` never sees them. */
export const isKernelEvent = (tag: string): boolean =>
  tag === "ActorFailed" ||
  tag === "ActorRestarted" ||
  tag === "ActorEscalated" ||
  tag === "ActorCheckpointed" ||
  tag === "InputRecorded"

/**
 * One event of an actor folded. An actor that an event finishes begins anew with the next one, also in the middle of a
 * decision: live, an actor may be let go at that point or have more mail, and both must come to the same.
 */
export const evolveActor = (
  decider: AnyDecider,
  id: ActorId,
  state: unknown,
  event: NodeEvent,
  meta: EventMeta
): unknown => {
  const next = decider.evolve(state, event, meta)
  return decider.finished?.(next) === true ? decider.initial(id) : next
}

/** Folds one recorded event into an actor's state. Unknown types change nothing. */
export const foldEvent = (decider: AnyDecider, state: unknown, recorded: RecordedEvent): unknown => {
  const event = recorded.event
  if (event._tag === "Unknown") return state
  if (isKernelEvent(event._tag))
    return event._tag === "ActorCheckpointed" && event.stateVersion === decider.stateVersion ? event.state : state
  return evolveActor(decider, recorded.actor, state, event, recorded)
}

const byPath = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0

export interface FoldedActor {
  readonly id: ActorId
  state: unknown
  actorSequence: number
  /** Sequence of the last event. */
  sequence: number
  /** How many events were folded into the state. */
  events: number
}

export interface SavedFold {
  readonly node: string
  readonly events: number
  readonly unknown: number
  readonly lastTime: string
  readonly lastSequence: number
  readonly actors: ReadonlyArray<readonly [path: string, actor: Omit<FoldedActor, "id">]>
  readonly finished: ReadonlyArray<readonly [path: string, actorSequence: number]>
  readonly partial: ReadonlyArray<string>
}

/** The states of all actors of a node, folded from its events in order. */
export class NodeFold {
  readonly actors = new Map<string, FoldedActor>()
  /** Last actor sequences of actors that are finished and let go. */
  readonly finished = new Map<string, number>()
  /** Paths of actors whose states lack something: not all of their events were there to be folded. */
  readonly partial = new Set<string>()
  node = ""
  events = 0
  unknown = 0
  lastTime = ""
  /** Sequence of the last event; 0 before any. */
  lastSequence = 0
  private readonly deciders: Deciders

  constructor(deciders: Deciders) {
    this.deciders = deciders
  }

  /** Another fold that goes on from here by itself. States are never changed in place, so they are shared. */
  copy(): NodeFold {
    const copy = new NodeFold(this.deciders)
    for (const [path, actor] of this.actors) copy.actors.set(path, { ...actor })
    for (const [path, sequence] of this.finished) copy.finished.set(path, sequence)
    for (const path of this.partial) copy.partial.add(path)
    copy.node = this.node
    copy.events = this.events
    copy.unknown = this.unknown
    copy.lastTime = this.lastTime
    copy.lastSequence = this.lastSequence
    return copy
  }

  /**
   * Goes on from states that were written down, e.g. the first state of a slice (`readFirstState`). A state of another
   * version than this program's is worth nothing: its actor is `partial`.
   */
  begin({ actors, finished }: FirstState): void {
    for (const { id, stateVersion, state, actorSequence, sequence } of actors) {
      const decider = this.deciders.get(id.kind)
      if (decider === undefined) continue
      const path = actorPath(id)
      if (decider.stateVersion !== stateVersion) this.partial.add(path)
      else this.actors.set(path, { id, state, actorSequence, sequence, events: 0 })
    }
    for (const [path, actorSequence] of finished) this.finished.set(path, actorSequence)
  }

  /** The states of all actors that are wholly known, to go on from. */
  capture(): FirstState {
    const known = [...this.actors].filter(([path]) => !this.partial.has(path)).sort(byPath)
    return {
      actors: known.map(([, { id, state, actorSequence, sequence }]) => {
        const stateVersion = this.deciders.get(id.kind)?.stateVersion ?? 0
        return { id, stateVersion, state, actorSequence, sequence }
      }),
      finished: [...this.finished].filter(([path]) => !this.partial.has(path)).sort(byPath)
    }
  }

  /** All of it, as JSON: `NodeFold.of` gives back a fold that goes on in the same way. */
  save(): SavedFold {
    const { node, events, unknown, lastTime, lastSequence } = this
    return {
      ...{ node, events, unknown, lastTime, lastSequence },
      actors: [...this.actors].map(([path, { id: _, ...actor }]) => [path, actor]),
      finished: [...this.finished],
      partial: [...this.partial]
    }
  }

  static of(deciders: Deciders, saved: SavedFold): NodeFold {
    const { actors, finished, partial, ...facts } = saved
    const fold = new NodeFold(deciders)
    Object.assign(fold, facts)
    for (const [path, actor] of actors) {
      const id = parseActorPath(path)
      if (id !== undefined) fold.actors.set(path, { id, ...actor })
    }
    for (const [path, sequence] of finished) fold.finished.set(path, sequence)
    for (const path of partial) fold.partial.add(path)
    return fold
  }

  /** Whether all events of the actor up to this one were folded; a checkpoint makes up for those that were not. */
  private follow(path: string, decider: AnyDecider, before: number, { actorSequence, event }: RecordedEvent): void {
    if (before !== actorSequence - 1) this.partial.add(path)
    if (event._tag === "ActorCheckpointed" && event.stateVersion === decider.stateVersion) this.partial.delete(path)
  }

  apply(recorded: RecordedEvent): void {
    this.events += 1
    this.node = recorded.node
    this.lastTime = recorded.time
    this.lastSequence = recorded.sequence
    if (recorded.event._tag === "Unknown") this.unknown += 1
    const decider = this.deciders.get(recorded.actor.kind)
    if (decider === undefined) return
    const path = actorPath(recorded.actor)
    let actor = this.actors.get(path)
    this.follow(path, decider, actor?.actorSequence ?? this.finished.get(path) ?? 0, recorded)
    const isNew = actor === undefined
    if (actor === undefined) {
      actor = { id: recorded.actor, state: decider.initial(recorded.actor), actorSequence: 0, sequence: 0, events: 0 }
      this.actors.set(path, actor)
    }
    actor.state = foldEvent(decider, actor.state, recorded)
    actor.actorSequence = recorded.actorSequence
    actor.sequence = recorded.sequence
    actor.events += 1
    if (decider.finished?.(actor.state) === true) {
      this.actors.delete(path)
      this.finished.set(path, recorded.actorSequence)
    } else if (isNew) {
      this.finished.delete(path)
    }
  }
}

export type { Command, NodeEvent }
