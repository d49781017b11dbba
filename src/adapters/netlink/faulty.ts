/**
 * A kernel whose answers go wrong, for tests: what it does is real, what is said of it may not be. So it can be judged what
 * becomes of the kernel's state where its answers fail.
 */
import { answersLost, errnoError } from "./error.ts"
import { acknowledgement, joined } from "./memory.ts"
import { flags, forEachMessage } from "./reader.ts"
import type { Transport } from "./transport.ts"

/**
 * - `unsent`: nothing is sent, and sending says so
 * - `refused`: one message of the send is refused, 0-based; of a batch of nf_tables nothing is done then, else all others are
 * - `lost`: all is done, and the answers are lost for want of room
 * - `silent`: all is done, and no answer ever comes
 */
export type InjectedFault =
  | { readonly kind: "unsent"; readonly errno: number }
  | { readonly kind: "refused"; readonly errno: number; readonly at: number }
  | { readonly kind: "lost" | "silent" }

/** NFNL_MSG_BATCH_BEGIN */
const batchBegin = 16

interface Sent {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly bytes: Uint8Array
}

const messagesOf = (datagram: Uint8Array): ReadonlyArray<Sent> => {
  const messages: Array<Sent> = []
  forEachMessage(datagram, ({ type, flags: bits, sequence, bytes, header, end }) => {
    messages.push({ type, flags: bits, sequence, bytes: bytes.slice(header, end) })
  })
  return messages
}

/** `faultOf` is asked at each send: how many messages it has, and whether they only list something. */
export const faulty = (
  transport: Transport,
  faultOf: (messages: number, isListing: boolean) => InjectedFault | undefined
): Transport => {
  let before: Array<Uint8Array> = []
  let isOverrun = false
  let isMute = false
  const discard = (operation: string) => {
    while (transport.receive(operation, 0) !== undefined);
  }
  const refuse = (operation: string, messages: ReadonlyArray<Sent>, errno: number, at: number): void => {
    const isBatch = messages[0]?.type === batchBegin
    const refused = messages[at]!
    before = [acknowledgement(refused, errno)]
    if (isBatch) {
      const last = messages.findLast((each) => (each.flags & flags.ack) !== 0)
      if (last !== undefined && last !== refused) before.push(acknowledgement(last))
      return
    }
    const others = messages.filter((each) => each !== refused)
    if (others.length > 0) transport.send(operation, joined(...others.map(({ bytes }) => bytes)))
  }
  return {
    portId: transport.portId,
    reserveSend: transport.reserveSend.bind(transport),
    join: transport.join.bind(transport),
    close: transport.close.bind(transport),
    send: (operation, bytes) => {
      const messages = messagesOf(bytes)
      const isListing = messages.length === 1 && (messages[0]!.flags & flags.dump) === flags.dump
      const fault = faultOf(messages.length, isListing)
      before = []
      isMute = fault?.kind === "silent"
      isOverrun = fault?.kind === "lost"
      if (fault?.kind === "unsent") throw errnoError(operation, { errno: fault.errno })
      if (fault?.kind === "refused") return refuse(operation, messages, fault.errno, fault.at)
      transport.send(operation, bytes)
      if (isMute || isOverrun) discard(operation)
    },
    receive: (operation, waitMillis) => {
      if (isOverrun) {
        isOverrun = false
        isMute = true
        throw answersLost(operation)
      }
      return before.shift() ?? (isMute ? undefined : transport.receive(operation, waitMillis))
    }
  }
}
