/**
 * The stream on a real nats-server. Publishing goes past the client's request machinery: one inbox, replies numbered in
 * the order of sending, no promise, timer or random token per message.
 */
import { type JetStreamManager, jetstreamManager, type StoredMsg, type StreamInfo } from "@nats-io/jetstream"
import { createInbox, type Msg, type MsgHdrs, PermissionViolationError } from "@nats-io/nats-core"
import type { NatsConnection } from "@nats-io/transport-node"
import { Deferred, Effect, Exit, Layer, type Scope } from "effect"
import { type Answer, makeAckWindows } from "./ack-window.ts"
import { describeTarget, type NatsTarget } from "./connection.ts"
import { apiError, dial, toStreamError } from "./dial.ts"
import { eventHeaders } from "./headers.ts"
import {
  type EnsuredStream,
  EventStream,
  maxWindow,
  type OutgoingMessage,
  publishTimeout,
  requestTimeout,
  type Settled,
  type StoredMessage,
  StreamError,
  type StreamSession,
  type StreamSettings,
  type StreamState
} from "./port.ts"
import { differences, toConfig, unusable } from "./settings.ts"

/** How often it is looked whether acknowledgements stay away, milliseconds. */
const watchPeriod = 250

const stateOf = (info: StreamInfo): StreamState => ({
  createdAt: info.created as unknown as string,
  messages: info.state.messages,
  // 2.9 answers 0 for a stream that never held anything.
  firstSequence: Math.max(info.state.first_seq, 1),
  lastSequence: info.state.last_seq
})

const expectedHeader = "Nats-Expected-Last-Sequence"

const messageHeaders = (message: OutgoingMessage, after: number, afterId: string | undefined): MsgHdrs =>
  eventHeaders(message, {
    [expectedHeader]: [String(after)],
    ...(afterId === undefined ? {} : { "Nats-Expected-Last-Msg-Id": [afterId] })
  })

const toStored = (stored: StoredMsg): StoredMessage => {
  const expected = stored.header.get(expectedHeader)
  return {
    streamSequence: stored.seq,
    subject: stored.subject,
    line: stored.string(),
    expectedAfter: /^\d+$/u.test(expected) ? Number(expected) : undefined
  }
}

interface Acknowledgement {
  readonly seq?: number
  readonly duplicate?: boolean
  readonly error?: { readonly err_code?: number; readonly description?: string }
}

const toAnswer = (server: string, message: Msg): Answer => {
  if (message.data.length === 0 && message.headers?.code === 503) {
    const error = new StreamError({ reason: "StreamAbsent", server, message: "no stream listens to the subject" })
    return { _tag: "Refused", error }
  }
  try {
    const ack = message.json<Acknowledgement>()
    if (ack.error !== undefined) {
      return { _tag: "Refused", error: apiError(server, ack.error.err_code ?? 0, ack.error.description ?? "refused") }
    }
    if (typeof ack.seq === "number") return { _tag: "Stored", sequence: ack.seq, duplicate: ack.duplicate === true }
  } catch {
    // falls through: an answer that is no JSON
  }
  return { _tag: "Refused", error: new StreamError({ reason: "Protocol", server, message: "no acknowledgement" }) }
}

/** Publishing over one connection: windows under way, and what ends them. */
const makePublisher = (connection: NatsConnection, server: string, inboxPrefix: string | undefined) => {
  const windows = makeAckWindows(server)
  const inbox = createInbox(inboxPrefix)
  let heard = 0
  let watch: ReturnType<typeof setInterval> | undefined
  const rest = () => {
    clearInterval(watch)
    watch = undefined
  }
  const abort = (error: StreamError) => {
    rest()
    windows.abort(error)
  }
  const look = () => {
    if (windows.pending() === 0) return rest()
    if (performance.now() - heard < publishTimeout) return
    abort(new StreamError({ reason: "TimedOut", server, message: "no acknowledgement from the server" }))
    // Whatever is still buffered must not arrive later.
    void connection.close()
  }
  connection.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error !== null) return abort(toStreamError(server, error))
      heard = performance.now()
      windows.answer(Number(message.subject.slice(inbox.length + 1)), toAnswer(server, message))
    }
  })
  const publish: StreamSession["publish"] = (messages, end) =>
    Effect.suspend(() => {
      if (messages.length > maxWindow) return Effect.die(new Error(`a window holds at most ${maxWindow} messages`))
      if (messages.length === 0) return Effect.succeed(Effect.succeed({ messages: 0, lastSequence: end.sequence }))
      const settled = Deferred.makeUnsafe<Settled, StreamError>()
      const first = windows.open(messages.length, end.sequence, (outcome) => {
        if (windows.pending() === 0) rest()
        Deferred.doneUnsafe(settled, "error" in outcome ? Exit.fail(outcome.error) : Exit.succeed(outcome.settled))
      })
      heard = performance.now()
      watch ??= setInterval(look, watchPeriod)
      for (const [index, message] of messages.entries()) {
        try {
          connection.publish(message.subject, message.line, {
            reply: `${inbox}.${first + index}`,
            headers: messageHeaders(message, end.sequence + index, messages[index - 1]?.id ?? end.messageId)
          })
        } catch (error) {
          // Too large for this server, or the connection is closed. None behind it may be sent.
          const { reason, message: text } = toStreamError(server, error)
          const tooLarge = /max_payload/u.test(text)
          const failure = tooLarge
            ? new StreamError({
                reason: "StreamRefused",
                server,
                message: `event ${message.id} exceeds the server's max_payload`
              })
            : new StreamError({ reason, server, message: text })
          for (let unsent = index; unsent < messages.length; unsent++) {
            windows.answer(first + unsent, { _tag: "Refused", error: failure })
          }
          break
        }
      }
      return Effect.succeed(Deferred.await(settled))
    })
  return { abort, publish }
}

const makeSession = (
  connection: NatsConnection,
  manager: JetStreamManager,
  settings: StreamSettings,
  inboxPrefix: string | undefined
): StreamSession => {
  const server = connection.getServer()
  const broken = Deferred.makeUnsafe<never, StreamError>()
  const publisher = makePublisher(connection, server, inboxPrefix)
  const end = (error: StreamError) => {
    publisher.abort(error)
    Deferred.doneUnsafe(broken, Exit.fail(error))
  }
  void connection.closed().then((error) => {
    const lost = new StreamError({ reason: "Unavailable", server, message: "the connection broke" })
    end(error instanceof Error && error.message !== "" ? toStreamError(server, error) : lost)
  })
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type !== "error") continue
      // The server tells of a forbidden publish only here, and sends no acknowledgement.
      if (status.error instanceof PermissionViolationError) publisher.abort(toStreamError(server, status.error))
    }
  })()

  const request = <A>(ask: () => Promise<A>): Effect.Effect<A, StreamError> =>
    Effect.tryPromise({ try: ask, catch: (error) => toStreamError(server, error) }).pipe(
      Effect.raceFirst(Deferred.await(broken))
    )
  const info = request(() => manager.streams.info(settings.name))
  const judged = (found: StreamInfo, created: boolean): Effect.Effect<EnsuredStream, StreamError> => {
    const problem = unusable(settings, found.config)
    if (problem !== undefined)
      return Effect.fail(new StreamError({ reason: "StreamRefused", server, message: problem }))
    return Effect.succeed({ created, differences: differences(settings, found.config), state: stateOf(found) })
  }
  const create = request(() => manager.streams.add(toConfig(settings))).pipe(
    Effect.flatMap((made) => judged(made, true)),
    Effect.catchTag("StreamError", (error) =>
      // Somebody else was faster, with other settings.
      error.reason === "StreamRefused" && /already in use/u.test(error.message)
        ? Effect.flatMap(info, (found) => judged(found, false))
        : Effect.fail(error)
    )
  )
  return {
    server,
    serverVersion: connection.info?.version ?? "",
    broken: Deferred.await(broken),
    ensure: info.pipe(
      Effect.flatMap((found) => judged(found, false)),
      Effect.catchTag("StreamError", (error) => (error.reason === "StreamAbsent" ? create : Effect.fail(error)))
    ),
    state: Effect.map(info, stateOf),
    message: (streamSequence) =>
      Effect.map(
        request(() => manager.streams.getMessage(settings.name, { seq: streamSequence })),
        (stored) => (stored === null ? undefined : toStored(stored))
      ),
    publish: publisher.publish
  }
}

const connectTo = (
  target: NatsTarget,
  settings: StreamSettings
): Effect.Effect<StreamSession, StreamError, Scope.Scope> =>
  Effect.gen(function* () {
    const connection = yield* dial(target, `chronode publisher of ${settings.name}`, false)
    const manager = yield* Effect.tryPromise({
      try: () =>
        jetstreamManager(connection, {
          checkAPI: false,
          timeout: requestTimeout,
          ...(target.domain === undefined ? {} : { domain: target.domain })
        }),
      catch: (error) => toStreamError(connection.getServer(), error)
    })
    return makeSession(connection, manager, settings, target.inboxPrefix)
  })

/** `EventStream` on the servers of `target`. Connects when the publisher asks for a session, not before. */
export const layerLive = (target: NatsTarget, settings: StreamSettings): Layer.Layer<EventStream> =>
  Layer.succeed(
    EventStream,
    EventStream.of({ settings, target: describeTarget(target), connect: connectTo(target, settings) })
  )
