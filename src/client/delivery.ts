/** One event as it arrives: with its place in the stream, and the ways to say what became of it. */
import type { JsMsg } from "@nats-io/jetstream"
import type { ChronodeEvent, EventTag } from "./event.ts"

export interface Delivery<Tag extends EventTag = EventTag> {
  readonly event: ChronodeEvent<Tag>
  /** NATS subject. */
  readonly subject: string
  readonly stream: string
  /** Place in the stream. Go on behind it with `from: { streamSequence: streamSequence + 1 }`. */
  readonly streamSequence: number
  /** When the server stored it. */
  readonly storedAt: Date
  /** How often it was delivered, this time included; more than 1 only with a durable consumer. */
  readonly deliveries: number
  /** It was dealt with. Sent without waiting: after a broken connection it may come again. */
  readonly ack: () => void
  /** The same; true when the server has taken note, false where that is not known: the event may come again. */
  readonly ackConfirmed: () => Promise<boolean>
  /** It could not be dealt with: to come again, after so many milliseconds. */
  readonly nak: (delay?: number) => void
  /** It takes longer: the time to acknowledge begins anew. */
  readonly working: () => void
  /** It can never be dealt with: not to come again. */
  readonly term: (reason?: string) => void
}

/** Milliseconds to wait for the server's word on an acknowledgement. */
const confirmTimeout = 5_000

/** @param durable without, nobody keeps account of acknowledgements, and none are sent */
export const deliveryOf = <Tag extends EventTag>(
  message: JsMsg,
  event: ChronodeEvent<Tag>,
  durable: boolean
): Delivery<Tag> => {
  const send = (say: () => void) => (): void => {
    if (durable) say()
  }
  return {
    event,
    subject: message.subject,
    stream: message.info.stream,
    streamSequence: message.seq,
    storedAt: new Date(Math.floor(message.info.timestampNanos / 1e6)),
    deliveries: message.info.deliveryCount,
    ack: send(() => message.ack()),
    // Whatever goes wrong with it, a broken connection or a late answer, means one thing: it may come again.
    ackConfirmed: async () => (durable ? await message.ackAck({ timeout: confirmTimeout }).catch(() => false) : true),
    nak: (delay) => {
      if (durable) message.nak(delay)
    },
    working: send(() => message.working()),
    term: (reason) => {
      if (durable) message.term(reason)
    }
  }
}
