/** The decisions of a log as what they were: a command that an actor was told, and the events that it decided. */
import { Result, Schema } from "effect"
import { type ActorId, actorPath } from "../../events/actor-id.ts"
import type { NodeEvent } from "../../events/catalogue.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { FirstState } from "../../events/incident/first-state.ts"
import type { Pod } from "../../events/pod-spec.ts"
import type { Command } from "../kernel/behavior.ts"
import { type Flags, noFlags } from "../kernel/flags.ts"
import { type Deciders, evolveActor, isKernelEvent } from "../kernel/fold.ts"
import { makeCommandReader } from "../kernel/read-command.ts"
import type { DesirePod } from "../pod/commands.ts"
import type { PodState } from "../pod/state.ts"

export type KnownEvent = RecordedEvent<NodeEvent>

export interface Letter {
  readonly actor: ActorId
  readonly path: string
  readonly command: Command
  /** Id of the event that led to it, as far as the log tells. */
  readonly cause: string | undefined
  /** What was decided; none where the command led to nothing (flight recorder). */
  readonly events: ReadonlyArray<KnownEvent>
  /** Of the first event. */
  readonly sequence: number
  /** The decision flags that were in force. */
  readonly flags: Flags
}

/** A command of the log that today's code cannot read. */
export class UnreadableCommand extends Schema.TaggedError<UnreadableCommand>()("UnreadableCommand", {
  sequence: Schema.Int,
  actor: Schema.String,
  message: Schema.String
}) {}

/** Which pod an actor belongs to: its own path, or that of the pod that supervises it. Undefined: to none. */
export const familyOf = (deciders: Deciders, actor: ActorId): ActorId | undefined => {
  if (actor.kind === "pod") return actor
  const supervisor = deciders.get(actor.kind)?.supervisor?.(actor)
  return supervisor?.kind === "pod" ? supervisor : undefined
}

interface Open {
  readonly actor: ActorId
  readonly path: string
  readonly text: string
  readonly cause: string | undefined
  readonly sequence: number
  readonly flags: Flags
  readonly events: Array<KnownEvent>
}

export interface FirstStateOf {
  readonly actor: ActorId
  readonly state: unknown
  /** After which event. */
  readonly sequence: number
}

/** What the log tells of one pod, its probes and its volumes. */
export interface Family {
  readonly pod: ActorId
  readonly letters: ReadonlyArray<Letter>
  readonly events: ReadonlyArray<KnownEvent>
  /** Where the log begins in the middle of an actor's life: its state there, and before which sequence. */
  readonly firstStates: ReadonlyMap<string, FirstStateOf>
  /** Actors whose beginning the log does not have: nothing can be said of them. */
  readonly beginningless: ReadonlySet<string>
}

/** Gathers the families that are wanted out of a log, fed in its order. */
export class FamilyReader {
  private readonly deciders: Deciders
  private readonly isWanted: (pod: ActorId) => boolean
  private readonly ownerOf: typeof familyOf
  private readonly families = new Map<
    string,
    {
      readonly pod: ActorId
      readonly letters: Array<Open>
      readonly events: Array<KnownEvent>
      readonly firstStates: Map<string, FirstStateOf>
      readonly beginningless: Set<string>
    }
  >()
  private flags: Flags = noFlags
  private readonly known = new Set<string>()
  private readonly open = new Map<string, Open>()

  /** @param ownerOf whose family an actor belongs to; by default a pod's */
  constructor(deciders: Deciders, isWanted: (pod: ActorId) => boolean, ownerOf = familyOf) {
    this.ownerOf = ownerOf
    this.deciders = deciders
    this.isWanted = isWanted
  }

  /** The decision flags that are in force from here on. */
  inForce(flags: Flags): void {
    this.flags = flags
  }

  /** The states that a slice begins with. One of another version than this program's is worth nothing. */
  begin({ actors, finished }: FirstState): void {
    for (const { id, state, stateVersion, sequence } of actors) {
      const family = this.familyFor(id)
      if (family === undefined) continue
      const path = actorPath(id)
      this.known.add(path)
      if (stateVersion === this.deciders.get(id.kind)?.stateVersion)
        family.firstStates.set(path, { actor: id, state, sequence })
      else family.beginningless.add(path)
    }
    // They begin anew.
    for (const [path] of finished) this.known.add(path)
  }

  apply(recorded: RecordedEvent): void {
    const { actor, event } = recorded
    if (event._tag === "Unknown") return
    const family = this.familyFor(actor)
    if (family === undefined) return
    const path = actorPath(actor)
    if (!this.known.has(path)) {
      this.known.add(path)
      if (event._tag === "ActorCheckpointed") {
        if (event.stateVersion === this.deciders.get(actor.kind)?.stateVersion)
          family.firstStates.set(path, { actor, state: event.state, sequence: recorded.sequence })
        else family.beginningless.add(path)
      } else if (recorded.actorSequence !== 1) family.beginningless.add(path)
    }
    if (recorded.command !== undefined) {
      const open: Open = {
        actor,
        path,
        text: recorded.command,
        cause: recorded.cause,
        sequence: recorded.sequence,
        flags: this.flags,
        events: []
      }
      family.letters.push(open)
      this.open.set(path, open)
    } else if (isKernelEvent(event._tag)) this.open.delete(path)
    if (isKernelEvent(event._tag)) return
    const open = this.open.get(path)
    if (open === undefined) this.endDecision(family.firstStates, recorded as KnownEvent, path)
    else open.events.push(recorded as KnownEvent)
    family.events.push(recorded as KnownEvent)
  }

  /** A slice may begin in the middle of a decision: its rest belongs to the state that the slice begins with. */
  private endDecision(firstStates: Map<string, FirstStateOf>, recorded: KnownEvent, path: string): void {
    const { actor, event, sequence } = recorded
    const decider = this.deciders.get(actor.kind)!
    const before = firstStates.get(path)?.state ?? decider.initial(actor)
    firstStates.set(path, { actor, state: evolveActor(decider, actor, before, event, recorded), sequence })
  }

  /** @throws UnreadableCommand */
  end(): ReadonlyArray<Family> {
    const read = letterReader(this.deciders)
    return [...this.families.values()].map((family) => ({ ...family, letters: family.letters.map(read) }))
  }

  private familyFor(actor: ActorId) {
    const pod = this.ownerOf(this.deciders, actor)
    if (pod === undefined || !this.isWanted(pod)) return undefined
    const path = actorPath(pod)
    let family = this.families.get(path)
    if (family === undefined) {
      family = { pod, letters: [], events: [], firstStates: new Map(), beginningless: new Set() }
      this.families.set(path, family)
    }
    return family
  }
}

const letterReader = (deciders: Deciders) => {
  const read = makeCommandReader()
  return ({ text, ...open }: Open): Letter => {
    const result = read(deciders.get(open.actor.kind)!, text)
    if (Result.isSuccess(result)) return { ...open, command: result.success }
    throw new UnreadableCommand({ sequence: open.sequence, actor: open.path, message: result.failure.problem })
  }
}

/** How a pod was defined, and the longest crash back-off that its node gave it (seconds; absent: kubelet's). */
export interface RecordedDefinition {
  readonly pod: Pod
  readonly maxRestartPeriodSeconds?: number | undefined
}

/** The definitions that a pod had in a log, as they were. */
export const definitionsOf = ({ letters, firstStates }: Family): ReadonlyArray<RecordedDefinition> => [
  ...[...firstStates.values()].flatMap(({ actor, state }) => {
    const definition = actor.kind === "pod" ? (state as PodState).definition : null
    return definition === null ? [] : [definition]
  }),
  ...letters.flatMap(({ command, events }) =>
    command._tag === "DesirePod" && events.length > 0 ? [command as never as typeof DesirePod.Type] : []
  )
]
