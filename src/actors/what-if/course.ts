/**
 * The course that a pod would have taken: its recorded commands decided again under the change, exactly, until a decision
 * differs; from there on the same deciders in a modelled world, under a clock of its own. Pure and without time: a day takes
 * no longer than its events.
 */
import type { ActorId } from "../../events/actor-id.ts"
import type { NodeEvent } from "../../events/catalogue.ts"
import { timestamp } from "../../events/definition.ts"
import type { Pod } from "../../events/pod-spec.ts"
import type { Decided } from "../kernel/behavior.ts"
import { type AnyDecider, evolveActor } from "../kernel/fold.ts"
import { canonical } from "../kernel/json.ts"
import type { PodState } from "../pod/state.ts"
import { changedCommand, changedState, hearsOtherwise } from "./change.ts"
import type { Family, KnownEvent } from "./letters.ts"
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

export const courseOf = (family: Family, past: Past, options: CourseOptions): Course => {
  const { deciders, change } = options
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
    if (family.beginningless.has(path)) continue
    const before = states.has(path) ? states.get(path) : deciderOf(actor).initial(actor)
    const command = changedCommand(change, actor, letter.command)
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
    const parted: Parting = {
      sequence: letter.sequence,
      time: timestamp(command.at),
      actor: path,
      command: command._tag
    }
    const rest = family.letters.slice(index + 1)
    const run = new ModelledRun(states, kept, past, options)
    run.begin(letter, command, rest)
    const recorded = family.events.filter(({ id }) => !kept.has(id))
    return { pod: family.pod, parted, common, recorded, ...run.finish() }
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

interface Desire {
  readonly pod: Pod
}
