/** A runtime's streaming server of a test: speaks HTTP's upgrade, then whatever the test wants. */
import { createServer, type Server, type Socket } from "node:net"
import { dataFrame } from "../../../src/adapters/streaming/frames.ts"

export interface FakeRuntime {
  readonly url: string
  /** Heads of requests that came, without the empty line. */
  readonly heads: Array<string>
  readonly open: () => number
  readonly close: () => Promise<void>
}

/** What a test has to say after its client has ended. */
const lingerMillis = 100

/** `answer`: what is sent back for a request's head; `upgraded`: the socket from there on, with what came behind the head. */
export const fakeRuntime = async (
  answer: (head: string) => string,
  upgraded: (socket: Socket, rest: Buffer) => void
): Promise<FakeRuntime> => {
  const heads: Array<string> = []
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on("error", () => {})
    socket.once("close", () => sockets.delete(socket))
    socket.once("end", () => setTimeout(() => socket.end(), lingerMillis))
    let held = Buffer.alloc(0)
    const onData = (bytes: Buffer): void => {
      held = Buffer.concat([held, bytes])
      const end = held.indexOf("\r\n\r\n")
      if (end < 0) return
      socket.off("data", onData)
      const head = held.toString("latin1", 0, end)
      heads.push(head)
      const said = answer(head)
      socket.write(said)
      if (said.startsWith("HTTP/1.1 101")) upgraded(socket, held.subarray(end + 4))
    }
    socket.on("data", onData)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}/exec/token`,
    heads,
    open: () => sockets.size,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      })
  }
}

export const switching = (protocol: string): string =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`

/** Speaks the server's side of SPDY as far as our client does: takes every stream, and tells what comes on it by its name. */
export const speakSpdy = (
  socket: Socket,
  rest: Buffer,
  on: {
    readonly opened: (type: string, send: (bytes: Uint8Array, isLast?: boolean) => void) => void
    readonly data: (type: string, bytes: Buffer, isLast: boolean) => void
  }
): void => {
  const types = new Map<number, string>()
  let held = rest
  const take = (bytes: Buffer): void => {
    held = Buffer.concat([held, bytes])
    while (held.length >= 8) {
      const length = held.readUIntBE(5, 3)
      if (held.length < 8 + length) return
      const [head, payload] = [held.subarray(0, 8), held.subarray(8, 8 + length)]
      held = held.subarray(8 + length)
      if ((head[0]! & 0x80) === 0) {
        const id = head.readUInt32BE(0)
        on.data(types.get(id) ?? "", payload, (head[4]! & 1) !== 0)
        continue
      }
      if (head.readUInt16BE(2) !== 1) continue
      const id = payload.readUInt32BE(0)
      // Our header blocks are stored, not compressed: the value follows its name and its length.
      const name = payload.indexOf("streamtype")
      const size = payload.readUInt32BE(name + 10)
      const type = payload.toString("latin1", name + 14, name + 14 + size)
      types.set(id, type)
      const reply = Buffer.alloc(12)
      reply.set([0x80, 3, 0, 2, 0, 0, 0, 4])
      reply.writeUInt32BE(id, 8)
      socket.write(reply)
      on.opened(type, (sent, isLast = false) => void socket.write(dataFrame(id, sent, isLast)))
    }
  }
  socket.on("data", take)
  take(Buffer.alloc(0))
}
