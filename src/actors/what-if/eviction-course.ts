/**
 * The evictions that a node would have made under other settings: every recorded look at its resources decided again, with the
 * figures as they would have been. Pure.
 */
import type { EventOf } from "../../events/catalogue.ts"
import { timestamp } from "../../events/definition.ts"
import type { EvictionCommand, ResourcesObserved } from "../eviction/commands.ts"
import { evictionDecider } from "../eviction/decider.ts"
import type { Candidate } from "../eviction/rules/candidate.ts"
import { type EvictionEvent, type EvictionSettings, type EvictionState, heldConditions } from "../eviction/state.ts"
import type { Command } from "../kernel/behavior.ts"
import type { PodCommand } from "../pod/commands.ts"
import { Assumptions } from "./assumptions.ts"
import type { Family, Letter } from "./letters.ts"
import { type Difference, differencesOf } from "./merge.ts"

/** Fields of a KubeletConfiguration that are otherwise; thresholds by their signals. */
export type EvictionChange = Partial<EvictionSettings>

/** A pod that goes. */
export interface PlannedEviction {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Milliseconds. */
  readonly at: number
  /** Id of its EvictionTriggered; of the other course it is made up. */
  readonly id: string
  readonly event: EventOf<"EvictionTriggered">
}

export interface EvictionCourse {
  readonly differences: ReadonlyArray<Difference>
  readonly recorded: ReadonlyArray<PlannedEviction>
  readonly instead: ReadonlyArray<PlannedEviction>
  /** Recorded ones that would not have been, by id. */
  readonly dropped: ReadonlySet<string>
  /** Ones that would have been instead, or besides. */
  readonly added: ReadonlyArray<PlannedEviction>
  /** From when (ms) which conditions of the node would have held; in order of time. */
  readonly conditions: ReadonlyArray<{ readonly at: number; readonly held: ReadonlyArray<string> }>
  readonly assumptions: Assumptions
}

/** Milliseconds that a pod takes to end where the log does not tell of any: the least that containers get. */
const endTakes = 2000

export const changedSettings = (change: EvictionChange, settings: EvictionSettings): EvictionSettings => ({
  ...settings,
  ...change,
  evictionHard: { ...settings.evictionHard, ...change.evictionHard },
  evictionSoft: { ...settings.evictionSoft, ...change.evictionSoft },
  evictionSoftGracePeriod: { ...settings.evictionSoftGracePeriod, ...change.evictionSoftGracePeriod },
  evictionMinimumReclaim: { ...settings.evictionMinimumReclaim, ...change.evictionMinimumReclaim }
})

/** The command of an eviction, as the actor sends it. */
export const evictCommand = ({ at, event }: PlannedEviction): PodCommand => ({
  _tag: "EvictPod",
  at,
  uid: event.uid,
  signal: event.signal,
  message: event.message,
  gracePeriodSeconds: event.gracePeriodSeconds,
  disrupted: event.rank > 0
})

type Sighted = Pick<ResourcesObserved, "observations" | "candidates">

const diskOf = ({ usage }: Candidate, part: 0 | 1): number =>
  [usage?.root, usage?.logs, usage?.volumes].reduce((sum, disk) => sum + (disk?.[part] ?? 0), 0)

const usedOf = (candidate: Candidate, signal: string): number => {
  if (signal.endsWith("emory.available")) return candidate.usage?.memory ?? 0
  if (signal.startsWith("pid.")) return candidate.usage?.processes ?? 0
  return diskOf(candidate, signal.endsWith("inodesFree") ? 1 : 0)
}

/** As it would have been: without pods that would be gone, with those that would still be there. */
const adjusted = <S extends Sighted>(
  sighted: S,
  gone: ReadonlySet<string>,
  stays: ReadonlyMap<string, Candidate>,
  assumptions: Assumptions
): S => {
  const freed = sighted.candidates.filter(({ uid }) => gone.has(uid))
  const there = new Set(sighted.candidates.map(({ uid }) => uid))
  const more = [...stays.values()].filter(({ uid }) => !there.has(uid) && !gone.has(uid))
  if (freed.length + more.length === 0) return sighted
  for (const { namespace, name } of [...freed, ...more])
    assumptions.assume("figures-without-others", `${namespace}/${name}`)
  const observations = Object.fromEntries(
    Object.entries(sighted.observations).map(([signal, observed]) => {
      if (observed === undefined) return [signal, observed]
      const sum = (of: ReadonlyArray<Candidate>): number => of.reduce((total, one) => total + usedOf(one, signal), 0)
      const available = Math.max(0, Math.min(observed.capacity, observed.available + sum(freed) - sum(more)))
      return [signal, { ...observed, available }]
    })
  ) as S["observations"]
  const candidates = [...sighted.candidates.filter(({ uid }) => !gone.has(uid)), ...more] as S["candidates"]
  return { ...sighted, observations, candidates }
}

const triggeredIn = (events: ReadonlyArray<{ readonly event: unknown }>): ReadonlyArray<EventOf<"EvictionTriggered">> =>
  events.flatMap(({ event }) => {
    const one = event as EvictionEvent
    return one._tag === "EvictionTriggered" ? [one] : []
  })

class EvictionRun {
  state: EvictionState
  readonly instead: Array<PlannedEviction> = []
  readonly conditions: Array<{ at: number; held: ReadonlyArray<string> }> = []
  readonly kept = new Set<string>()
  readonly assumptions = new Assumptions()
  /** Outcomes that the log does not have, in order of time. */
  private due: Array<EvictionCommand> = []
  private readonly gone = new Set<string>()
  private readonly stays = new Map<string, Candidate>()
  private readonly seen = new Map<string, Candidate>()
  private events = 0

  constructor(state: EvictionState) {
    this.state = state
    this.conditions.push({ at: Number.NEGATIVE_INFINITY, held: heldConditions(state) })
  }

  letter({ command, events }: Letter, change: EvictionChange): void {
    const at = command.at
    while (this.due.length > 0 && this.due[0]!.at <= at) this.decide(this.due.shift()!, undefined)
    const changed = this.changed(command as EvictionCommand, change)
    // In truth it is gone from here on.
    for (const { uid } of triggeredIn(events)) {
      const known = this.seen.get(uid)
      if (known !== undefined) this.stays.set(uid, known)
    }
    this.decide(changed, events)
  }

  private changed(command: EvictionCommand, change: EvictionChange): EvictionCommand {
    if (command._tag === "ConfigureEviction") {
      const { _tag, at, ...settings } = command
      return { _tag, at, ...changedSettings(change, settings) }
    }
    if (command._tag !== "ResourcesObserved" && command._tag !== "ReportReclaim") return command
    for (const candidate of command.candidates) this.seen.set(candidate.uid, candidate)
    return adjusted(command, this.gone, this.stays, this.assumptions)
  }

  /** `recorded`: what came of the command in truth; absent: it is none of the log's. */
  private decide(command: EvictionCommand, recorded: Letter["events"] | undefined): void {
    const before = heldConditions(this.state)
    const decided = evictionDecider.decide(this.state, command, new Set())
    for (const { event, time } of decided) {
      const same = recorded?.find(
        (one) =>
          one.event._tag === event._tag &&
          (event._tag !== "EvictionTriggered" || (one.event as typeof event).uid === event.uid)
      )
      const id = same?.id ?? `what-if-eviction-${++this.events}`
      const meta = { id, time: timestamp(time ?? command.at) }
      this.state = evictionDecider.evolve(this.state, event, meta)
      this.follow(event, id, command, same !== undefined)
    }
    const held = heldConditions(this.state)
    if (held.join() !== before.join()) this.conditions.push({ at: command.at, held })
  }

  private follow(event: EvictionEvent, id: string, command: EvictionCommand, isRecorded: boolean): void {
    const { at } = command
    if (event._tag === "EvictionTriggered") {
      const { namespace, name, uid } = event
      this.instead.push({ namespace, name, uid, at, id, event })
      this.gone.add(uid)
      if (isRecorded) {
        this.kept.add(id)
        this.stays.delete(uid)
      } else this.later({ _tag: "ReportEvicted", at: at + endTakes, uid, outcome: "gone" })
    } else if (event._tag === "NodeReclaimRequested" && !isRecorded && command._tag === "ResourcesObserved") {
      this.assumptions.assume("reclaims-nothing", event.signal)
      const { layout, observations, candidates } = command
      this.later({ _tag: "ReportReclaim", at, freedBytes: 0, layout, observations, candidates })
    }
  }

  private later(command: EvictionCommand): void {
    this.due = [...this.due, command].sort((a, b) => a.at - b.at)
  }

  /** @param end of the log, milliseconds */
  finish(end: number): void {
    while (this.due.length > 0 && this.due[0]!.at <= end) this.decide(this.due.shift()!, undefined)
  }
}

/** @param family the letters of the actor of eviction */
export const evictionCourseOf = (family: Family, change: EvictionChange, end: number): EvictionCourse => {
  const first = [...family.firstStates.values()][0]?.state as EvictionState | undefined
  const begin = first ?? evictionDecider.initial(family.pod)
  const run = new EvictionRun(
    begin.settings === null ? begin : { ...begin, settings: changedSettings(change, begin.settings) }
  )
  const settings =
    begin.settings ??
    family.letters
      .map(({ command }) => command as EvictionCommand)
      .find((command): command is Extract<EvictionCommand, { _tag: "ConfigureEviction" }> => isConfiguration(command))
  for (const letter of family.letters) run.letter(letter, change)
  run.finish(end)
  const recorded = family.letters.flatMap(({ command, events }) =>
    events.flatMap(({ id, event }) => {
      const one = event as EvictionEvent
      if (one._tag !== "EvictionTriggered") return []
      const { namespace, name, uid } = one
      return [{ namespace, name, uid, at: command.at, id, event: one }]
    })
  )
  return {
    differences: settings === undefined ? [] : settingDifferences(settings, change),
    recorded,
    instead: run.instead,
    dropped: new Set(recorded.filter(({ id }) => !run.kept.has(id)).map(({ id }) => id)),
    added: run.instead.filter(({ id }) => !run.kept.has(id)),
    conditions: run.conditions,
    assumptions: run.assumptions
  }
}

const isConfiguration = (command: Command): boolean => command._tag === "ConfigureEviction"

const settingDifferences = (settings: EvictionSettings & object, change: EvictionChange): ReadonlyArray<Difference> => {
  const { _tag, at, ...own } = settings as EvictionSettings & { readonly _tag?: string; readonly at?: number }
  return differencesOf(own, changedSettings(change, own))
}

/** The conditions that would have held at a time (ms). */
export const heldAt = ({ conditions }: EvictionCourse, at: number): ReadonlyArray<string> =>
  conditions.findLast((one) => one.at <= at)?.held ?? []
