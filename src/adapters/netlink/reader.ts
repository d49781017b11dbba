/**
 * Reads netlink messages where they lie, without copies (include/uapi/linux/netlink.h). Whatever does not fit its own
 * lengths is a NetlinkError `Malformed`: nothing is read beyond the bytes that came.
 */
import { malformed, type NetlinkError } from "./error.ts"
import {
  aligned,
  attributeHeaderBytes,
  attributeTypeMask,
  copyInto,
  littleEndian,
  messageHeaderBytes
} from "./writer.ts"

/** `nlmsg_type` of control messages; those of protocols start at 16 (NLMSG_MIN_TYPE). */
export const messageTypes = { noop: 1, error: 2, done: 3, overrun: 4 } as const

/** `nlmsg_flags` (NLM_F_*): of requests, of listings, of changes, of answers. */
export const flags = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  echo: 0x8,
  dumpInterrupted: 0x10,
  dumpFiltered: 0x20,
  root: 0x100,
  match: 0x200,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  capped: 0x100,
  extendedAck: 0x200
} as const

const decoder = new TextDecoder()

/** One message of a datagram: where its parts are. Valid until the next datagram is received. */
export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** Whose request it answers; 0: a notification, or none. */
  readonly portId: number
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Where its header begins, where what follows the header begins, and where it ends. */
  readonly header: number
  readonly start: number
  readonly end: number
}

/** Calls back for each message of a datagram. */
export const forEachMessage = (datagram: Uint8Array, onMessage: (message: Message) => void): void => {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  let at = 0
  while (at < datagram.length) {
    const left = datagram.length - at
    if (left < messageHeaderBytes)
      throw malformed(`a message header of ${left} bytes, and it has ${messageHeaderBytes}`)
    const length = view.getUint32(at, littleEndian)
    if (length < messageHeaderBytes || length > left) {
      throw malformed(`a message says that it has ${length} bytes, and ${left} are there`)
    }
    onMessage({
      type: view.getUint16(at + 4, littleEndian),
      flags: view.getUint16(at + 6, littleEndian),
      sequence: view.getUint32(at + 8, littleEndian),
      portId: view.getUint32(at + 12, littleEndian),
      bytes: datagram,
      view,
      header: at,
      start: at + messageHeaderBytes,
      end: at + length
    })
    at += aligned(length)
  }
}

/** The same message in bytes of its own, of which parts can be kept. One copy of all is cheaper than one of each part. */
export const keptMessage = (message: Message): Message => {
  const bytes = message.bytes.slice(message.header, message.end)
  const start = message.start - message.header
  return { ...message, bytes, view: new DataView(bytes.buffer), header: 0, start, end: bytes.length }
}

/** Refuses a message whose fixed part is shorter than its protocol says. */
export const requireBytes = (message: Message, count: number, what: string): void => {
  const there = message.end - message.start
  if (there < count) throw malformed(`${what} of ${there} bytes, and it has ${count}`)
}

/**
 * The attributes between two positions, one after the other: `while (each.next()) switch (each.type) …`. Those of a type
 * that nobody asks for are passed over.
 */
export class Attributes {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly #end: number
  #next: number
  /** Of the present one: its type without flags, where its value begins, how long that is. */
  type = 0
  start = 0
  length = 0

  constructor(bytes: Uint8Array, view: DataView, start: number, end: number) {
    this.bytes = bytes
    this.view = view
    this.#next = start
    this.#end = end
  }

  /** Those of a message behind its fixed part of so many bytes. */
  static of(message: Message, fixedBytes: number): Attributes {
    return new Attributes(
      message.bytes,
      message.view,
      Math.min(message.start + aligned(fixedBytes), message.end),
      message.end
    )
  }

  next(): boolean {
    const at = this.#next
    const left = this.#end - at
    if (left <= 0) return false
    if (left < attributeHeaderBytes) throw malformed(`an attribute header of ${left} bytes, and it has 4`)
    const length = this.view.getUint16(at, littleEndian)
    if (length < attributeHeaderBytes || length > left) {
      throw malformed(`an attribute says that it has ${length} bytes, and ${left} are there`)
    }
    this.type = this.view.getUint16(at + 2, littleEndian) & attributeTypeMask
    this.start = at + attributeHeaderBytes
    this.length = length - attributeHeaderBytes
    this.#next = at + aligned(length)
    return true
  }

  #short(count: number): NetlinkError {
    return malformed(`attribute ${this.type} has ${this.length} bytes, and needs ${count}`)
  }

  #at(count: number): number {
    if (this.length < count) throw this.#short(count)
    return this.start
  }

  get u8(): number {
    return this.bytes[this.#at(1)]!
  }
  get u16(): number {
    return this.view.getUint16(this.#at(2), littleEndian)
  }
  get u16BE(): number {
    return this.view.getUint16(this.#at(2))
  }
  get u32(): number {
    return this.view.getUint32(this.#at(4), littleEndian)
  }
  get u32BE(): number {
    return this.view.getUint32(this.#at(4))
  }
  get i32(): number {
    return this.view.getInt32(this.#at(4), littleEndian)
  }
  get i32BE(): number {
    return this.view.getInt32(this.#at(4))
  }
  get u64(): bigint {
    return this.view.getBigUint64(this.#at(8), littleEndian)
  }
  get u64BE(): bigint {
    return this.view.getBigUint64(this.#at(8))
  }

  /** The value where it lies. Valid until the next datagram; `copy` is for keeping. */
  get raw(): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + this.start, this.length)
  }

  get copy(): Uint8Array {
    const bytes = new Uint8Array(this.length)
    copyInto(bytes, 0, this.bytes, this.start, this.length)
    return bytes
  }

  /** Text up to its first NUL. */
  get text(): string {
    const limit = this.start + this.length
    const nul = this.bytes.indexOf(0, this.start)
    return decoder.decode(this.bytes.subarray(this.start, nul === -1 || nul > limit ? limit : nul))
  }

  /** The attributes within this one, behind `fixedBytes` of it. */
  nested(fixedBytes = 0): Attributes {
    if (this.length < fixedBytes) throw this.#short(fixedBytes)
    return new Attributes(this.bytes, this.view, this.start + aligned(fixedBytes), this.start + this.length)
  }
}
