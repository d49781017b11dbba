/**
 * Every recorded decision taken again by today's deciders, from the recorded command, the folded state and the flags that
 * were in force there, and compared. It finds whether the code still decides as it did (law 2), and whether a log was
 * written by honest deciders.
 *
 * A decision's events stand one behind the other in a log, the command with the first of them: a decision is compared as
 * soon as something else follows, so that differences come in the order of the log.
 */
import { Result } from "effect"
import { type ActorId, actorPath } from "../../events/actor-id.ts"
import { timestamp } from "../../events/definition.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import type { Decided } from "./behavior.ts"
import { pendingIndex } from "./decision.ts"
import { DeterminismViolation, type Difference, IncompatibleHistory } from "./difference.ts"
import { type Flags, flagsText, noFlags, unknownFlags } from "./flags.ts"
import { type AnyDecider, type Deciders, isKernelEvent, NodeFold } from "./fold.ts"
import { isEqual } from "./json.ts"
import { makeCommandReader } from "./read-command.ts"

interface Pending {
  readonly decider: AnyDecider
  readonly path: string
  readonly command: string
  readonly first: RecordedEvent
  readonly events: Array<RecordedEvent>
  /** The state before it. */
  readonly before: unknown
}

export interface RedecisionOptions {
  /** States that the log begins with, and that it is folded into; default: a log that begins with the node. */
  readonly fold?: NodeFold
  /** In force before the first `NodeStarted`; default none in a log from its first event on, else they are not known. */
  readonly flags?: Flags
  /** The log may end, or leave out something, in the middle of a decision: a slice, or a log read up to a point. */
  readonly isCut?: boolean
}

/** What is read of a checkpoint of the node's actor. */
interface CheckpointedNode {
  readonly started?: { readonly flags?: ReadonlyArray<number> } | null
}

const isSame = (a: ActorId, b: ActorId): boolean =>
  a === b || (a.kind === b.kind && a.namespace === b.namespace && a.name === b.name)

/** Differences that are kept; the rest is counted. */
const maxKept = 1_000

/** Feed all events in order, then call `end`. */
export class Redecision {
  /** Taken again and compared. */
  decisions = 0
  /** Could not be: what the actor was before, or how the agent decided, is not in the log, or cannot be read there. */
  skipped = 0
  /** Of which the first 1,000 are kept. */
  found = 0
  readonly differences: Array<Difference> = []
  readonly fold: NodeFold
  private readonly deciders: Deciders
  private readonly isCut: boolean
  /** Undefined: not known, or not all known to this program; nothing can be decided then. */
  private flags: Flags | undefined
  private recordedBy: string | undefined
  /** Actors whose state is not known here. */
  private readonly lost = new Set<string>()
  private pending: Pending | undefined
  /** By actor: a decision that lacks its last events, which a cut log may have left out. */
  private readonly unended = new Map<string, Difference>()
  private readonly readCommand = makeCommandReader()

  constructor(deciders: Deciders, options: RedecisionOptions = {}) {
    this.deciders = deciders
    this.fold = options.fold ?? new NodeFold(deciders)
    this.flags = options.flags
    this.isCut = options.isCut ?? false
  }

  apply(recorded: RecordedEvent): void {
    if (!this.goesOn(recorded)) {
      this.settle()
      this.begin(recorded)
    }
    this.fold.apply(recorded)
  }

  /** A line that should be an event of this log, and whose data today's program cannot read. */
  unreadable(where: { readonly sequence: number; readonly id: string; readonly message: string }): void {
    this.settle()
    this.tell(new IncompatibleHistory({ ...this.origin(), ...where, time: "", actor: "", what: "event" }))
  }

  end(): ReadonlyArray<Difference> {
    this.settle()
    this.skipped += this.unended.size
    this.decisions -= this.unended.size
    this.unended.clear()
    return this.differences
  }

  /** Is it one more event of the decision that is being read? */
  private goesOn(recorded: RecordedEvent): boolean {
    const { pending } = this
    if (pending === undefined || recorded.command !== undefined || isKernelEvent(recorded.event._tag)) return false
    const { first, events } = pending
    if (!isSame(first.actor, recorded.actor) || events.at(-1)?.actorSequence !== recorded.actorSequence - 1)
      return false
    if (recorded.event._tag === "Unknown") {
      // Part of the decision cannot be read: that is told, and no comparison.
      this.pending = undefined
      this.skipped += 1
      return false
    }
    events.push(recorded)
    return true
  }

  private begin(recorded: RecordedEvent): void {
    const { actor, command, event, sequence } = recorded
    const decider = this.deciders.get(actor.kind)
    if (decider === undefined) return
    const path = actorPath(actor)
    if (this.fold.events === 0 && sequence === 1) this.flags ??= noFlags
    const known = this.fold.actors.get(path)
    this.follow(recorded, decider, path, known?.actorSequence)
    if (event._tag === "NodeStarted") this.start(recorded, event.version, event.flags)
    if (command === undefined) return
    const before = known === undefined ? decider.initial(actor) : known.state
    const events = isKernelEvent(event._tag) ? [] : [recorded]
    this.pending = { decider, path, command, first: recorded, events, before }
  }

  private origin() {
    return {
      flags: [...(this.flags ?? [])],
      ...(this.recordedBy === undefined ? {} : { recordedBy: this.recordedBy })
    }
  }

  private placeOf({ sequence, id, time, actor }: RecordedEvent) {
    return { ...this.origin(), sequence, id, time, actor: actorPath(actor) }
  }

  private tell(difference: Difference): void {
    this.found += 1
    if (this.differences.length < maxKept) this.differences.push(difference)
  }

  /** Is the state of this actor known before this event? It is where no event of it is left out. */
  private follow(recorded: RecordedEvent, decider: AnyDecider, path: string, last: number | undefined): void {
    const { actorSequence, event } = recorded
    const isGap = (last ?? this.fold.finished.get(path) ?? 0) !== actorSequence - 1
    const unended = this.unended.size === 0 ? undefined : this.unended.get(path)
    if (unended !== undefined) {
      this.unended.delete(path)
      if (isGap) {
        this.skipped += 1
        this.decisions -= 1
      } else this.tell(unended)
    }
    if (isGap) this.lost.add(path)
    if (event._tag === "Unknown") {
      this.lost.add(path)
      const message = `its type ${event.type} is not known to this program`
      this.tell(new IncompatibleHistory({ ...this.placeOf(recorded), message, what: "event", recorded: event.data }))
    } else if (event._tag === "ActorCheckpointed") {
      if (event.stateVersion === decider.stateVersion) {
        this.lost.delete(path)
        // A log that was pruned tells of its agent's start in the node's state only.
        if (decider.kind === "node") this.flags ??= new Set((event.state as CheckpointedNode).started?.flags)
      } else if (this.lost.has(path)) {
        const message = `it holds a state of version ${event.stateVersion}, and this program's is version ${decider.stateVersion}`
        this.tell(new IncompatibleHistory({ ...this.placeOf(recorded), message, what: "checkpoint" }))
      }
    }
  }

  private start(recorded: RecordedEvent, version: string, flags: ReadonlyArray<number>): void {
    const unknown = unknownFlags(flags)
    this.recordedBy = version
    this.flags = unknown.length === 0 ? new Set(flags) : undefined
    if (this.flags !== undefined) return
    const message = `the agent decided with flags ${flagsText(flags)}, and this program does not know ${flagsText(unknown)}`
    this.tell(new IncompatibleHistory({ ...this.placeOf(recorded), message, what: "flags", recorded: flags }))
  }

  /** Takes the decision again that has just ended. */
  private settle(): void {
    const { pending, flags } = this
    if (pending === undefined) return
    this.pending = undefined
    if (flags === undefined || this.lost.has(pending.path)) {
      this.skipped += 1
      return
    }
    const command = this.read(pending)
    if (command === undefined) return
    this.decisions += 1
    let decided: ReadonlyArray<Decided<unknown>>
    try {
      decided = pending.decider.decide(pending.before, command as never, flags)
    } catch (error) {
      this.differs(pending, command._tag, 0, `deciding it died: ${String(error)}`, pending.events[0], undefined)
      return
    }
    this.compare(pending, command, decided)
  }

  private read(pending: Pending): { readonly _tag: string; readonly at: number } | undefined {
    const result = this.readCommand(pending.decider, pending.command)
    if (Result.isSuccess(result)) return result.success
    const { json, problem } = result.failure
    const tag = (json as { readonly _tag?: unknown } | undefined)?._tag
    this.tell(
      new IncompatibleHistory({
        ...this.placeOf(pending.first),
        ...(typeof tag === "string" ? { command: tag } : {}),
        message: `its command cannot be read: ${problem}`,
        what: "command",
        recorded: json ?? pending.command
      })
    )
    // Its events are folded all the same: they say what was decided.
    return undefined
  }

  private compare(
    pending: Pending,
    command: { readonly _tag: string; readonly at: number },
    decided: ReadonlyArray<Decided<unknown>>
  ): void {
    const { events } = pending
    const count = Math.max(decided.length, events.length)
    for (let i = 0; i < count; i++) {
      const [was, is] = [events[i], decided[i]]
      if (was !== undefined && is !== undefined) {
        const index = is.because === undefined ? undefined : pendingIndex(is.because)
        const cause = index === undefined ? (is.because ?? was.cause) : events[index]?.id
        const time = timestamp(is.time ?? command.at)
        if (was.time === time && was.cause === cause && isEqual(was.event, is.event)) continue
        this.differs(pending, command._tag, i, `event ${i + 1} of the decision differs`, was, {
          event: is.event,
          time,
          cause
        })
        return
      }
      const message =
        was === undefined
          ? `the log holds ${events.length} events of the decision, and ${decided.length} are decided`
          : `${decided.length} events are decided, and the log holds ${events.length}`
      const difference = this.differs.bind(this, pending, command._tag, i, message, was)
      difference(is === undefined ? undefined : { event: is.event, time: timestamp(is.time ?? command.at) })
      return
    }
  }

  private differs(
    pending: Pending,
    command: string,
    index: number,
    message: string,
    was: RecordedEvent | undefined,
    decided: unknown
  ): void {
    const recorded =
      was === undefined
        ? undefined
        : { event: was.event, time: was.time, ...(was.cause === undefined ? {} : { cause: was.cause }) }
    const difference = new DeterminismViolation({
      ...this.placeOf(was ?? pending.events.at(-1) ?? pending.first),
      command,
      message,
      position: index + 1,
      ...(recorded === undefined ? {} : { recorded }),
      ...(decided === undefined ? {} : { decided })
    })
    if (this.isCut && was === undefined && index > 0) this.unended.set(pending.path, difference)
    else this.tell(difference)
  }
}
