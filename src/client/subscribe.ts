/** `subscribe`: events as an async iterator, over reconnects and over streams that are made anew. */
import { type ConsumerMessages, type JetStreamManager, type JsMsg, jetstreamManager } from "@nats-io/jetstream"
import { NoRespondersError, TimeoutError } from "@nats-io/nats-core"
import { type ConnectionOptions, connect, type NatsConnection } from "@nats-io/transport-node"
import { type Delivery, deliveryOf } from "./delivery.ts"
import { type ChronodeEvent, type EventTag, NoEvent, parseEvent } from "./event.ts"
import { makeHandoff } from "./handoff.ts"
import { type StartAt, type SubscribeOptions, subjectFilter } from "./options.ts"
import { consumerOf, type FoundStream, findStreams, SubscribeError } from "./streams.ts"

/** Milliseconds between looks for streams that are new or were made anew. */
const lookPeriod = 3_000
/** Milliseconds until a server that did not answer is asked again. */
const retryPause = 300
/** Milliseconds that a pull waits on the server; half of it is the heartbeat, two missed ones begin a new pull. */
const pullExpiry = 5_000
/** Milliseconds for a request to the server. */
const requestTimeout = 5_000
/** Milliseconds for what is on its way, when it ends. */
const flushTimeout = 2_000
const defaultBuffer = 256
const maxBuffer = 10_000
const defaultAckWait = 30_000

export interface Subscription<Tag extends EventTag = EventTag> extends AsyncIterable<Delivery<Tag>> {
  /** Ends the loop; so does leaving it, and the signal. Resolves when all is closed. */
  readonly close: () => Promise<void>
}

interface Reader {
  readonly stream: FoundStream
  messages: ConsumerMessages | undefined
  ended: boolean
}

const isConnection = (value: ConnectionOptions | NatsConnection | undefined): value is NatsConnection =>
  value !== undefined && "getServer" in value

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** The server is away or busy for a moment: ask again. */
const isTransient = (error: unknown): boolean =>
  error instanceof TimeoutError ||
  error instanceof NoRespondersError ||
  (error instanceof Error && (error.name === "JetStreamNotEnabled" || error.cause instanceof NoRespondersError))

const bounded = (name: string, value: number | undefined, unasked: number, most: number): number => {
  if (value === undefined) return unasked
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new RangeError(`${name} is ${value}; it can be 1 to ${most}`)
}

const warn: NonNullable<SubscribeOptions["onNoEvent"]> = (problem, { subject }) =>
  console.warn(`chronode/client: a message on ${subject} is no event: ${problem}`)

/** Throws `TypeError`, `RangeError` or `SubscribeError` where the options make no sense. */
const checked = (options: SubscribeOptions) => {
  const { durable, from, stream, subjectPrefix = "" } = options
  if (subjectPrefix !== "" && stream === undefined)
    throw new SubscribeError("subjectPrefix needs stream: which stream takes what is replayed there?")
  if (typeof from === "object" && "streamSequence" in from && stream === undefined && options.node === undefined)
    throw new SubscribeError("from: a place in a stream means something in one stream only: name node or stream")
  if (durable !== undefined && !/^[^\s.*>/\\]{1,200}$/u.test(durable))
    throw new SubscribeError(`durable: '${durable}' can be no name of a consumer`)
  return {
    filter: subjectFilter(options, subjectPrefix),
    buffer: bounded("buffer", options.buffer, defaultBuffer, maxBuffer),
    ackWait: bounded("ackWait", options.ackWait, defaultAckWait, Number.MAX_SAFE_INTEGER)
  }
}

/**
 * Subscribes to events. Nothing is asked of the server before the first event is; one loop over it is allowed.
 *
 * ```ts
 * for await (const { event, ack } of subscribe({ type: "ContainerExited", durable: "restarts" })) {
 *   if (event.tag === "ContainerExited") console.log(event.time, event.actor.name, event.data.exitCode)
 *   ack()
 * }
 * ```
 *
 * Events of one stream, that is of one node, come in its order. Without `durable` each comes once; with it, once or more
 * often. The loop ends with an error where the server refuses what is asked; a server that is away is waited for.
 */
export const subscribe = <Tag extends EventTag = EventTag>(options: SubscribeOptions<Tag> = {}): Subscription<Tag> =>
  subscribeLooking(options, lookPeriod)

/** @param period milliseconds between looks for streams; `lookPeriod` but in tests */
export const subscribeLooking = <Tag extends EventTag = EventTag>(
  options: SubscribeOptions<Tag>,
  period: number
): Subscription<Tag> => {
  const { ackWait, buffer, filter } = checked(options)
  const { durable, signal } = options
  const handoff = makeHandoff<Delivery<Tag>>()
  const readers = new Map<string, Reader>()
  let connection: NatsConnection | undefined
  let closing: Promise<void> | undefined
  let started = false
  let look: ReturnType<typeof setTimeout> | undefined

  const end = (reader: Reader): void => {
    reader.ended = true
    void reader.messages?.close()
  }
  const close = (): Promise<void> => {
    closing ??= (async () => {
      signal?.removeEventListener("abort", onAbort)
      clearTimeout(look)
      handoff.close()
      for (const reader of readers.values()) end(reader)
      if (connection === undefined || connection.isClosed()) return
      // Acknowledgements that are on their way.
      await Promise.race([connection.flush().catch(() => {}), pause(flushTimeout)])
      if (!isConnection(options.connect)) await connection.close()
    })()
    return closing
  }
  const onAbort = (): void => void close()
  const fail = (error: unknown): void => {
    handoff.fail(error)
    void close()
  }

  /** Hands a message on; false: nobody takes any more. */
  const deliver = async (message: JsMsg): Promise<boolean> => {
    if (!filter.wants(message.subject)) {
      if (durable !== undefined) message.ack()
      return true
    }
    let event: ChronodeEvent<Tag>
    try {
      event = parseEvent(message.string()) as ChronodeEvent<Tag>
    } catch (error) {
      if (!(error instanceof NoEvent)) throw error
      const told = options.onNoEvent ?? warn
      told(error.message, { subject: message.subject, text: message.string() })
      if (durable !== undefined) message.ack()
      return true
    }
    return await handoff.give(deliveryOf(message, event, durable !== undefined))
  }

  const read = async (manager: JetStreamManager, reader: Reader, from: StartAt): Promise<void> => {
    const kept = durable === undefined ? undefined : { name: durable, buffer, ackWait }
    while (!reader.ended) {
      try {
        const consumer = await consumerOf(manager, reader.stream, filter, from, kept)
        if (reader.ended) return
        reader.messages = await consumer.consume({
          max_messages: buffer,
          expires: pullExpiry,
          abort_on_missing_resource: durable !== undefined
        })
        for await (const message of reader.messages) if (!(await deliver(message))) return
        return
      } catch (error) {
        if (reader.ended) return
        if (isTransient(error)) await pause(retryPause)
        // A consumer goes with its stream, and the next look tells whether that was made anew.
        else if (await isReplaced(manager, reader.stream)) return
        else throw error
      }
    }
  }
  const isReplaced = async (manager: JetStreamManager, stream: FoundStream): Promise<boolean> => {
    const present = await findStreams(manager, options, filter)
    return present.find(({ name }) => name === stream.name)?.created !== stream.created
  }

  const startReader = (manager: JetStreamManager, stream: FoundStream, from: StartAt): void => {
    const reader: Reader = { stream, messages: undefined, ended: false }
    readers.set(stream.name, reader)
    void read(manager, reader, from).catch(fail)
  }
  /** Begins with streams that are new; those that are made anew are read from their beginning. */
  const lookAround = async (manager: JetStreamManager, isFirst: boolean): Promise<void> => {
    const found = await findStreams(manager, options, filter)
    if (found.length === 0 && isFirst && options.wait !== true)
      throw new SubscribeError(
        `no stream${options.node === undefined ? "" : ` of node ${options.node}`} holds ${filter.subject}; wait: true waits for one`
      )
    for (const stream of found) {
      const reader = readers.get(stream.name)
      if (reader?.stream.created === stream.created) continue
      if (reader !== undefined) end(reader)
      startReader(manager, stream, isFirst ? (options.from ?? "first") : "first")
    }
  }
  const keepLooking = (manager: JetStreamManager): void => {
    look = setTimeout(() => {
      if (closing !== undefined) return
      lookAround(manager, false).then(
        () => keepLooking(manager),
        (error) => (isTransient(error) ? keepLooking(manager) : fail(error))
      )
    }, period)
    look.unref?.()
  }

  const start = async (): Promise<void> => {
    const given = options.connect
    connection = isConnection(given)
      ? given
      : await connect({
          name: "chronode/client",
          maxReconnectAttempts: -1,
          waitOnFirstConnect: options.wait === true,
          ...given
        })
    // It was ended while the connection was made.
    if (closing !== undefined) return isConnection(given) ? undefined : await connection.close()
    void connection.closed().then((error) => {
      if (closing === undefined) fail(error instanceof Error ? error : new SubscribeError("the connection was closed"))
    })
    const domain = options.domain === undefined ? {} : { domain: options.domain }
    const manager = await jetstreamManager(connection, { checkAPI: false, timeout: requestTimeout, ...domain })
    await lookAround(manager, true)
    keepLooking(manager)
  }

  const iterator: AsyncIterator<Delivery<Tag>> = {
    next: async () => {
      if (!started && closing === undefined) {
        started = true
        start().catch(fail)
      }
      const value = await handoff.take()
      return value === undefined ? { done: true, value: undefined } : { done: false, value }
    },
    return: async () => {
      await close()
      return { done: true, value: undefined }
    }
  }
  if (signal?.aborted === true) void close()
  else signal?.addEventListener("abort", onAbort)
  return { close, [Symbol.asyncIterator]: () => iterator }
}
