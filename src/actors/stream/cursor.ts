/**
 * The cursor note: how far the stream held the journal when it was last written down. A cache beside the log, for the
 * time when the stream itself no longer holds an event to tell it by.
 */
import { Clock, Duration, Effect, Ref, Schema } from "effect"
import { Journal, type JournalError } from "../../events/journal/port.ts"
import { PublisherStatus } from "./status.ts"

export const cursorNote = "publisher.cursor"
/** It is written at most so often, unless it went backwards. */
export const notePeriod = Duration.seconds(1)

/** All events up to `journalSequence` were in the stream when its last sequence was `streamSequence`. */
export const Cursor = Schema.Struct({
  stream: Schema.String,
  createdAt: Schema.String,
  journalSequence: Schema.Int,
  streamSequence: Schema.Int
})
export type Cursor = typeof Cursor.Type
const decodeText = Schema.decodeUnknownOption(Schema.fromJsonString(Cursor))
/** The cursor that a note holds; `undefined` where it cannot be read. */
export const decodeCursor = (note: string): Cursor | undefined => {
  const decoded = decodeText(note)
  return decoded._tag === "Some" ? decoded.value : undefined
}

/** The note; `undefined` where there is none that can be read. */
export const readCursor: Effect.Effect<Cursor | undefined, JournalError, Journal> = Effect.gen(function* () {
  const journal = yield* Journal
  const note = yield* journal.note(cursorNote)
  return note === undefined ? undefined : decodeCursor(note)
})

/** The cursor of one run of the publisher. */
export interface CursorKeeper {
  /** Remembers how far the stream holds the journal, and writes it down when it is time. */
  readonly advance: (cursor: Cursor) => Effect.Effect<void, JournalError>
  /** Writes down what is not written yet. */
  readonly flush: Effect.Effect<void, JournalError>
}

export const makeCursorKeeper = (
  remembered: Cursor | undefined
): Effect.Effect<CursorKeeper, never, Journal | PublisherStatus> =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const status = yield* PublisherStatus
    const latest = yield* Ref.make(remembered)
    const written = yield* Ref.make({ cursor: remembered, at: Number.NEGATIVE_INFINITY })
    const flush = Effect.gen(function* () {
      const cursor = yield* Ref.get(latest)
      if (cursor === undefined || cursor === (yield* Ref.get(written)).cursor) return
      yield* journal.setNote(cursorNote, JSON.stringify(cursor))
      yield* Ref.set(written, { cursor, at: yield* Clock.currentTimeMillis })
    })
    const advance = Effect.fnUntraced(function* (cursor: Cursor) {
      yield* Ref.set(latest, cursor)
      yield* status.update({ published: cursor.journalSequence })
      const before = yield* Ref.get(written)
      const due = (yield* Clock.currentTimeMillis) - before.at >= Duration.toMillis(notePeriod)
      if (due || cursor.journalSequence < (before.cursor?.journalSequence ?? 0)) yield* flush
    })
    return { advance, flush }
  })
