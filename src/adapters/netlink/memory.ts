/**
 * A kernel of a test: answers what its script says. So faults can be injected that the real one has only under load: ENOBUFS
 * and EBUSY half-way through a batch, answers cut short, answers to others, silence.
 */
import { answersLost, NetlinkError } from "./error.ts"
import { forEachMessage, flags as messageFlags, messageTypes } from "./reader.ts"
import type { Transport } from "./transport.ts"
import { Writer } from "./writer.ts"

/** A request as the script sees it; `bytes` is its whole message. */
export interface SentMessage {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly bytes: Uint8Array
}

/** Datagrams, or failures of receiving: `Overrun` is what the kernel says when it had to drop some. */
export type Answer = Uint8Array | "overrun"

export interface ScriptedKernel {
  readonly transport: Transport
  /** All that was sent, one list per send. */
  readonly sends: ReadonlyArray<ReadonlyArray<SentMessage>>
  readonly groups: ReadonlySet<number>
  /** Puts answers where they are received next: notifications. */
  readonly deliver: (...answers: ReadonlyArray<Answer>) => void
}

/** `respond` gets each send, 0-based, and says what comes of it; it may throw a NetlinkError, as sending may. */
export const scriptedKernel = (
  respond: (messages: ReadonlyArray<SentMessage>, send: number) => ReadonlyArray<Answer>,
  options: { readonly maxSendBytes?: number; readonly portId?: number } = {}
): ScriptedKernel => {
  const sends: Array<ReadonlyArray<SentMessage>> = []
  const groups = new Set<number>()
  const queue: Array<Answer> = []
  let isClosed = false
  const checkOpen = (operation: string) => {
    if (isClosed) throw new NetlinkError({ reason: "Closed", operation, message: "the socket was closed" })
  }
  const reserveSend = (operation: string, bytes: number) => {
    if (bytes <= (options.maxSendBytes ?? Number.POSITIVE_INFINITY)) return
    throw new NetlinkError({ reason: "TooLarge", operation, message: `${bytes} bytes in one send` })
  }
  return {
    sends,
    groups,
    deliver: (...answers) => {
      queue.push(...answers)
    },
    transport: {
      portId: options.portId ?? 4242,
      reserveSend,
      send: (operation, bytes) => {
        checkOpen(operation)
        reserveSend(operation, bytes.length)
        const messages: Array<SentMessage> = []
        forEachMessage(bytes.slice(), ({ type, flags, sequence, bytes: all, header, end }) => {
          messages.push({ type, flags, sequence, bytes: all.subarray(header, end) })
        })
        sends.push(messages)
        queue.push(...respond(messages, sends.length - 1))
      },
      receive: (operation) => {
        checkOpen(operation)
        const answer = queue.shift()
        if (answer === "overrun") throw answersLost(operation)
        return answer
      },
      join: (group) => {
        groups.add(group)
      },
      close: () => {
        isClosed = true
      }
    }
  }
}

/** One message as a datagram. */
export const datagram = (
  header: { readonly type: number; readonly flags?: number; readonly sequence: number },
  write: (writer: Writer) => void = () => undefined
): Uint8Array => {
  const writer = new Writer()
  const at = writer.beginMessage(header.type, header.flags ?? 0, header.sequence)
  write(writer)
  writer.endMessage(at)
  return writer.written.slice()
}

/** Several messages in one datagram. */
export const joined = (...datagrams: ReadonlyArray<Uint8Array>): Uint8Array => {
  const writer = new Writer()
  for (const each of datagrams) {
    writer.raw(each)
    writer.pad()
  }
  return writer.written.slice()
}

/** The kernel's answer to a request: done (errno 0), or a failure, with its words where it has some. */
export const acknowledgement = (
  request: Pick<SentMessage, "sequence" | "bytes">,
  errno = 0,
  words?: { readonly text?: string; readonly offset?: number }
): Uint8Array => {
  const flags = messageFlags.capped | (words === undefined ? 0 : messageFlags.extendedAck)
  return datagram({ type: messageTypes.error, flags, sequence: request.sequence }, (writer) => {
    writer.i32(-errno)
    writer.raw(request.bytes.subarray(0, 16))
    if (words?.text !== undefined) writer.attributeString(1, words.text)
    if (words?.offset !== undefined) writer.attributeU32(2, words.offset)
  })
}

/** The end of a listing; with an errno, one that failed. */
export const endOfListing = (sequence: number, errno = 0): Uint8Array =>
  datagram({ type: messageTypes.done, flags: messageFlags.multi, sequence }, (writer) => writer.i32(-errno))

/** Acknowledges what asked for it, and fails those for which `fault` names an errno. */
export const acknowledging =
  (fault: (message: SentMessage, position: number) => number = () => 0) =>
  (messages: ReadonlyArray<SentMessage>): ReadonlyArray<Answer> =>
    messages.flatMap((message, position) => {
      const errno = fault(message, position)
      return errno !== 0 || (message.flags & messageFlags.ack) !== 0 ? [acknowledgement(message, errno)] : []
    })
