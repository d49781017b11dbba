/** What the kernel answers: acknowledgements with their words, the ends of listings, and what belongs to which request. */
import { errnoError, type Fault, malformed, NetlinkError } from "./error.ts"
import { Attributes, flags, forEachMessage, type Message, messageTypes, requireBytes } from "./reader.ts"
import type { Transport } from "./transport.ts"
import { littleEndian, messageHeaderBytes } from "./writer.ts"

/** Datagrams that are read in search of one answer. */
const maxDatagrams = 1_000_000

/** Attributes of an extended acknowledgement (NLMSGERR_ATTR_*). */
const ackAttributes = { message: 1, offset: 2 } as const

const words = (attributes: Attributes): Omit<Fault, "errno"> => {
  let text: string | undefined
  let offset: number | undefined
  while (attributes.next()) {
    if (attributes.type === ackAttributes.message) text = attributes.text
    else if (attributes.type === ackAttributes.offset) offset = attributes.u32
  }
  return { ...(text === undefined ? {} : { text }), ...(offset === undefined ? {} : { offset }) }
}

/** What an acknowledgement says; undefined: it was done. */
export const faultOf = (message: Message): Fault | undefined => {
  requireBytes(message, 4 + messageHeaderBytes, "an acknowledgement")
  const errno = -message.view.getInt32(message.start, littleEndian)
  if (errno === 0) return undefined
  if (errno < 0) throw malformed(`an acknowledgement with the positive error ${-errno}`)
  if ((message.flags & flags.extendedAck) === 0) return { errno }
  // Behind the errno stands the request's header, and unless it is capped all of the request.
  const requestBytes =
    (message.flags & flags.capped) === 0 ? message.view.getUint32(message.start + 4, littleEndian) : messageHeaderBytes
  if (requestBytes > message.end - message.start) {
    throw malformed(`an acknowledgement of a request of ${requestBytes} bytes, which is not in it`)
  }
  return { errno, ...words(Attributes.of(message, 4 + Math.max(requestBytes, messageHeaderBytes))) }
}

/** Throws the error that the kernel tells at the end of a listing (`netlink_dump_done`), if it tells one. */
export const checkEnd = (operation: string, message: Message): void => {
  if (message.end - message.start < 4) return
  const errno = -message.view.getInt32(message.start, littleEndian)
  if (errno > 0) throw errnoError(operation, { errno, ...words(Attributes.of(message, 4)) })
}

/** Whether answers are complete; `rest`: what is still to come is there already, or never comes. */
export type Progress = boolean | "rest"

/**
 * Answers to some requests, datagram by datagram, until `onMessage` says that it has all. What answers others' requests, or
 * one that was given up, is passed over.
 */
export class Answers {
  readonly #transport: Transport
  readonly #operation: string
  readonly #range: readonly [number, number]
  readonly #answerMillis: number
  readonly #onMessage: (message: Message) => Progress
  #deadline: number
  #datagrams = 0

  /** `range`: the first and the last sequence number. `answerMillis`: how long each may take; 0: what is there already. */
  constructor(
    transport: Transport,
    operation: string,
    range: readonly [number, number],
    answerMillis: number,
    onMessage: (message: Message) => Progress
  ) {
    this.#transport = transport
    this.#operation = operation
    this.#range = range
    this.#answerMillis = answerMillis
    this.#onMessage = onMessage
    this.#deadline = answerMillis === 0 ? 0 : performance.now() + answerMillis
  }

  #timeout(): NetlinkError {
    return new NetlinkError({
      reason: "Timeout",
      operation: this.#operation,
      message: `cannot ${this.#operation}: no answer within ${this.#answerMillis} ms`
    })
  }

  /** Takes in the next datagram; true: that was all. Throws NetlinkError. */
  next(): boolean {
    const [first, last] = this.#range
    const left = Math.max(0, this.#deadline - performance.now())
    const datagram = this.#transport.receive(this.#operation, left)
    this.#datagrams += 1
    if (datagram === undefined || this.#datagrams > maxDatagrams) throw this.#timeout()
    let isOurs = false
    let progress = false as Progress
    forEachMessage(datagram, (message) => {
      if (progress === true || message.sequence < first || message.sequence > last) return
      if (message.type === messageTypes.noop) return
      isOurs = true
      progress = this.#onMessage(message)
    })
    if (progress === "rest") this.#deadline = 0
    else if (isOurs && this.#deadline > 0) this.#deadline = performance.now() + this.#answerMillis
    return progress === true
  }

  all(): void {
    while (!this.next());
  }
}
