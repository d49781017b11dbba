/** Events through one session, in order, with a bounded number under way, until something is in doubt. */
import { Effect, Result } from "effect"
import { maxWindow, type Settled, type StreamError, type StreamSession } from "../../adapters/nats/port.ts"
import { Journal, type JournalError } from "../../events/journal/port.ts"
import type { CursorKeeper } from "./cursor.ts"
import { makeOutgoing } from "./outgoing.ts"
import type { Position } from "./position.ts"
import { readAhead } from "./read-ahead.ts"
import type { PublisherStatus } from "./status.ts"

/** Events under way at most; in parts, so that new ones are sent while the oldest are waited for. */
export const publishWindow = maxWindow
const parts = 4
export const widestPart = publishWindow / parts

/** Why it stopped: go on at `position`, or, where that is absent, ask the stream, because of `doubt`. */
export interface Stopped {
  /** Events that the stream took. */
  readonly stored: number
  readonly position: Position | undefined
  readonly doubt: StreamError | undefined
}

interface UnderWay {
  /** Journal sequences of its events, in order. */
  readonly sequences: ReadonlyArray<number>
  /** Stream sequence behind which they were sent. */
  readonly after: number
  readonly settled: Effect.Effect<Settled, StreamError>
}

/**
 * `width`: events in one part. Stops when another message, or no stream, stands where ours should be, and when the
 * server has had some of them at another place. Other errors are the session's.
 */
export const pump = (
  session: StreamSession,
  cursors: CursorKeeper,
  stream: { readonly name: string; readonly createdAt: string },
  start: Position,
  width: number
): Effect.Effect<Stopped, StreamError | JournalError, Journal | PublisherStatus> =>
  Effect.scoped(
    Effect.gen(function* () {
      const journal = yield* Journal
      const outgoing = makeOutgoing(journal.node)
      const source = yield* readAhead(start.next)
      const underWay: Array<UnderWay> = []
      let { end, next } = start
      let stored = 0
      for (;;) {
        while (underWay.length < parts) {
          const rows = yield* underWay.length === 0 ? source.take(width) : source.poll(width)
          const [first] = rows
          if (first === undefined) break
          if (first.sequence !== next) {
            yield* Effect.logWarning(`events ${next} to ${first.sequence - 1} were pruned before they were published`)
          }
          const messages = rows.map(outgoing)
          const sequences = rows.map(({ sequence }) => sequence)
          underWay.push({ sequences, after: end.sequence, settled: yield* session.publish(messages, end) })
          next = (sequences.at(-1) ?? next) + 1
          end = { sequence: end.sequence + messages.length, messageId: messages.at(-1)?.id }
        }
        const oldest = underWay.shift()
        if (oldest === undefined) continue
        const { after, sequences, settled } = oldest
        const result = yield* Effect.result(settled)
        const last = after + sequences.length
        const inOrder = Result.isSuccess(result) && result.success.lastSequence === last
        // Nothing of ours may still be under way when the place to go on from is worked out anew.
        if (!inOrder)
          yield* Effect.forEach(underWay.splice(0), (later) => Effect.exit(later.settled), { discard: true })
        if (Result.isFailure(result)) {
          const { failure } = result
          if (failure.reason !== "WrongLastSequence" && failure.reason !== "StreamAbsent") return yield* failure
          return { stored, position: undefined, doubt: failure }
        }
        const { lastSequence, messages } = result.success
        const through = sequences[messages - 1] ?? (sequences[0] ?? 1) - 1
        stored += messages
        const { createdAt, name } = stream
        yield* cursors.advance({ stream: name, createdAt, journalSequence: through, streamSequence: lastSequence })
        if (!inOrder) {
          const position = { next: through + 1, end: { sequence: lastSequence, messageId: undefined } }
          return { stored, position, doubt: undefined }
        }
      }
    })
  )
