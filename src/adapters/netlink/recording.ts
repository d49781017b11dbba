/** Talks with a kernel, recorded as bytes and played back: what the kernel said once is judged on every machine. */
import { NetlinkError } from "./error.ts"
import type { Transport } from "./transport.ts"

/** Hexadecimal, as they went over the socket. */
export interface Exchange {
  readonly sent: string
  readonly received: ReadonlyArray<string>
}

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")

/** The same transport, and all that goes over it. */
export const recorded = (
  transport: Transport
): { readonly transport: Transport; readonly exchanges: ReadonlyArray<Exchange> } => {
  const exchanges: Array<{ readonly sent: string; readonly received: Array<string> }> = []
  return {
    exchanges,
    transport: {
      portId: transport.portId,
      reserveSend: transport.reserveSend.bind(transport),
      join: transport.join.bind(transport),
      close: transport.close.bind(transport),
      send: (operation, bytes) => {
        exchanges.push({ sent: toHex(bytes), received: [] })
        transport.send(operation, bytes)
      },
      receive: (operation, waitMillis) => {
        const datagram = transport.receive(operation, waitMillis)
        if (datagram !== undefined) exchanges.at(-1)?.received.push(toHex(datagram))
        return datagram
      }
    }
  }
}

/** A kernel that says again what was recorded, as long as it is asked the same, byte by byte. */
export const replayed = (exchanges: ReadonlyArray<Exchange>): Transport => {
  let next = 0
  let queue: Array<string> = []
  return {
    portId: 1,
    reserveSend: () => undefined,
    join: () => undefined,
    close: () => undefined,
    send: (operation, bytes) => {
      const exchange = exchanges[next]
      next += 1
      if (exchange?.sent !== toHex(bytes)) {
        const message = `not what was recorded: sent ${toHex(bytes)}, recorded ${exchange?.sent ?? "nothing"}`
        throw new NetlinkError({ reason: "Refused", operation, message })
      }
      queue = [...exchange.received]
    },
    receive: () => {
      const datagram = queue.shift()
      return datagram === undefined ? undefined : Uint8Array.from(Buffer.from(datagram, "hex"))
    }
  }
}
