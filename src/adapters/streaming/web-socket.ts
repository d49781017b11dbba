/** WebSocket (RFC 6455), the server's side, over a connection whose upgrade was asked for: binary messages, no extensions. */
import { createHash } from "node:crypto"
import type { Duplex } from "node:stream"

const acceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
const fin = 0x80
const masked = 0x80

/** Largest message that is taken, bytes; clients of Kubernetes write 32 KiB at a time. */
export const maxMessageBytes = 1024 * 1024
/** Milliseconds that a client has to end its half. */
const lingerTimeout = 5_000
/** Payload of a ping, pong or close. */
const maxControlBytes = 125

export const closeCodes = { normal: 1000, goingAway: 1001, protocol: 1002, tooLarge: 1009, failed: 1011 } as const

/** What the server's answer proves that it understood. @param key the request's Sec-WebSocket-Key */
export const acceptOf = (key: string): string => createHash("sha1").update(key).update(acceptSuffix).digest("base64")

export type WebSocketFrame = { readonly opcode: number; readonly isLast: boolean; readonly payload: Buffer }

/** It is no WebSocket, or asks for too much. */
export class WebSocketProblem extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const unmask = (payload: Buffer, mask: Buffer): Buffer => {
  const plain = Buffer.allocUnsafe(payload.length)
  for (let i = 0; i < payload.length; i++) plain[i] = payload[i]! ^ mask[i & 3]!
  return plain
}

/** Cuts what comes into frames. `isFromClient`: they must be masked, those of a server must not. */
export class WebSocketReader {
  private held: Buffer = Buffer.alloc(0)
  private readonly isFromClient: boolean

  constructor(isFromClient: boolean) {
    this.isFromClient = isFromClient
  }

  /** @throws WebSocketProblem */
  push(bytes: Uint8Array): ReadonlyArray<WebSocketFrame> {
    this.held = this.held.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.held, bytes])
    const frames: Array<WebSocketFrame> = []
    for (let frame = this.next(); frame !== undefined; frame = this.next()) frames.push(frame)
    return frames
  }

  private next(): WebSocketFrame | undefined {
    const { held } = this
    if (held.length < 2) return undefined
    const first = held[0]!
    const second = held[1]!
    const opcode = first & 0x0f
    if ((first & 0x70) !== 0) throw new WebSocketProblem(closeCodes.protocol, "reserved bits are set")
    if (((second & masked) !== 0) !== this.isFromClient)
      throw new WebSocketProblem(closeCodes.protocol, "frames of a client are masked, those of a server are not")
    let length = second & 0x7f
    let at = 2
    if (length === 126) {
      if (held.length < 4) return undefined
      length = held.readUInt16BE(2)
      at = 4
    } else if (length === 127) {
      if (held.length < 10) return undefined
      length = held.readUInt32BE(2) > 0 ? Number.POSITIVE_INFINITY : held.readUInt32BE(6)
      at = 10
    }
    if (length > (opcode >= opcodes.close ? maxControlBytes : maxMessageBytes))
      throw new WebSocketProblem(closeCodes.tooLarge, "a frame is too large")
    const start = at + (this.isFromClient ? 4 : 0)
    if (held.length < start + length) return undefined
    const raw = held.subarray(start, start + length)
    const payload = this.isFromClient ? unmask(raw, held.subarray(at, start)) : raw
    this.held = held.subarray(start + length)
    return { opcode, isLast: (first & fin) !== 0, payload }
  }
}

/** One unfragmented frame of a server. */
export const serverFrame = (opcode: number, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const head = Buffer.alloc(length < 126 ? 2 : length < 0x1_0000 ? 4 : 10)
  head[0] = fin | opcode
  if (length < 126) head[1] = length
  else if (length < 0x1_0000) {
    head[1] = 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 127
    head.writeUInt32BE(length, 6)
  }
  return Buffer.concat([head, ...parts])
}

/** A message as frames bring it together; text counts as bytes. */
export class MessageAssembler {
  private parts: Array<Buffer> | undefined
  private size = 0

  /** The whole message, once it is there. @throws WebSocketProblem */
  add({ opcode, isLast, payload }: WebSocketFrame): Buffer | undefined {
    if ((opcode === opcodes.continuation) !== (this.parts !== undefined))
      throw new WebSocketProblem(closeCodes.protocol, "fragments of a message are out of order")
    if (opcode > opcodes.binary) throw new WebSocketProblem(closeCodes.protocol, `opcode ${opcode} is not known`)
    this.size += payload.length
    if (this.size > maxMessageBytes) throw new WebSocketProblem(closeCodes.tooLarge, "a message is too large")
    this.parts = [...(this.parts ?? []), payload]
    if (!isLast) return undefined
    const message = Buffer.concat(this.parts)
    this.parts = undefined
    this.size = 0
    return message
  }
}

export interface WebSocketEvents {
  readonly onMessage: (message: Buffer) => void
  /** Once: the client closed it, broke the rules, or went. */
  readonly onClose: () => void
  readonly onDrain: () => void
}

/** Speaks for the server over a connection whose upgrade has been answered. */
export class WebSocketServerSide {
  private readonly socket: Duplex
  private readonly events: WebSocketEvents
  private readonly reader = new WebSocketReader(true)
  private readonly assembler = new MessageAssembler()
  private isClosed = false
  /** On the wire. */
  bytesIn = 0
  bytesOut = 0

  constructor(socket: Duplex, events: WebSocketEvents) {
    this.socket = socket
    this.events = events
    socket.on("drain", events.onDrain)
    socket.on("error", () => {})
    socket.once("end", () => this.closed())
    socket.once("close", () => this.closed())
  }

  /** From here on messages are heard. @param first what came already */
  start(first: Uint8Array): void {
    this.socket.on("data", (bytes: Uint8Array) => this.receive(bytes))
    if (first.length > 0) this.receive(first)
    // It may have ended before anybody listened.
    if (this.socket.readableEnded) this.closed()
    else this.socket.resume()
  }

  /** False where the connection is full: wait for `onDrain`. */
  send(...parts: ReadonlyArray<Uint8Array>): boolean {
    return this.isClosed ? true : this.write(serverFrame(opcodes.binary, ...parts))
  }

  /** The same as text. */
  sendText(text: string): boolean {
    return this.isClosed ? true : this.write(serverFrame(opcodes.text, Buffer.from(text)))
  }

  /** Nothing is sent or heard any more. */
  get isOver(): boolean {
    return this.isClosed
  }

  private write(frame: Buffer): boolean {
    this.bytesOut += frame.length
    return this.socket.write(frame)
  }

  pause(): void {
    this.socket.pause()
  }
  resume(): void {
    this.socket.resume()
  }

  /** Says why, once, and ends the connection. */
  close(code: number): void {
    if (this.isClosed) return
    const reason = Buffer.alloc(2)
    reason.writeUInt16BE(code)
    this.socket.end(serverFrame(opcodes.close, reason))
    this.closed()
  }

  private closed(): void {
    if (this.isClosed) return
    this.isClosed = true
    const { socket } = this
    if (!socket.destroyed) {
      socket.end()
      // What comes yet is not listened to; a client that does not go is cut off.
      socket.resume()
      const late = setTimeout(() => socket.destroy(), lingerTimeout)
      socket.once("close", () => clearTimeout(late))
    }
    this.events.onClose()
  }

  private receive(bytes: Uint8Array): void {
    this.bytesIn += bytes.length
    if (this.isClosed) return
    try {
      for (const frame of this.reader.push(bytes)) this.handle(frame)
    } catch (error) {
      if (!(error instanceof WebSocketProblem)) throw error
      this.close(error.code)
    }
  }

  private handle(frame: WebSocketFrame): void {
    if (frame.opcode === opcodes.ping) this.write(serverFrame(opcodes.pong, frame.payload))
    else if (frame.opcode === opcodes.close) this.close(closeCodes.normal)
    else if (frame.opcode !== opcodes.pong) {
      const message = this.assembler.add(frame)
      if (message !== undefined && !this.isClosed) this.events.onMessage(message)
    }
  }
}
