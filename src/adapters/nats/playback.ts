/**
 * Publishing a recorded incident under other subjects: to whoever listens, and with acknowledgements where a stream takes
 * the subject. Unlike the agent's publisher it expects no place in the stream: other writers are welcome in between.
 */
import { JetStreamApiError, jetstream, type PubAck } from "@nats-io/jetstream"
import type { NatsConnection } from "@nats-io/transport-node"
import { Deferred, Effect, Exit, Result, type Scope } from "effect"
import { covers } from "../../events/subjects.ts"
import { type NatsFlags, type NatsOptionError, targetFromProcess } from "./connection.ts"
import { dial, toStreamError } from "./dial.ts"
import { eventHeaders } from "./headers.ts"
import { maxWindow, type OutgoingMessage, publishTimeout, requestTimeout, StreamError } from "./port.ts"
import { managerOf } from "./subscriber.ts"

/** Streams that are looked at for one that takes the subjects. */
const maxStreams = 256

export interface PlayedCounts {
  /** Handed to the server. */
  readonly published: number
  /** Acknowledged by a stream, as new. */
  readonly stored: number
  /** Acknowledged by a stream that had a message of this id already, within its duplicate window. */
  readonly duplicates: number
}

export interface PlaybackSession {
  /** Host and port. */
  readonly server: string
  /** Names of the streams that take the subjects. */
  readonly streams: ReadonlyArray<string>
  /** In the order of calls. Waits while `maxWindow` messages are under way; fails with the error of an earlier one. */
  readonly publish: (message: OutgoingMessage) => Effect.Effect<void, StreamError>
  /** Waits until the server has taken everything. */
  readonly settle: Effect.Effect<void, StreamError>
  readonly counts: () => PlayedCounts
}

interface Taker {
  readonly name: string
  readonly subjects: ReadonlyArray<string>
}

/** Streams that listen to some of `subjects`. None where JetStream is off, or where nobody may ask. */
const takersOf = (connection: NatsConnection, target: Parameters<typeof managerOf>[1], subjects: string) =>
  Effect.gen(function* () {
    const manager = yield* managerOf(connection, target)
    return yield* Effect.tryPromise({
      try: async () => {
        const found: Array<Taker> = []
        for await (const { config } of manager.streams.list(subjects)) {
          if (found.length < maxStreams) found.push({ name: config.name, subjects: config.subjects ?? [] })
        }
        return found
      },
      catch: (error) => toStreamError(connection.getServer(), error)
    }).pipe(
      Effect.timeoutOrElse({
        duration: requestTimeout,
        orElse: () =>
          Effect.fail(new StreamError({ reason: "TimedOut", server: connection.getServer(), message: "no answer" }))
      }),
      Effect.catchTag("StreamError", (error) =>
        error.reason === "JetStreamDisabled" || error.reason === "PermissionDenied"
          ? Effect.succeed<Array<Taker>>([])
          : Effect.fail(error)
      )
    )
  })

type Answer = { readonly ack: PubAck } | { readonly error: StreamError }

const makeSession = (connection: NatsConnection, takers: ReadonlyArray<Taker>): PlaybackSession => {
  const server = connection.getServer()
  const client = jetstream(connection, { timeout: publishTimeout })
  const broken = Deferred.makeUnsafe<never, StreamError>()
  const fail = (error: StreamError): void => void Deferred.doneUnsafe(broken, Exit.fail(error))
  void connection.closed().then((error) => {
    const lost = new StreamError({ reason: "Unavailable", server, message: "the connection broke" })
    fail(error instanceof Error ? toStreamError(server, error) : lost)
  })
  void (async () => {
    // The server tells of a forbidden publish only here.
    for await (const status of connection.status()) {
      if (status.type === "error") fail(toStreamError(server, status.error))
    }
  })()

  const taken = (subject: string): boolean =>
    takers.some(({ subjects }) => subjects.some((pattern) => covers(pattern, subject)))
  /** Acknowledgements that are waited for, oldest first. */
  const underWay: Array<Promise<Answer>> = []
  let published = 0
  let stored = 0
  let duplicates = 0
  let unflushed = 0

  const settleOldest = Effect.gen(function* () {
    const oldest = underWay.shift()
    if (oldest === undefined) return
    const answer = yield* Effect.raceFirst(
      Effect.promise(() => oldest),
      Deferred.await(broken)
    )
    if ("error" in answer) return yield* answer.error
    if (answer.ack.duplicate) duplicates++
    else stored++
  })
  const flush = Effect.gen(function* () {
    unflushed = 0
    yield* Effect.raceFirst(
      Effect.tryPromise({ try: () => connection.flush(), catch: (error) => toStreamError(server, error) }),
      Deferred.await(broken)
    )
    // A refusal comes before the answer to the flush, and is told a turn later.
    yield* Effect.raceFirst(Effect.sleep(0), Deferred.await(broken))
  })
  const send = ({ line, subject }: OutgoingMessage, headers: ReturnType<typeof eventHeaders>): void => {
    if (taken(subject)) {
      underWay.push(
        client.publish(subject, line, { headers, retries: 1 }).then(
          (ack) => ({ ack }),
          (error) => ({ error: refusal(server, error) })
        )
      )
      return
    }
    connection.publish(subject, line, { headers })
    unflushed++
  }
  return {
    server,
    streams: takers.map(({ name }) => name),
    publish: (message) =>
      Effect.gen(function* () {
        while (underWay.length >= maxWindow) yield* settleOldest
        if (unflushed >= maxWindow) yield* flush
        yield* Effect.try({ try: () => send(message, eventHeaders(message)), catch: (e) => refusal(server, e) })
        published++
      }),
    settle: Effect.gen(function* () {
      while (underWay.length > 0) yield* settleOldest
      yield* flush
    }),
    counts: () => ({ published, stored, duplicates })
  }
}

const refusal = (server: string, error: unknown): StreamError => {
  const found = toStreamError(server, error)
  if (error instanceof JetStreamApiError || !/max_payload/u.test(found.message)) return found
  return new StreamError({ reason: "StreamRefused", server, message: "an event exceeds the server's max_payload" })
}

/** One connection for one playback, open until the scope closes. @param subjects all that will be published to */
export const openPlayback = (
  flags: NatsFlags,
  subjects: string
): Effect.Effect<PlaybackSession, StreamError | NatsOptionError, Scope.Scope> =>
  Effect.gen(function* () {
    const target = targetFromProcess(flags)
    if (Result.isFailure(target)) return yield* Effect.fail(target.failure)
    const connection = yield* dial(target.success, "chronode replay", false)
    return makeSession(connection, yield* takersOf(connection, target.success, subjects))
  })
