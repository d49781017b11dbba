/** Connections of one listener: how many there may be, and when all of them end. */
import type { Socket } from "node:net"
import { maxConnections, maxConnectionsOfOne } from "./bounds.ts"

export interface Acceptor {
  /** False: there are too many, and this one is closed. */
  readonly admit: (socket: Socket) => boolean
  readonly closeAll: () => void
}

export const makeAcceptor = (): Acceptor => {
  const open = new Set<Socket>()
  const ofOne = new Map<string, number>()
  return {
    admit: (socket) => {
      // Sent out at once, and lost connections noticed: watchers of logs may wait for hours.
      socket.setNoDelay(true)
      socket.setKeepAlive(true, keepAliveMillis)
      socket.on("error", () => socket.destroy())
      const from = socket.remoteAddress
      const others = from === undefined ? 0 : (ofOne.get(from) ?? 0)
      if (open.size >= maxConnections || others >= maxConnectionsOfOne) {
        socket.destroy()
        return false
      }
      open.add(socket)
      if (from !== undefined) ofOne.set(from, others + 1)
      socket.once("close", () => {
        open.delete(socket)
        if (from === undefined) return
        const left = (ofOne.get(from) ?? 1) - 1
        if (left > 0) ofOne.set(from, left)
        else ofOne.delete(from)
      })
      return true
    },
    closeAll: () => {
      for (const socket of open) socket.destroy()
    }
  }
}

/** A connection that says nothing is asked for a sign of life by the kernel. */
const keepAliveMillis = 30_000
