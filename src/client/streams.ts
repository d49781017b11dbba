/** Which streams a subscriber reads, and the consumer for each. */
import {
  AckPolicy,
  type Consumer,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  type StreamInfo
} from "@nats-io/jetstream"
import { nodeToken } from "../events/actor-id.ts"
import { covers, intersection } from "../events/subjects.ts"
import type { StartAt, SubjectFilter, SubscribeOptions } from "./options.ts"

/** What was asked for cannot be had as it was asked for. `message` names it. */
export class SubscribeError extends Error {
  override readonly name = "SubscribeError"
}

export interface FoundStream {
  readonly name: string
  /** Tells a stream that was made anew from the one that was. */
  readonly created: string
  readonly subjects: ReadonlyArray<string>
}

/** Streams that are read at once at most. */
const maxStreams = 256
const nanosPerMilli = 1_000_000

const toFound = ({ config, created }: StreamInfo): FoundStream => ({
  name: config.name,
  created: String(created),
  subjects: config.subjects ?? []
})

const isNotFound = (error: unknown): boolean =>
  error instanceof JetStreamApiError &&
  (error.code === JetStreamApiCodes.StreamNotFound || error.code === JetStreamApiCodes.ConsumerNotFound)

/** The streams that there are now; none is no error. */
export const findStreams = async (
  manager: JetStreamManager,
  options: SubscribeOptions,
  filter: SubjectFilter
): Promise<ReadonlyArray<FoundStream>> => {
  const name = options.stream ?? (options.node === undefined ? undefined : `CHRONODE_${nodeToken(options.node)}`)
  const found: Array<FoundStream> = []
  if (name === undefined) {
    for await (const info of manager.streams.list(filter.subject)) found.push(toFound(info))
    if (found.length > maxStreams)
      throw new SubscribeError(`${found.length} streams are more than ${maxStreams}: name one node or a stream`)
    return found
  }
  try {
    return [toFound(await manager.streams.info(name))]
  } catch (error) {
    if (isNotFound(error)) return []
    throw error
  }
}

/** The part of the stream that is wanted. Servers before 2.10 refuse a filter that is wider than the stream. */
const filterWithin = ({ name, subjects }: FoundStream, { subject }: SubjectFilter): string | undefined => {
  if (subjects.length === 0) return subject // a mirror, or a hub's stream with sources
  if (subjects.every((own) => covers(subject, own))) return undefined
  const common = subjects.flatMap((own) => intersection(own, subject) ?? [])
  if (common.length === 0) throw new SubscribeError(`the stream ${name} holds no subject ${subject}`)
  return common.length === 1 ? common[0] : undefined
}

const startOf = (from: StartAt) => {
  if (from === "first") return { deliver_policy: DeliverPolicy.All }
  if (from === "new") return { deliver_policy: DeliverPolicy.New }
  return "time" in from
    ? { deliver_policy: DeliverPolicy.StartTime, opt_start_time: from.time.toISOString() }
    : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from.streamSequence }
}

/** What a durable consumer needs to know; `buffer` events may be unacknowledged at once. */
export interface Durable {
  readonly name: string
  readonly buffer: number
  /** Milliseconds. */
  readonly ackWait: number
}

/** A consumer of its own for each reader; or the durable one, made if it is not there and else left as it is. */
export const consumerOf = async (
  manager: JetStreamManager,
  stream: FoundStream,
  filter: SubjectFilter,
  from: StartAt,
  durable: Durable | undefined
): Promise<Consumer> => {
  const client = manager.jetstream()
  const subject = filterWithin(stream, filter)
  if (durable === undefined) {
    const narrowed = subject === undefined ? {} : { filter_subjects: subject }
    return await client.consumers.get(stream.name, { ...narrowed, ...startOf(from) })
  }
  const { ackWait, buffer, name } = durable
  try {
    const { config } = await manager.consumers.info(stream.name, name)
    if ((config.filter_subject ?? "") !== (subject ?? ""))
      throw new SubscribeError(
        `the durable consumer ${name} of ${stream.name} selects ${config.filter_subject || "everything"}, not ${subject ?? "everything"}: take another name, or delete it`
      )
    if (config.ack_policy !== AckPolicy.Explicit)
      throw new SubscribeError(
        `the durable consumer ${name} of ${stream.name} takes no acknowledgements of single events`
      )
  } catch (error) {
    if (!isNotFound(error)) throw error
    await manager.consumers.add(stream.name, {
      durable_name: name,
      ack_policy: AckPolicy.Explicit,
      ack_wait: ackWait * nanosPerMilli,
      max_ack_pending: buffer,
      ...(subject === undefined ? {} : { filter_subject: subject }),
      ...startOf(from)
    })
  }
  return await client.consumers.get(stream.name, name)
}
