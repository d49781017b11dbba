/**
 * Reading a node's stream: an ordered consumer (ephemeral, no acknowledgements, recreated by the client where it left
 * off), which any number of readers may have without the publisher noticing. One subject filter: several need 2.10.
 */
import { DeliverPolicy, type JetStreamManager, type JsMsg, jetstreamManager } from "@nats-io/jetstream"
import { TimeoutError } from "@nats-io/nats-core"
import type { NatsConnection } from "@nats-io/transport-node"
import { Effect, Stream } from "effect"
import { chainHeadHeader } from "../../events/journal/head-text.ts"
import { covers, intersection } from "../../events/subjects.ts"
import type { NatsTarget } from "./connection.ts"
import { dial, toStreamError } from "./dial.ts"
import { requestTimeout, StreamError } from "./port.ts"

export interface StreamedLine {
  readonly stream: string
  readonly streamSequence: number
  readonly subject: string
  /** Payload as UTF-8 text. */
  readonly line: string
  /** When the server stored it, milliseconds since the epoch. */
  readonly storedAt: number
  /** The header `Chronode-Chain-Head`; empty: it has none. */
  readonly chainHead: string
}

/** Where to begin. `Time`: with what was stored at `at` (milliseconds since the epoch) or later. */
export type StreamStart =
  | { readonly _tag: "First" }
  | { readonly _tag: "Sequence"; readonly sequence: number }
  | { readonly _tag: "Time"; readonly at: number }
  | { readonly _tag: "New" }

export interface StreamRequest {
  readonly stream: string
  /** Only these subjects; may hold wildcards. */
  readonly subject?: string | undefined
  readonly from: StreamStart
  /** Go on with what comes; else end with what was there. */
  readonly follow: boolean
  /** Leave the payloads out: `line` is empty then. */
  readonly headersOnly?: boolean
}

/** Messages asked for ahead of what the reader has taken. */
const readAhead = 500
/** Milliseconds that a pull waits on the server; half of it is the heartbeat, two missed ones begin a new pull. */
const pullExpiry = 5_000
/** Milliseconds between looks whether a followed stream is still the same: a recreated one begins at 1 again. */
const sameStreamCheck = 3_000

/** Milliseconds between attempts of a follower to reach a server that does not answer. */
const patience = 500

const startOptions = (from: StreamStart) => {
  switch (from._tag) {
    case "First":
      return { deliver_policy: DeliverPolicy.All }
    case "New":
      return { deliver_policy: DeliverPolicy.New }
    case "Sequence":
      return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from.sequence }
    case "Time":
      return { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(from.at).toISOString() }
  }
}

/** What the stream and the reader have in common: servers before 2.10 refuse a filter that is wider than the stream. */
const filterOf = (subjects: ReadonlyArray<string>, subject: string | undefined) => {
  if (subject === undefined || subjects.some((narrow) => covers(subject, narrow))) return { any: true, options: {} }
  const common = subjects.flatMap((own) => intersection(own, subject) ?? [])
  return { any: common.length > 0, options: common.length === 1 ? { filter_subjects: common[0] as string } : {} }
}

const toLine = (stream: string, message: JsMsg): StreamedLine => ({
  stream,
  streamSequence: message.seq,
  subject: message.subject,
  line: message.string(),
  storedAt: Math.floor(message.info.timestampNanos / 1e6),
  // Few readers ask for it: the headers are taken apart only then.
  get chainHead() {
    return message.headers?.get(chainHeadHeader) ?? ""
  }
})

const wanted = (message: JsMsg, subject: string | undefined): boolean =>
  subject === undefined || covers(subject, message.subject)

/** What is there now, to its end. */
async function* present(manager: JetStreamManager, request: StreamRequest): AsyncGenerator<StreamedLine> {
  const { from, stream, subject } = request
  const { config } = await manager.streams.info(stream)
  const filter = filterOf(config.subjects, subject)
  if (!filter.any) return
  const consumer = await manager.jetstream().consumers.get(stream, {
    ...filter.options,
    ...startOptions(from),
    ...(request.headersOnly === true ? { headers_only: true } : {})
  })
  let pending = (await consumer.info()).num_pending
  while (pending > 0) {
    let received = 0
    for await (const message of await consumer.fetch({ max_messages: readAhead, expires: pullExpiry })) {
      received++
      pending = message.info.pending
      if (wanted(message, subject)) yield toLine(stream, message)
      if (pending === 0) return
    }
    // Purged while it was read: what was pending never comes.
    if (received === 0) return
  }
}

/** Asks again for as long as the server does not answer: it may be restarting. Other errors are the caller's. */
const patiently = async <A>(ask: () => Promise<A>): Promise<A> => {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error
      await new Promise((resolve) => setTimeout(resolve, patience))
    }
  }
}

/** What is there and what comes, over reconnects and over the stream's being made anew. */
async function* following(manager: JetStreamManager, request: StreamRequest): AsyncGenerator<StreamedLine> {
  const { stream, subject } = request
  for (let from = request.from; ; from = { _tag: "First" }) {
    const { config, created } = await patiently(() => manager.streams.info(stream))
    const options = { ...filterOf(config.subjects, subject).options, ...startOptions(from) }
    const consumer = await patiently(() => manager.jetstream().consumers.get(stream, options))
    const messages = await consumer.consume({ max_messages: readAhead, expires: pullExpiry })
    let replaced = false
    const look = setInterval(() => {
      manager.streams.info(stream).then(
        (now) => {
          if (now.created === created || replaced) return
          replaced = true
          void messages.close()
        },
        () => {
          // Absent or out of reach for now: the next look tells.
        }
      )
    }, sameStreamCheck)
    try {
      for await (const message of messages) if (wanted(message, subject)) yield toLine(stream, message)
    } finally {
      clearInterval(look)
      await messages.close()
    }
    if (!replaced) return
  }
}

/** `readStream` over a connection that is there already; `manager` is of that connection. */
export const readOver = (
  connection: NatsConnection,
  manager: JetStreamManager,
  request: StreamRequest
): Stream.Stream<StreamedLine, StreamError> => {
  const server = connection.getServer()
  const lines = Stream.fromAsyncIterable(
    { [Symbol.asyncIterator]: () => (request.follow ? following : present)(manager, request) },
    (error) => toStreamError(server, error)
  )
  if (!request.follow) return lines
  // Only the connection's end ends it, and that is an error unless the reader asked for it.
  return Stream.concat(
    lines,
    Stream.fail(new StreamError({ reason: "Unavailable", server, message: "the connection was closed" }))
  )
}

/** The manager of a connection, without asking whether JetStream is there: a reader may lack the right to ask. */
export const managerOf = (
  connection: NatsConnection,
  target: NatsTarget
): Effect.Effect<JetStreamManager, StreamError> =>
  Effect.tryPromise({
    try: () =>
      jetstreamManager(connection, {
        checkAPI: false,
        timeout: requestTimeout,
        ...(target.domain === undefined ? {} : { domain: target.domain })
      }),
    catch: (error) => toStreamError(connection.getServer(), error)
  })

/**
 * Lines of one stream in its order, with bounded read-ahead. Fails with `StreamAbsent` where there is no such stream.
 * With `follow` it lasts until it is interrupted and outlives restarts of the server.
 */
export const readStream = (target: NatsTarget, request: StreamRequest): Stream.Stream<StreamedLine, StreamError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const connection = yield* dial(target, `chronode reader of ${request.stream}`, request.follow)
      const manager = yield* managerOf(connection, target)
      return readOver(connection, manager, request)
    })
  )
