/**
 * Retention: whole prefixes of the journal go, by age and by size, and only what has been published. Actors that still
 * live write down their state first, so that every fold of what is left is whole.
 */
import { Clock, Context, Duration, Effect, Option, Stream } from "effect"
import { maxEventBytes } from "../../events/envelope.ts"
import { Journal, type JournalError } from "../../events/journal/port.ts"
import type { NodeCommand } from "./commands.ts"

/** How often it is looked whether something may go. */
export const retentionPeriod = Duration.minutes(10)
/** A cut is made only where it drops at least this share of the events: checkpoints cost something too. */
export const minimumShare = 0.1

export interface RetentionPolicy {
  /** Milliseconds; 0: by age nothing goes. */
  readonly maxAge: number
  /** Bytes of the database; 0: by size nothing goes. */
  readonly maxBytes: number
}

export class Retention extends Context.Service<
  Retention,
  {
    readonly policy: RetentionPolicy
    /** Sequence up to which the stream has everything; infinity where nothing is published at all (`--no-nats`). */
    readonly published: Effect.Effect<number>
    /** Paths of living actors whose states are too large to be written down (`isTooLarge`). */
    readonly tooLarge: Effect.Effect<ReadonlyArray<string>>
    /** Every living actor writes down its state, but those that are too large. */
    readonly checkpointAll: Effect.Effect<void, JournalError>
  }
>()("chronode/Retention") {}

/** What the envelope of an event takes at most, roughly: names, ids, times. */
const envelopeBytes = 4096

/** Whether an actor's state does not fit into one event. */
export const isTooLarge = (state: unknown): boolean =>
  Buffer.byteLength(JSON.stringify(state)) > maxEventBytes - envelopeBytes

/** The last sequence that may go, or 0. `tooOld`: the newest one that is over the age, 0 where none is. */
export const cutBefore = (
  policy: RetentionPolicy,
  journal: { readonly first: number; readonly head: number; readonly bytes: number },
  tooOld: number,
  published: number
): number => {
  const count = journal.head - journal.first + 1
  const excess = policy.maxBytes === 0 ? 0 : Math.max(journal.bytes - policy.maxBytes, 0)
  const bySize = excess === 0 ? 0 : journal.first - 1 + Math.ceil((excess / journal.bytes) * count)
  const cut = Math.min(Math.max(tooOld, bySize), published, journal.head)
  return cut - journal.first + 1 >= Math.max(count * minimumShare, 1) ? cut : 0
}

type Emit = (command: NodeCommand) => Effect.Effect<void>

/** The oldest event of an actor that cannot write down its state: it is folded from its events alone. Else infinity. */
const firstNeeded: Effect.Effect<number, JournalError, Journal | Retention> = Effect.gen(function* () {
  const journal = yield* Journal
  let first = Number.POSITIVE_INFINITY
  for (const actor of yield* (yield* Retention).tooLarge) {
    const oldest = yield* Stream.runHead(journal.read({ actor, limit: 1 }))
    if (Option.isNone(oldest)) continue
    const { sequence } = oldest.value
    yield* Effect.logWarning(`retention: ${actor} is too large to be written down; events from ${sequence} on are kept`)
    first = Math.min(first, sequence)
  }
  return first
})

/** One look, and a cut if one is due. */
export const prune = (emit: Emit): Effect.Effect<void, JournalError, Journal | Retention> =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const { policy, published, checkpointAll } = yield* Retention
    if (policy.maxAge === 0 && policy.maxBytes === 0) return
    const now = yield* Clock.currentTimeMillis
    const head = yield* journal.head
    const size = yield* journal.size
    if (head.sequence === 0) return
    // The newest event that is too old; times are nearly in order, and a whole prefix goes.
    // With `since` the journal asks its index of times, instead of looking at every event for one that is old.
    const old = { since: 0, until: now - policy.maxAge }
    const newestOld = yield* Stream.runHead(journal.read({ ...old, reverse: true, limit: 1 }))
    const tooOld = policy.maxAge === 0 || Option.isNone(newestOld) ? 0 : newestOld.value.sequence
    const limits = { first: size.first, head: head.sequence, bytes: size.bytes }
    const told = yield* published
    if (cutBefore(policy, limits, tooOld, told) === 0) return
    const needed = yield* firstNeeded
    const cut = cutBefore(policy, limits, tooOld, Math.min(told, needed - 1))
    if (cut === 0) return
    yield* checkpointAll
    const dropped = yield* journal.prune(cut)
    yield* emit({ _tag: "JournalCut", at: now, throughSequence: cut, events: dropped.events, hash: dropped.hash })
  })

export const keepRetention = (emit: Emit): Effect.Effect<void, never, Journal | Retention> =>
  Effect.gen(function* () {
    while (true) {
      yield* Effect.sleep(retentionPeriod)
      yield* Effect.catch(prune(emit), (error) => Effect.logWarning(`retention: ${error.message}`))
    }
  })
