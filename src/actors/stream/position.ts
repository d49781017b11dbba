/**
 * Where to go on publishing. The stream itself says so: its last event of ours carries its journal sequence. Only where
 * no such event is left (purged, or dropped by the stream's limits) does the cursor note decide; a note of another
 * stream, of the one that was there before a wipe, or beyond what the stream holds counts for nothing.
 *
 * In the one doubtful case, events published in the second before a crash whose messages were purged before the next
 * start, events are sent again rather than left out: the stream never holds an event twice, and never misses one.
 */
import { Effect, Stream } from "effect"
import type { StoredMessage, StreamEnd, StreamError, StreamSession, StreamState } from "../../adapters/nats/port.ts"
import { Journal, type JournalError } from "../../events/journal/port.ts"
import { readCursor } from "./cursor.ts"
import { sequenceIn } from "./outgoing.ts"

export interface Position {
  /** Journal sequence of the first event to publish. */
  readonly next: number
  /** The end of the stream, right behind which it belongs. */
  readonly end: StreamEnd
}

/** Messages looked through at most, from the end of the stream backwards, for one of ours. */
export const searchLimit = 100_000
/** Messages asked for at once while searching. */
const searchConcurrency = 64

/** The journal sequence of a stored message, if it is an event of this very journal: same node, same bytes, own place. */
const ownSequence = (
  message: StoredMessage,
  firstKept: number
): Effect.Effect<number | undefined, JournalError, Journal> =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const { expectedAfter, line, streamSequence } = message
    if (expectedAfter !== undefined && expectedAfter !== streamSequence - 1) return undefined
    const sequence = sequenceIn(journal.node, line)
    if (sequence === undefined || sequence === 0) return undefined
    // Pruned: there is nothing left to compare with.
    if (sequence < firstKept) return sequence
    const rows = yield* Stream.runCollect(journal.read({ from: sequence, to: sequence }))
    return rows[0]?.line === line ? sequence : undefined
  })

export const locate = (
  session: StreamSession,
  stream: string,
  state: StreamState
): Effect.Effect<Position, StreamError | JournalError, Journal> =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const head = yield* journal.head
    const { first } = yield* journal.size
    const firstKept = Math.max(first, 1)
    const note = yield* readCursor
    const cursor =
      note !== undefined &&
      note.stream === stream &&
      note.createdAt === state.createdAt &&
      note.streamSequence <= state.lastSequence &&
      note.journalSequence <= head.sequence
        ? note
        : undefined
    const after = state.lastSequence
    const lowest = Math.max(state.firstSequence, (cursor?.streamSequence ?? 0) + 1, after - searchLimit + 1)
    const from = (sequence: number): Position => ({
      next: Math.max(sequence, firstKept),
      end: { sequence: after, messageId: undefined }
    })
    if (state.messages > 0) {
      // Nearly always the last message is ours: one by itself first.
      for (let high = after, width = 1; high >= lowest; high -= width, width = searchConcurrency) {
        const places = Array.from({ length: Math.min(width, high - lowest + 1) }, (_, index) => high - index)
        const found = yield* Effect.forEach(places, session.message, { concurrency: searchConcurrency })
        for (const message of found) {
          if (message === undefined) continue
          const sequence = yield* ownSequence(message, firstKept)
          if (sequence !== undefined) return from(sequence + 1)
        }
      }
    }
    return from(cursor === undefined ? firstKept : cursor.journalSequence + 1)
  })
