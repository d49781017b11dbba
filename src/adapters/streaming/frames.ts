/**
 * Frames of SPDY/3.1, as far as the streaming servers of container runtimes speak it (moby/spdystream: no flow control). It is the
 * one protocol that every containerd and CRI-O has, and that can end stdin alone. Pure.
 *
 * Header blocks are a zlib stream. Ours is made of stored blocks, which every inflater reads, so that none of SPDY's
 * dictionary is needed; the blocks that come are not read, for nothing in them matters here.
 */

const controlBit = 0x80
const version = 3
const headBytes = 8
const types = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 } as const
const fin = 0x01

/** Largest payload that is sent in one frame, bytes. */
export const maxDataBytes = 32 * 1024
/** Largest frame that is taken, bytes: servers write what one read gave them, some 32 KiB. */
const maxFrameBytes = 1024 * 1024

export type Frame =
  | { readonly type: "data"; readonly stream: number; readonly bytes: Uint8Array; readonly fin: boolean }
  | { readonly type: "reply"; readonly stream: number; readonly fin: boolean }
  | { readonly type: "reset"; readonly stream: number; readonly status: number }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "goAway" }
  | { readonly type: "other" }

const control = (type: number, flags: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(headBytes)
  head.writeUInt8(controlBit, 0)
  head.writeUInt8(version, 1)
  head.writeUInt16BE(type, 2)
  head.writeUInt32BE(payload.length, 4)
  head.writeUInt8(flags, 4)
  return Buffer.concat([head, payload])
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const counted = (text: string): Buffer => {
  const bytes = Buffer.from(text)
  return Buffer.concat([uint32(bytes.length), bytes])
}

/** zlib's head (RFC 1950): deflate, window of 32 KiB, no dictionary. */
const zlibHead = Buffer.from([0x78, 0x01])
/** What a sync flush leaves: an empty stored block, at which an inflater hands over what it has. */
const flush = Buffer.from([0x00, 0x00, 0x00, 0xff, 0xff])

const stored = (bytes: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt16LE(bytes.length, 1)
  head.writeUInt16LE(~bytes.length & 0xffff, 3)
  return Buffer.concat([head, bytes, flush])
}

/** Makes the frames that open streams: one per connection, for the header blocks are one zlib stream. */
export class StreamOpener {
  private isFirst = true

  open(stream: number, headers: Readonly<Record<string, string>>): Buffer {
    const entries = Object.entries(headers)
    const block = Buffer.concat([
      uint32(entries.length),
      ...entries.flatMap(([name, value]) => [counted(name.toLowerCase()), counted(value)])
    ])
    const packed = this.isFirst ? Buffer.concat([zlibHead, stored(block)]) : stored(block)
    this.isFirst = false
    // No associated stream, highest priority, no slot.
    return control(types.synStream, 0, Buffer.concat([uint32(stream), uint32(0), Buffer.alloc(2), packed]))
  }
}

export const dataFrame = (stream: number, bytes: Uint8Array, isLast: boolean): Buffer => {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(stream, 0)
  head.writeUInt32BE(bytes.length, 4)
  head.writeUInt8(isLast ? fin : 0, 4)
  return Buffer.concat([head, bytes])
}

export const pingFrame = (id: number): Buffer => control(types.ping, 0, uint32(id))

/** Cuts what comes into frames. */
export class FrameReader {
  private held: Buffer = Buffer.alloc(0)

  /** @throws RangeError for a frame that is too large: what comes is not SPDY */
  push(bytes: Uint8Array): ReadonlyArray<Frame> {
    this.held = this.held.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.held, bytes])
    const frames: Array<Frame> = []
    while (this.held.length >= headBytes) {
      const length = this.held.readUIntBE(5, 3)
      if (length > maxFrameBytes) throw new RangeError(`a frame of ${length} bytes`)
      if (this.held.length < headBytes + length) break
      frames.push(frameOf(this.held, this.held.subarray(headBytes, headBytes + length)))
      this.held = this.held.subarray(headBytes + length)
    }
    return frames
  }
}

const frameOf = (head: Buffer, payload: Buffer): Frame => {
  const flags = head.readUInt8(4)
  const isLast = (flags & fin) !== 0
  if ((head.readUInt8(0) & controlBit) === 0)
    return { type: "data", stream: head.readUInt32BE(0), bytes: payload, fin: isLast }
  const number = payload.length >= 4 ? payload.readUInt32BE(0) & 0x7fffffff : 0
  switch (head.readUInt16BE(2)) {
    case types.synReply:
      return { type: "reply", stream: number, fin: isLast }
    case types.reset:
      return { type: "reset", stream: number, status: payload.length >= 8 ? payload.readUInt32BE(4) : 0 }
    case types.ping:
      return { type: "ping", id: payload.length >= 4 ? payload.readUInt32BE(0) : 0 }
    case types.goAway:
      return { type: "goAway" }
    default:
      return { type: "other" }
  }
}
