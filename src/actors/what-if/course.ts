/**
 * The course that a pod would have taken: its recorded commands decided again under the change, exactly, until a decision
 * differs; from there on the same deciders in a modelled world, under a clock of its own. Pure and without time: a day takes
 * no longer than its events.
 */
import { type ActorId, actorPath } from "../../events/actor-id.ts"
import type { NodeEvent } from "../../events/catalogue.ts"
import { timestamp } from "../../events/definition.ts"
import type { NodeRoom } from "../../events/node-room.ts"
import type { Pod } from "../../events/pod-spec.ts"
import type { Command, Decided } from "../kernel/behavior.ts"
import { type AnyDecider, evolveActor } from "../kernel/fold.ts"
import { canonical } from "../kernel/json.ts"
import type { PodState } from "../pod/state.ts"
import { changedCommand, changedState, hearsOtherwise } from "./change.ts"
import type { Family, KnownEvent, Letter } from "./letters.ts"
import { type CourseOptions, type ModelledCourse, ModelledRun } from "./modelled-run.ts"
import type { Past } from "./past.ts"

export interface Parting {
  /** Of the recorded decision that would have been another one. */
  readonly sequence: number
  readonly time: string
  readonly actor: string
  readonly command: string
}

export interface Course extends ModelledCourse {
  readonly pod: ActorId
  /** Absent: every decision is the same. */
  readonly parted: Parting | undefined
  /** What both courses have in common, then what each has for itself. */
  readonly common: ReadonlyArray<KnownEvent>
  readonly recorded: ReadonlyArray<KnownEvent>
}

/** Fields that hold the settings themselves: in them the courses differ from the start, and that is no parting. */
const settingFields = new Set(["pod", "spec", "threshold", "maxRestartPeriodSeconds", "qosClass", "target"])

const withoutSettings = (event: object): object =>
  Object.fromEntries(Object.entries(event).filter(([field]) => !settingFields.has(field)))

/** `isCut`: the log may end in the middle of it. */
const isSameDecision = (
  recorded: ReadonlyArray<KnownEvent>,
  decided: ReadonlyArray<Decided<NodeEvent>>,
  isCut: boolean
): boolean =>
  (recorded.length === decided.length || (isCut && recorded.length > 0 && recorded.length < decided.length)) &&
  recorded.every(({ event }, i) => canonical(withoutSettings(event)) === canonical(withoutSettings(decided[i]!.event)))

/** What other evictions mean for one pod. */
export interface OtherEvictions {
  /** Ids of the EvictionTriggered that would not have been. */
  readonly dropped: ReadonlySet<string>
  /** Evictions of this pod that would have been instead, in order of time. */
  readonly added: ReadonlyArray<Command>
  /** The conditions of the node that would have held at a time (ms). */
  readonly heldAt: (at: number) => ReadonlyArray<string>
}

const isDropped = ({ command, cause }: Letter, evictions: OtherEvictions | undefined): boolean =>
  command._tag === "EvictPod" && cause !== undefined && evictions?.dropped.has(cause) === true

/** Whether the pod is let in depends on the node's conditions. */
const underPressure = (command: Command, evictions: OtherEvictions | undefined): Command => {
  const { room } = command as Command & { readonly room?: NodeRoom }
  if (evictions === undefined || command._tag !== "DesirePod" || room === undefined) return command
  const { pressure: _, pressureBecause: __, ...rest } = room
  const held = evictions.heldAt(command.at)
  return { ...command, room: held.length === 0 ? rest : { ...rest, pressure: held } } as Command
}

export const courseOf = (family: Family, past: Past, options: CourseOptions, evictions?: OtherEvictions): Course => {
  const { deciders, change } = options
  const added = evictions?.added ?? []
  const part = (letter: Letter, command: Command | undefined, parted: Parting, from: number): Course => {
    const rest = family.letters.slice(from).filter((one) => !isDropped(one, evictions))
    const run = new ModelledRun(states, kept, past, options)
    const more = added.filter((one) => one !== command).map((one) => ({ actor: family.pod, command: one }))
    run.begin(letter, command, rest, more)
    const recorded = family.events.filter(({ id }) => !kept.has(id))
    return { pod: family.pod, parted, common, recorded, ...run.finish() }
  }
  const states = new Map<string, unknown>()
  const kept = new Set<string>()
  const common: Array<KnownEvent> = []
  const deciderOf = (actor: ActorId): AnyDecider => deciders.get(actor.kind)!
  for (const [path, { actor, state }] of family.firstStates) states.set(path, changedState(change, actor, state))
  const startsOtherwise = [...family.firstStates.values()].some(
    ({ actor, state }) =>
      actor.kind === "pod" &&
      (state as PodState).definition !== null &&
      hearsOtherwise(change, (state as PodState).definition!.pod)
  )

  for (const [index, letter] of family.letters.entries()) {
    const { actor, path, events } = letter
    const [first] = added
    if (first !== undefined && first.at <= letter.command.at) {
      const evicted = evictionLetter(family.pod, first, letter)
      return part(evicted, first, partingOf(evicted, first), index)
    }
    if (isDropped(letter, evictions)) {
      return part(letter, undefined, partingOf(letter, letter.command), index + 1)
    }
    if (family.beginningless.has(path)) continue
    const before = states.has(path) ? states.get(path) : deciderOf(actor).initial(actor)
    const command = underPressure(changedCommand(change, actor, letter.command), evictions)
    const decided = deciderOf(actor).decide(before, command as never, letter.flags)
    const hears =
      startsOtherwise ||
      (command._tag === "DesirePod" &&
        decided.length > 0 &&
        hearsOtherwise(change, (letter.command as never as Desire).pod))
    if (!hears && isSameDecision(events, decided, index === family.letters.length - 1)) {
      let state = before
      for (const [i, recorded] of events.entries()) {
        state = evolveActor(deciderOf(actor), actor, state, decided[i]!.event, recorded)
        kept.add(recorded.id)
        common.push(recorded)
      }
      states.set(path, state)
      continue
    }
    return part(letter, command, partingOf(letter, command), index + 1)
  }
  const [first] = added
  const last = family.letters.at(-1)
  if (first !== undefined && last !== undefined) {
    const evicted = evictionLetter(family.pod, first, last)
    return part(evicted, first, partingOf(evicted, first), family.letters.length)
  }
  return {
    pod: family.pod,
    parted: undefined,
    common,
    recorded: [],
    instead: [],
    assumptions: [],
    isCutOff: false
  }
}

const partingOf = ({ sequence, path }: Letter, { at, _tag }: Command): Parting => ({
  sequence,
  time: timestamp(at),
  actor: path,
  command: _tag
})

/** An eviction that no log has, at the place of the recorded letter that comes after it. */
const evictionLetter = (pod: ActorId, command: Command, { sequence, flags }: Letter): Letter => ({
  actor: pod,
  path: actorPath(pod),
  command,
  cause: undefined,
  events: [],
  sequence,
  flags
})

interface Desire {
  readonly pod: Pod
}
