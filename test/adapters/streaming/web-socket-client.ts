/** The client's side of a WebSocket, in tests: frames as a client masks them, and a connection that collects what comes. */
import assert from "node:assert/strict"
import { connect, type Socket } from "node:net"
import { type ConnectionOptions, connect as connectSecurely } from "node:tls"
import { WebSocketReader } from "../../../src/adapters/streaming/web-socket.ts"

export const clientFrame = (opcode: number, payload: Uint8Array): Buffer => {
  const mask = Buffer.from([1, 2, 3, 4])
  const size = payload.length
  const head = Buffer.alloc(size < 126 ? 2 : size < 0x1_0000 ? 4 : 10)
  head[0] = 0x80 | opcode
  if (size < 126) head[1] = 0x80 | size
  else if (size < 0x1_0000) {
    head[1] = 0x80 | 126
    head.writeUInt16BE(size, 2)
  } else {
    head[1] = 0x80 | 127
    head.writeUInt32BE(size, 6)
  }
  return Buffer.concat([head, mask, Buffer.from(payload.map((byte, i) => byte ^ mask[i & 3]!))])
}

/** Milliseconds. */
const patience = 10_000

export interface WebSocketClient {
  /** The answer's head. */
  readonly head: string
  readonly socket: Socket
  /** What came by channel, as text. */
  readonly received: Map<number, string>
  readonly send: (channel: number, text: string) => void
  readonly until: (isThere: () => boolean) => Promise<void>
  /** Resolves when the server has closed; its code. */
  readonly closed: Promise<number>
}

/** @param where a port of 127.0.0.1, with TLS where options for it are given */
export const openWebSocket = async (
  where: { readonly port: number; readonly tls?: ConnectionOptions },
  path: string,
  protocols: ReadonlyArray<string>,
  headers: ReadonlyArray<string> = []
): Promise<WebSocketClient> => {
  const at = { host: "127.0.0.1", port: where.port }
  const socket: Socket = where.tls === undefined ? connect(at) : connectSecurely({ ...at, ...where.tls })
  socket.on("error", () => {})
  const received = new Map<number, string>()
  const waiting: Array<() => void> = []
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${where.port}`,
    ...["Connection: Upgrade", "Upgrade: websocket"],
    ...["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"],
    ...(protocols.length === 0 ? [] : [`Sec-WebSocket-Protocol: ${protocols.join(", ")}`]),
    ...headers
  ]
  await new Promise<void>((resolve, reject) => {
    socket.once(where.tls === undefined ? "connect" : "secureConnect", () => resolve())
    socket.once("error", reject)
  })
  socket.write(`${lines.join("\r\n")}\r\n\r\n`)
  const reader = new WebSocketReader(false)
  let code = 0
  let head: string | undefined
  let held = Buffer.alloc(0)
  const tell = (): void => {
    for (const wake of waiting.splice(0)) wake()
  }
  const handle = (bytes: Buffer): void => {
    for (const { opcode, payload } of reader.push(bytes)) {
      if (opcode === 8) code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
      else if (opcode === 2 && payload.length > 0)
        received.set(payload[0]!, (received.get(payload[0]!) ?? "") + payload.toString("latin1", 1))
    }
  }
  const headRead = new Promise<string>((resolve) => {
    socket.on("data", (bytes: Buffer) => {
      if (head === undefined) {
        held = Buffer.concat([held, bytes])
        const end = held.indexOf("\r\n\r\n")
        if (end < 0) return
        head = held.toString("latin1", 0, end)
        if (/ 101 /u.test(head)) handle(held.subarray(end + 4))
        else received.set(-1, held.toString("utf8", end + 4))
        resolve(head)
      } else if (/ 101 /u.test(head)) handle(bytes)
      else received.set(-1, (received.get(-1) ?? "") + bytes.toString("utf8"))
      tell()
    })
    socket.once("close", () => resolve(head ?? held.toString("latin1")))
  })
  const closed = new Promise<number>((resolve) => {
    socket.once("end", () => socket.end())
    socket.once("close", () => {
      tell()
      resolve(code)
    })
  })
  return {
    head: await headRead,
    socket,
    received,
    send: (channel, text) => void socket.write(clientFrame(2, Buffer.concat([Buffer.of(channel), Buffer.from(text)]))),
    until: async (isThere) => {
      const late = setTimeout(() => socket.destroy(new Error("waited too long")), patience)
      while (!isThere() && !socket.destroyed) await new Promise<void>((resolve) => waiting.push(resolve))
      clearTimeout(late)
      assert.ok(isThere(), "waited too long")
    },
    closed
  }
}
