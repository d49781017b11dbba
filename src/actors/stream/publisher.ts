/**
 * The publisher: journal → stream, in order, each event once, however often either side dies. It asks the stream where
 * to go on (position.ts), keeps a window of events under way, and starts over with a new session when anything is in
 * doubt. Nothing here waits for the journal to have room: reports that the actor cannot take are dropped, oldest first.
 */
import { Clock, Duration, Effect, Queue, Random, type Scope } from "effect"
import { EventStream, type StreamError, type StreamSettings } from "../../adapters/nats/port.ts"
import { Journal, type JournalError } from "../../events/journal/port.ts"
import { type CursorKeeper, makeCursorKeeper, readCursor } from "./cursor.ts"
import type { StreamCommand } from "./decider.ts"
import { locate } from "./position.ts"
import { pump, widestPart } from "./pump.ts"
import { PublisherStatus } from "./status.ts"

/** How often the journal's head is looked at while nothing is published, for the lag. */
const lagPeriod = Duration.seconds(1)
/** A session that lived so long was a good one: the next attempt comes at once. */
const goodSession = Duration.seconds(10)
/** Places lost to another writer in a row, without one event of ours stored, until that is an error. */
const maxFruitless = 20
const fruitlessPause = Duration.millis(20)
/** Reports waiting for the actor. */
const maxReports = 16

export interface RetryTimes {
  /** After the first failure; doubles. */
  readonly first: Duration.Duration
  readonly most: Duration.Duration
  /** Where the server refuses: wrong password, no right, settings that cannot serve. */
  readonly refused: Duration.Duration
}
export const retryTimes: RetryTimes = {
  first: Duration.millis(100),
  most: Duration.seconds(5),
  refused: Duration.seconds(15)
}
/** Part of a pause that is left to chance, so that a fleet does not come back in step. */
const jitter = 0.2

const transient: ReadonlySet<StreamError["reason"]> = new Set([
  "Unavailable",
  "TimedOut",
  "StreamAbsent",
  "WrongLastSequence"
])

/** A report without its time, which is put on when it is made. */
type Report = StreamCommand extends infer C ? (C extends StreamCommand ? Omit<C, "at"> : never) : never
type Tell = (report: Report) => Effect.Effect<void>

/** What one run of the publisher keeps between sessions. */
interface Run {
  readonly tell: Tell
  readonly settings: StreamSettings
  readonly cursors: CursorKeeper
}

/** One connection, from dialling to its end. Never succeeds. */
const publishOnce = (
  run: Run
): Effect.Effect<never, StreamError | JournalError, EventStream | Journal | PublisherStatus | Scope.Scope> =>
  Effect.gen(function* () {
    const stream = yield* EventStream
    const journal = yield* Journal
    const status = yield* PublisherStatus
    const session = yield* stream.connect
    const { server, serverVersion } = session
    const { name } = run.settings
    const place = Effect.fnUntraced(function* (first: boolean) {
      const { created, differences, state } = yield* session.ensure
      const { maxAgeSeconds, maxBytes, subjects } = run.settings
      if (created) yield* run.tell({ _tag: "PublisherCreatedStream", stream: name, subjects, maxAgeSeconds, maxBytes })
      if (first) yield* run.tell({ _tag: "PublisherComparedSettings", stream: name, differences })
      const { createdAt } = state
      const position = yield* locate(session, name, state)
      const [journalSequence, streamSequence] = [position.next - 1, position.end.sequence]
      yield* run.cursors.advance({ stream: name, createdAt, journalSequence, streamSequence })
      return { createdAt, position }
    })
    const work = Effect.gen(function* () {
      let { createdAt, position } = yield* place(true)
      const { sequence: head } = yield* journal.head
      yield* status.update({ connected: true, server, serverVersion, stream: name, head, problem: undefined })
      const lag = Math.max(0, head - position.next + 1)
      yield* run.tell({
        _tag: "PublisherConnected",
        server,
        serverVersion,
        stream: name,
        resumeFrom: position.next,
        lag
      })
      for (let width = widestPart, fruitless = 0; ; ) {
        const stopped = yield* pump(session, run.cursors, { name, createdAt }, position, width)
        if (stopped.position !== undefined) {
          position = stopped.position
          continue
        }
        // Another writer gets in between less often when less is under way.
        width = stopped.stored > 0 ? Math.min(width * 2, widestPart) : Math.max(1, width >> 1)
        fruitless = stopped.stored > 0 ? 0 : fruitless + 1
        if (fruitless >= maxFruitless && stopped.doubt !== undefined) return yield* stopped.doubt
        if (fruitless > 0) yield* Effect.sleep(Duration.times(fruitlessPause, fruitless))
        ;({ createdAt, position } = yield* place(false))
      }
    })
    return yield* Effect.raceFirst(work, session.broken)
  })

const pauseBefore = (times: RetryTimes, error: StreamError, failures: number): Effect.Effect<Duration.Duration> =>
  Effect.map(Random.next, (chance) => {
    const grown = Duration.toMillis(times.first) * 2 ** Math.min(failures, 20)
    const base = transient.has(error.reason)
      ? Math.min(grown, Duration.toMillis(times.most))
      : Duration.toMillis(times.refused)
    return Duration.millis(base * (1 - jitter / 2 + jitter * chance))
  })

/** Follows the journal's head while nothing is published, so that the lag is seen to grow. */
const watchLag: Effect.Effect<never, JournalError, Journal | PublisherStatus> = Effect.gen(function* () {
  const journal = yield* Journal
  const status = yield* PublisherStatus
  let head = (yield* journal.head).sequence
  for (;;) {
    yield* status.update({ head })
    yield* Effect.sleep(lagPeriod)
    head = (yield* journal.awaitBeyond(head)).sequence
  }
})

/**
 * Publishes for as long as it is not interrupted. `report` gets what happens to the connection and the stream, as
 * commands of the stream actor. Fails only when the journal cannot be read.
 */
export const publishJournal = (
  report: (command: StreamCommand) => Effect.Effect<void>,
  times: RetryTimes = retryTimes
): Effect.Effect<never, JournalError, EventStream | Journal | PublisherStatus> =>
  Effect.gen(function* () {
    const { settings, target } = yield* EventStream
    const status = yield* PublisherStatus
    const reports = yield* Queue.sliding<StreamCommand>(maxReports)
    const tell: Tell = (what) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => Queue.offer(reports, { ...what, at } as StreamCommand))
    const remembered = yield* readCursor
    if (remembered?.stream === settings.name) yield* status.update({ published: remembered.journalSequence })
    const cursors = yield* makeCursorKeeper(remembered)
    const run: Run = { tell, settings, cursors }
    const sessions = Effect.gen(function* () {
      let failures = 0
      for (;;) {
        const began = yield* Clock.currentTimeMillis
        const error = yield* Effect.scoped(publishOnce(run)).pipe(
          Effect.catchTag("StreamError", (failed) => Effect.succeed(failed))
        )
        if ((yield* Clock.currentTimeMillis) - began >= Duration.toMillis(goodSession)) failures = 0
        const server = error.server === "" ? target : error.server
        yield* status.update({ connected: false, server, problem: error.message })
        yield* Effect.logDebug(`publisher: ${error.reason} at ${server}: ${error.message}`)
        yield* tell({
          _tag: "PublisherDisconnected",
          refused: !transient.has(error.reason),
          server,
          message: error.message
        })
        yield* Effect.sleep(yield* pauseBefore(times, error, failures))
        failures++
      }
    })
    const deliver = Effect.forever(Effect.flatMap(Queue.take(reports), report))
    return yield* Effect.raceFirst(sessions, Effect.raceFirst(watchLag, deliver)).pipe(
      // The last second's progress. A cache: the next start finds its place without it.
      Effect.ensuring(Effect.ignore(cursors.flush))
    )
  })
