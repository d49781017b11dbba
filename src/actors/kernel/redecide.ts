/**
 * Every recorded decision taken again by today's deciders from the recorded command, and compared. It finds whether the
 * code still decides as it did (law 2), and whether a log was written by honest deciders.
 */
import { Result, Schema } from "effect"
import { actorPath } from "../../events/actor-id.ts"
import { timestamp } from "../../events/definition.ts"
import type { RecordedEvent } from "../../events/envelope.ts"
import { pendingIndex } from "./decision.ts"
import { type Deciders, foldEvent, isKernelEvent } from "./fold.ts"

export interface Difference {
  readonly sequence: number
  readonly actor: string
  /** `decision`: same command, another decision. `history`: the command or event cannot be read by today's code. */
  readonly kind: "decision" | "history"
  readonly message: string
  readonly recorded: unknown
  readonly decided: unknown
}

interface Pending {
  readonly command: string
  readonly first: RecordedEvent
  readonly events: Array<RecordedEvent>
  readonly before: unknown
}

/** Feed all events in order, then call `end`. Stops looking at the first difference of each actor. */
export class Redecision {
  decisions = 0
  readonly differences: Array<Difference> = []
  private readonly deciders: Deciders
  private readonly states = new Map<string, unknown>()
  private readonly known = new Set<string>()
  private readonly pending = new Map<string, Pending>()
  private readonly readers = new Map<string, (input: unknown) => Result.Result<unknown, unknown>>()

  constructor(deciders: Deciders) {
    this.deciders = deciders
  }

  apply(recorded: RecordedEvent): void {
    const decider = this.deciders.get(recorded.actor.kind)
    if (decider === undefined) return
    const path = actorPath(recorded.actor)
    if (!this.known.has(path)) {
      // A slice may begin in the middle of an actor's life: what came before is not known, so nothing can be compared.
      if (recorded.actorSequence !== 1 && recorded.event._tag !== "ActorCheckpointed") return
      this.known.add(path)
      this.states.set(path, decider.initial(recorded.actor))
    }
    const tag = recorded.event._tag
    if (recorded.command !== undefined || isKernelEvent(tag)) this.settle(path)
    if (recorded.command !== undefined) {
      this.pending.set(path, { command: recorded.command, first: recorded, events: [], before: this.states.get(path) })
    }
    if (!isKernelEvent(tag)) this.pending.get(path)?.events.push(recorded)
    this.states.set(path, foldEvent(decider, this.states.get(path), recorded))
  }

  end(): ReadonlyArray<Difference> {
    for (const path of [...this.pending.keys()]) this.settle(path)
    return this.differences
  }

  private settle(path: string): void {
    const pending = this.pending.get(path)
    if (pending === undefined) return
    this.pending.delete(path)
    this.decisions += 1
    const { actor, sequence } = pending.first
    const decider = this.deciders.get(actor.kind)
    if (decider === undefined) return
    const difference = (kind: Difference["kind"], message: string, recorded: unknown, decided: unknown) =>
      this.differences.push({ sequence, actor: path, kind, message, recorded, decided })
    let command: unknown
    try {
      let read = this.readers.get(actor.kind)
      if (read === undefined) {
        read = Schema.decodeUnknownResult(decider.command) as never as (
          input: unknown
        ) => Result.Result<unknown, unknown>
        this.readers.set(actor.kind, read)
      }
      const result = read(JSON.parse(pending.command))
      if (Result.isFailure(result)) {
        difference("history", `the command cannot be read: ${String(result.failure)}`, pending.command, undefined)
        return
      }
      command = result.success
    } catch (error) {
      difference("history", `the command is not JSON: ${String(error)}`, pending.command, undefined)
      return
    }
    let decided: ReadonlyArray<{ readonly event: unknown; readonly because?: string; readonly time?: number }>
    try {
      decided = decider.decide(pending.before, command as never)
    } catch (error) {
      difference(
        "decision",
        `deciding died: ${String(error)}`,
        pending.events.map((e) => e.event),
        undefined
      )
      return
    }
    const at = (command as { readonly at: number }).at
    const ids = pending.events.map((e) => e.id)
    for (let i = 0; i < Math.max(decided.length, pending.events.length); i++) {
      const was = pending.events[i]
      const is = decided[i]
      const left =
        was === undefined
          ? undefined
          : { event: was.event, time: was.time, ...(was.cause === undefined ? {} : { cause: was.cause }) }
      const index = is?.because === undefined ? undefined : pendingIndex(is.because)
      const cause = index === undefined ? is?.because : ids[index]
      const right =
        is === undefined
          ? undefined
          : {
              event: is.event,
              time: timestamp(is.time ?? at),
              ...(cause === undefined ? (was?.cause === undefined ? {} : { cause: was.cause }) : { cause })
            }
      if (canonical(left) !== canonical(right)) {
        difference("decision", `event ${i + 1} of the decision differs`, left, right)
        return
      }
    }
  }
}

/** JSON with sorted keys: equal values give equal text. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, v) =>
    typeof v === "object" && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : v
  ) ?? "undefined"
