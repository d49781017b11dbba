/**
 * A log taken again with something changed: for every pod that the change concerns, the course that it would have taken, and
 * what was taken for granted.
 */
import { type ActorId, actorPath } from "../../events/actor-id.ts"
import { millis, timestamp } from "../../events/definition.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { FirstState } from "../../events/incident/first-state.ts"
import type { Pod } from "../../events/pod-spec.ts"
import type { Flags } from "../kernel/flags.ts"
import type { Deciders } from "../kernel/fold.ts"
import { maximumDelay } from "../pod/plan/backoff.ts"
import type { PodState } from "../pod/state.ts"
import { answersOf, type ContainerAnswer } from "./answers.ts"
import { type Assumption, assumptionTexts } from "./assumptions.ts"
import { type Change, differencesFor, programChanges, questionChanges, touches } from "./change.ts"
import { type Course, courseOf, type OtherEvictions } from "./course.ts"
import { type EvictionCourse, evictCommand, evictionCourseOf, heldAt } from "./eviction-course.ts"
import { definitionsOf, type Family, FamilyReader } from "./letters.ts"
import type { Difference } from "./merge.ts"
import type { RunPolicy } from "./model.ts"
import { pastOf } from "./past.ts"

export interface PodOutcome {
  readonly course: Course
  readonly differences: ReadonlyArray<Difference>
  readonly answers: ReadonlyArray<ContainerAnswer>
  /** What would have been if runs at other times are modelled after the one before, where that makes a difference. */
  readonly otherwise: ReadonlyArray<ContainerAnswer> | undefined
  /** Everything that was taken for granted. */
  readonly assumptions: ReadonlyArray<Assumption>
}

export interface WhatIf {
  readonly pods: ReadonlyArray<PodOutcome>
  /** Of the node, where settings of eviction are otherwise. */
  readonly eviction: EvictionCourse | undefined
  /** Pods of the log that the change does not concern. */
  readonly others: number
  /** Pods whose beginning the log does not have. */
  readonly unknown: ReadonlyArray<string>
  /** `recording: inputs` in the whole log. */
  readonly isWhole: boolean
  /** When the log ends, RFC 3339. */
  readonly end: string
}

/** What a slice says of the time before its first event. */
export interface SliceStart {
  readonly first: FirstState | undefined
  readonly flags: Flags | undefined
  readonly recording: "events" | "inputs" | undefined
}

/** Reads a log for a what-if run; fed in its order. */
export class WhatIfRun {
  private readonly deciders: Deciders
  private readonly change: Change
  private readonly families: FamilyReader
  private readonly others = new Set<string>()
  private readonly images = new Map<string, string>()
  private readonly agentStarts: Array<number> = []
  private readonly evictions: FamilyReader
  private read: ReadonlyArray<Family> | undefined
  private recording: "events" | "inputs" | undefined
  private end = Number.NEGATIVE_INFINITY

  constructor(deciders: Deciders, change: Change) {
    this.deciders = deciders
    this.change = change
    this.families = new FamilyReader(deciders, (pod) => {
      if (touches(change, pod) || change.eviction !== undefined) return true
      this.others.add(actorPath(pod))
      return false
    })
    this.evictions = new FamilyReader(
      deciders,
      () => change.eviction !== undefined,
      (_, actor) => (actor.kind === "eviction" ? actor : undefined)
    )
  }

  /** What was the case before the first event of a slice, as far as it is known. */
  begin({ first, flags, recording }: SliceStart): void {
    this.recording = recording
    for (const families of [this.families, this.evictions]) {
      if (flags !== undefined) families.inForce(flags)
      if (first !== undefined) families.begin(first)
    }
  }

  apply(recorded: RecordedEvent): void {
    const { event } = recorded
    const at = millis(recorded.recordedTime)
    this.end = Math.max(this.end, at)
    if (event._tag === "NodeStarted") {
      this.agentStarts.push(at)
      this.families.inForce(new Set(event.flags))
      // As weak as its weakest part.
      this.recording = this.recording === "events" ? "events" : event.recording
    } else if (event._tag === "ImageFound" || event._tag === "ImagePulled") {
      this.images.set(recorded.actor.name, event.imageId)
    }
    this.families.apply(recorded)
    this.evictions.apply(recorded)
  }

  /** The definitions that the pods in question had, when the whole log is read. @throws UnreadableCommand */
  definitions(): ReadonlyArray<Pod> {
    return this.known().flatMap((family) => definitionsOf(family).map(({ pod }) => pod))
  }

  /** Pods in question whose beginning the log does not have: `namespace/name`. @throws UnreadableCommand */
  unknown(): ReadonlyArray<string> {
    return this.ended()
      .filter(({ pod, beginningless }) => beginningless.has(actorPath(pod)))
      .map(({ pod }) => `${pod.namespace}/${pod.name}`)
  }

  private ended(): ReadonlyArray<Family> {
    this.read ??= this.families.end()
    return this.read
  }

  private known(): ReadonlyArray<Family> {
    return this.ended().filter(({ pod, beginningless }) => !beginningless.has(actorPath(pod)))
  }

  /** @throws UnreadableCommand */
  finish(): WhatIf {
    const isWhole = this.recording === "inputs"
    const eviction = this.evictionCourse()
    const known = this.known()
    const outcomes = known
      .map((family) => this.outcome(family, isWhole, eviction))
      // An eviction concerns those that it would have spared or taken.
      .filter(({ course }) => touches(this.change, course.pod) || course.parted !== undefined)
    return {
      pods: outcomes,
      eviction,
      others: this.others.size + known.length - outcomes.length,
      unknown: this.unknown(),
      isWhole,
      end: timestamp(Math.max(0, this.end))
    }
  }

  private evictionCourse(): EvictionCourse | undefined {
    const { eviction } = this.change
    const [family] = this.evictions.end()
    return eviction === undefined || family === undefined ? undefined : evictionCourseOf(family, eviction, this.end)
  }

  private outcome(family: Family, isWhole: boolean, eviction: EvictionCourse | undefined): PodOutcome {
    const past = pastOf(family, this.end, isWhole)
    const { deciders, change, images, agentStarts } = this
    const under = (policy: RunPolicy) =>
      courseOf(family, past, { deciders, change, policy, images, agentStarts }, othersFor(family.pod, eviction))
    const course = under("next")
    const first = family.firstStates.get(actorPath(family.pod))?.state as PodState | undefined
    const answers = answersOf(course, first, this.end)
    const second = course.assumptions.some(({ name }) => name === "runs-as-next")
      ? answersOf(under("previous"), first, this.end)
      : answers
    const differences = [...(eviction?.differences ?? []), ...this.differences(family)]
    return {
      course,
      differences,
      answers,
      otherwise: JSON.stringify(second) === JSON.stringify(answers) ? undefined : second,
      assumptions: [
        ...(isWhole
          ? []
          : [{ name: "unrecorded-inputs" as const, text: assumptionTexts["unrecorded-inputs"], of: [] }]),
        ...(eviction?.assumptions.list() ?? []),
        ...course.assumptions,
        ...named("same-program", programChanges(differences)),
        ...named("same-answers", questionChanges(differences))
      ]
    }
  }

  /** Of every definition that the pod had in this log. */
  private differences(family: Family): ReadonlyArray<Difference> {
    const found = new Map<string, Difference>()
    for (const { pod, maxRestartPeriodSeconds = maximumDelay / 1000 } of definitionsOf(family)) {
      for (const difference of differencesFor(this.change, pod, maxRestartPeriodSeconds))
        found.set(JSON.stringify(difference), difference)
    }
    return [...found.values()]
  }
}

const othersFor = (pod: ActorId, eviction: EvictionCourse | undefined): OtherEvictions | undefined =>
  eviction && {
    dropped: eviction.dropped,
    added: eviction.added
      .filter(({ namespace, name }) => namespace === pod.namespace && name === pod.name)
      .map(evictCommand),
    heldAt: (at) => heldAt(eviction, at)
  }

const named = (name: "same-program" | "same-answers", of: ReadonlyArray<string>): ReadonlyArray<Assumption> =>
  of.length === 0 ? [] : [{ name, text: assumptionTexts[name], of }]
