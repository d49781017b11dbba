/** A socket that lives as long as the dataplane, and is opened anew where it is in doubt what the kernel still has to say on it. */
import { openSocket } from "../../netlink/socket.ts"
import type { Protocol, Transport } from "../../netlink/transport.ts"

/**
 * After answers were lost, or did not come, those of the last request could be taken for others', and a listing that was not
 * read to its end would hinder the next. So the next request gets a new socket. Throws NetlinkError as a socket does.
 */
export const steadySocket = (protocol: Protocol, open: (protocol: Protocol) => Transport = openSocket): Transport => {
  let socket = open(protocol)
  let isInDoubt = false
  return {
    get portId() {
      return socket.portId
    },
    reserveSend: (operation, bytes) => socket.reserveSend(operation, bytes),
    join: (group) => socket.join(group),
    send: (operation, bytes) => {
      if (isInDoubt) {
        socket.close()
        socket = open(protocol)
        isInDoubt = false
      }
      socket.send(operation, bytes)
    },
    receive: (operation, waitMillis) => {
      try {
        const datagram = socket.receive(operation, waitMillis)
        if (datagram === undefined) isInDoubt = true
        return datagram
      } catch (error) {
        isInDoubt = true
        throw error
      }
    },
    close: () => socket.close()
  }
}
