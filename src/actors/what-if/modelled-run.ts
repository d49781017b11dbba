/**
 * The course of a pod from the parting on: its deciders in a modelled world, under a clock of its own, which goes from one due
 * command to the next. Pure and without time.
 */
import { type ActorId, actorPath, parseActorPath } from "../../events/actor-id.ts"
import type { NodeEvent } from "../../events/catalogue.ts"
import { timestamp } from "../../events/definition.ts"
import type { Command, Decided } from "../kernel/behavior.ts"
import { pendingIndex } from "../kernel/decision.ts"
import { type Flags, noFlags } from "../kernel/flags.ts"
import { type Deciders, evolveActor } from "../kernel/fold.ts"
import type { LogEvent } from "../log/state.ts"
import type { PodEvent } from "../pod/evolve.ts"
import { podMessages } from "../pod/messages.ts"
import type { PodState } from "../pod/state.ts"
import { probeMessages } from "../probe/messages.ts"
import type { ProbeEvent, ProbeState } from "../probe/state.ts"
import { volumeMessages } from "../volume/messages.ts"
import type { VolumeEvent } from "../volume/state.ts"
import { type Assumption, Assumptions } from "./assumptions.ts"
import { type Change, changedCommand } from "./change.ts"
import type { Letter } from "./letters.ts"
import { type RunPolicy, WorldModel } from "./model.ts"
import type { Past } from "./past.ts"

/** An event of a course. Times are RFC 3339. */
export interface CourseEvent {
  readonly id: string
  readonly time: string
  readonly actor: ActorId
  readonly cause: string | undefined
  readonly event: NodeEvent
}

export interface ModelledCourse {
  readonly instead: ReadonlyArray<CourseEvent>
  readonly assumptions: ReadonlyArray<Assumption>
  /** It was cut off: it led to more events than `maxModelledEvents`. */
  readonly isCutOff: boolean
}

/** Events of a modelled course of one pod at most. */
export const maxModelledEvents = 100_000

export interface CourseOptions {
  readonly deciders: Deciders
  readonly change: Change
  readonly policy: RunPolicy
  /** Image ids by image name, of the whole log. */
  readonly images: ReadonlyMap<string, string>
  /** Times (ms) at which the agent started anew. */
  readonly agentStarts: ReadonlyArray<number>
}

/** Outcomes of work that was under way when the courses parted: they come as they came. */
const outcomes = new Set([
  "ReportSandbox",
  "ReportSandboxStop",
  "ReportContainerCreated",
  "ReportContainerStart",
  "ReportContainerStop",
  "ReportHook",
  "ReportContainersRemoved",
  "ReportCleanup",
  "ReportPreempted",
  "MountSucceeded",
  "MountFailed",
  "UnmountSucceeded",
  "UnmountFailed"
])
/** What is said between the actors of a pod. */
const messages = new Set(["StartProbe", "StopProbe", "ReportProbe", "MountVolume", "UnmountVolume", "ReportVolume"])
/** What comes from outside whatever the pod does. */
const external = new Set(["DesirePod", "UndesirePod", "PreemptPod", "EvictPod", "ReportImage", "RefreshVolume"])

/** A command that comes from outside the pod. */
export interface Told {
  readonly actor: ActorId
  readonly command: Command
}

interface Item {
  readonly at: number
  readonly order: number
  readonly due: () => void
}

/** From the parting on. */
export class ModelledRun {
  private readonly states: Map<string, unknown>
  private readonly kept: ReadonlySet<string>
  private readonly past: Past
  private readonly options: CourseOptions
  private readonly assumptions = new Assumptions()
  private readonly model: WorldModel
  private readonly queue: Array<Item> = []
  private readonly armed = new Set<string>()
  /** By a probe's path: since which event it is asked. */
  private readonly asking = new Map<string, string>()
  private readonly events: Array<CourseEvent> = []
  private flags: Flags = noFlags
  private order = 0
  private now = Number.NEGATIVE_INFINITY

  constructor(states: Map<string, unknown>, kept: ReadonlySet<string>, past: Past, options: CourseOptions) {
    this.states = states
    this.kept = kept
    this.past = past
    this.options = options
    this.model = new WorldModel(past, options.policy, this.assumptions)
  }

  /**
   * The decision that is another one, and what is under way or will come from outside in any case. `command` absent: it would
   * not have been told. `more`: what would have come besides.
   */
  begin(
    letter: Letter,
    command: Command | undefined,
    rest: ReadonlyArray<Letter>,
    more: ReadonlyArray<Told> = []
  ): void {
    this.now = letter.command.at
    this.flags = letter.flags
    this.underWay(rest)
    for (const told of more) this.tell(told.actor, told.command)
    for (const [path, state] of this.states) {
      const actor = parseActorPath(path)!
      if (actor.kind === "pod") {
        for (const c of (state as PodState).containers) {
          if (c.status === "running")
            for (const end of this.model.naturalEnd(c.containerId, state as PodState)) this.tell(actor, end)
        }
      }
      this.arm(actor, state)
      if (actor.kind === "probe")
        this.ask(actor, state as ProbeState, lastAnswer(this.past, state as ProbeState, this.now))
    }
    if (command !== undefined) this.deliver(letter.actor, command, letter.cause)
  }

  finish(): ModelledCourse {
    const { end } = this.past
    while (this.queue.length > 0 && this.events.length < maxModelledEvents) {
      const item = this.queue.shift()!
      if (item.at > end) break
      this.now = Math.max(this.now, item.at)
      item.due()
    }
    if (this.options.agentStarts.some((at) => at > Date.parse(this.events[0]?.time ?? "") && at <= end))
      this.assumptions.assume("agent-runs-on", "node")
    return {
      instead: this.events,
      assumptions: this.assumptions.list(),
      isCutOff: this.events.length >= maxModelledEvents
    }
  }

  /** Letters that come in any case: outcomes of work that both courses asked for, and what others say. */
  private underWay(rest: ReadonlyArray<Letter>): void {
    const asked = new Set(this.kept)
    for (const { actor, command, cause, events } of rest) {
      const isKept = cause !== undefined && this.kept.has(cause)
      const isOutcome = outcomes.has(command._tag) && cause !== undefined && asked.has(cause)
      if (isOutcome) for (const { id } of events) asked.add(id)
      if (external.has(command._tag) || isOutcome || (isKept && messages.has(command._tag))) {
        this.tell(actor, changedCommand(this.options.change, actor, command), cause)
      } else if (command._tag === "ObserveRuntime") {
        const { sandboxes } = command as { readonly sandboxes?: ReadonlyArray<unknown> } & Command
        // How containers end is the model's to say; that the sandbox went is not.
        if ((sandboxes ?? []).length > 0) this.tell(actor, { ...command, containers: [] } as Command, cause)
      }
    }
  }

  private at(at: number, due: () => void): void {
    const item: Item = { at: Math.max(at, this.now), order: this.order++, due }
    let low = 0
    let high = this.queue.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.queue[middle]!.at <= item.at) low = middle + 1
      else high = middle
    }
    this.queue.splice(low, 0, item)
  }

  /** A command comes at its own time, or now where that is over. */
  private tell(actor: ActorId, command: Command, cause?: string): void {
    this.at(command.at, () =>
      this.deliver(actor, command.at < this.now ? { ...command, at: this.now } : command, cause)
    )
  }

  private deliver(actor: ActorId, command: Command, cause: string | undefined): void {
    const decider = this.options.deciders.get(actor.kind)!
    const path = actorPath(actor)
    const before = this.states.has(path) ? this.states.get(path) : decider.initial(actor)
    const decided: ReadonlyArray<Decided<NodeEvent>> = decider.decide(before, command as never, this.flags)
    if (decided.length === 0) return
    const made: Array<CourseEvent> = []
    let state = before
    for (const { event, because, time } of decided) {
      const index = because === undefined ? undefined : pendingIndex(because)
      const one: CourseEvent = {
        id: `what-if-${this.events.length + 1}`,
        time: timestamp(time ?? command.at),
        actor,
        cause: index === undefined ? (because ?? cause) : made[index]?.id,
        event
      }
      made.push(one)
      this.events.push(one)
      state = evolveActor(decider, actor, state, event, one)
    }
    this.states.set(path, state)
    for (const one of made) this.follow(one, state, command.at)
    this.arm(actor, state)
    if (actor.kind === "probe") this.ask(actor, state as ProbeState, undefined)
  }

  /** What comes of an event: messages to other actors, and what the modelled world does. */
  private follow({ actor, event, id }: CourseEvent, state: unknown, at: number): void {
    const told =
      actor.kind === "pod"
        ? podMessages(event as PodEvent, state as PodState, actor, at)
        : actor.kind === "probe"
          ? probeMessages(event as ProbeEvent, actor, at)
          : actor.kind === "volume"
            ? volumeMessages(event as VolumeEvent, actor, at)
            : []
    for (const { to, command } of told) {
      if (to.kind === "image") this.image(actor, command, id)
      else this.tell(to, command, id)
    }
    const due =
      actor.kind === "pod"
        ? this.model.afterPodEvent(event as PodEvent, state as PodState, at)
        : actor.kind === "volume"
          ? this.model.afterVolumeEvent(event as VolumeEvent, at)
          : actor.kind === "log"
            ? this.model.afterLogEvent(event as LogEvent, at)
            : []
    for (const command of due) this.tell(actor, command, id)
  }

  /** Images are not in question: what the log knows of is there. */
  private image(pod: ActorId, command: Command, cause: string): void {
    if (command._tag !== "RequestImage") return
    const { image, at } = command as Command & { readonly image: string }
    const imageId = this.options.images.get(image)
    if (imageId === undefined) this.assumptions.assume("images-present", image)
    this.tell(pod, { _tag: "ReportImage", at, image, outcome: "present", imageId: imageId ?? image } as Command, cause)
  }

  /** Timers are data: the state says what is due and when. */
  private arm(actor: ActorId, state: unknown): void {
    const { timers } = this.options.deciders.get(actor.kind)!
    const path = actorPath(actor)
    for (const { key, dueAt, because } of timers?.(state) ?? []) {
      const timer = `${path}\n${key}\n${dueAt}`
      if (this.armed.has(timer)) continue
      this.armed.add(timer)
      this.at(dueAt, () => {
        this.armed.delete(timer)
        const wanted = timers?.(this.states.get(path)) ?? []
        if (!wanted.some((t) => t.key === key && t.dueAt === dueAt)) return
        this.deliver(actor, { _tag: "TimerFired", at: this.now, key, dueAt } as Command, because)
      })
    }
  }

  /** A probe is asked as long as it says so. `after`: when it was asked last. */
  private ask(actor: ActorId, { asked }: ProbeState, after: number | undefined): void {
    const path = actorPath(actor)
    if (asked === null || asked.onHold) {
      this.asking.delete(path)
      return
    }
    if (this.asking.get(path) === asked.startedBy) return
    this.asking.set(path, asked.startedBy)
    this.askAgain(actor, asked.startedBy, after)
  }

  private askAgain(actor: ActorId, startedBy: string, after: number | undefined): void {
    const path = actorPath(actor)
    const { asked } = (this.states.get(path) ?? { asked: null }) as ProbeState
    if (asked === null || asked.onHold || asked.startedBy !== startedBy) return
    const next = this.model.nextAnswer(asked, after, this.now)
    if (next === undefined) return
    this.at(next.at, () => {
      const { asked: then } = (this.states.get(path) ?? { asked: null }) as ProbeState
      if (then === null || then.onHold || then.startedBy !== startedBy) return
      this.deliver(actor, next, then.because)
      this.askAgain(actor, startedBy, next.at)
    })
  }
}

/** When the container was last asked before a time. */
const lastAnswer = (past: Past, { asked }: ProbeState, before: number): number | undefined => {
  if (asked === null) return undefined
  const run = past.runs.find(({ started }) => started?.containerId === asked.containerId)
  return run?.asked.get(asked.probe)?.answers.findLast(({ at }) => at <= before)?.at
}
