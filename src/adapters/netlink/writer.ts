/**
 * Writes netlink messages one behind the other into one buffer that grows (include/uapi/linux/netlink.h).
 * Numbers are in the byte order of the machine unless a name says `BE` (network byte order).
 */
import { endianness } from "node:os"
import { NetlinkError } from "./error.ts"

export const littleEndian = endianness() === "LE"

/** NLMSG_HDRLEN and NLA_HDRLEN; both kinds are padded to multiples of 4 (NLMSG_ALIGNTO, NLA_ALIGNTO). */
export const messageHeaderBytes = 16
export const attributeHeaderBytes = 4
export const aligned = (length: number): number => (length + 3) & ~3

/** `nla_type`: the two upper bits are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER); the kernel asks only for the first. */
const nestedFlag = 1 << 15
export const attributeTypeMask = 0x3fff

/** `nla_len` has 16 bits. */
export const maxAttributeBytes = 0xffff

/** What one buffer may grow to: the largest batch that is ever sent at once. */
export const maxWriterBytes = 64 * 1024 * 1024
const initialBytes = 16 * 1024
/** A buffer larger than this is given back after what it was needed for. */
const keptBytes = 1024 * 1024

const encoder = new TextEncoder()

/** Below this, copying byte by byte is several times faster than asking the runtime to do it: keys and addresses. */
const shortBytes = 64

/** Copies `count` bytes of `from` beginning at `start`. */
export const copyInto = (to: Uint8Array, at: number, from: Uint8Array, start: number, count: number): void => {
  if (count > shortBytes) to.set(from.subarray(start, start + count), at)
  else for (let k = 0; k < count; k++) to[at + k] = from[start + k]!
}

export class Writer {
  #bytes = new Uint8Array(initialBytes)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  /** Bytes that were written. */
  get length(): number {
    return this.#length
  }

  /** What was written, valid until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  reset(): void {
    this.#length = 0
    if (this.#bytes.length <= keptBytes) return
    this.#bytes = new Uint8Array(initialBytes)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Room for so many bytes; answers where. The buffer may be another one afterwards. */
  #reserve(bytes: number): number {
    const at = this.#length
    const needed = at + bytes
    if (needed > this.#bytes.length) {
      if (needed > maxWriterBytes) {
        throw new NetlinkError({
          reason: "TooLarge",
          operation: "write messages",
          message: `more than ${maxWriterBytes} bytes for one send; split it`
        })
      }
      const grown = new Uint8Array(Math.min(maxWriterBytes, Math.max(needed, this.#bytes.length * 2)))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.#length = needed
    return at
  }

  /** Starts a message; answers its position for `endMessage`. The port id is 0: the kernel knows whose socket it is. */
  beginMessage(type: number, flags: number, sequence: number): number {
    const at = this.#reserve(messageHeaderBytes)
    this.#view.setUint32(at, 0, littleEndian)
    this.#view.setUint16(at + 4, type, littleEndian)
    this.#view.setUint16(at + 6, flags, littleEndian)
    this.#view.setUint32(at + 8, sequence, littleEndian)
    this.#view.setUint32(at + 12, 0, littleEndian)
    return at
  }

  /** Ends a message, with padding behind it. */
  endMessage(at: number): void {
    this.#view.setUint32(at, this.#length - at, littleEndian)
    this.pad()
  }

  /** Sets more flags of a message that was written before. */
  addFlags(at: number, flags: number): void {
    this.#view.setUint16(at + 6, this.#view.getUint16(at + 6, littleEndian) | flags, littleEndian)
  }

  /** Starts an attribute; answers its position for `endAttribute`. */
  beginAttribute(type: number): number {
    const at = this.#reserve(attributeHeaderBytes)
    this.#view.setUint16(at + 2, type, littleEndian)
    return at
  }

  /** Starts an attribute that holds attributes. */
  beginNested(type: number): number {
    return this.beginAttribute(type | nestedFlag)
  }

  endAttribute(at: number): void {
    const length = this.#length - at
    if (length > maxAttributeBytes) {
      const type = this.#view.getUint16(at + 2, littleEndian) & attributeTypeMask
      throw new NetlinkError({
        reason: "TooLarge",
        operation: "write messages",
        message: `attribute ${type} has ${length} bytes, and may have ${maxAttributeBytes}`
      })
    }
    this.#view.setUint16(at, length, littleEndian)
    this.pad()
  }

  /** Zeros up to the next multiple of 4. */
  pad(): void {
    const missing = aligned(this.#length) - this.#length
    if (missing > 0) {
      const at = this.#reserve(missing)
      this.#bytes.fill(0, at, at + missing)
    }
  }

  u8(value: number): void {
    const at = this.#reserve(1)
    this.#bytes[at] = value
  }

  u16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value, littleEndian)
  }

  u16BE(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value)
  }

  u32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value, littleEndian)
  }

  u32BE(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value)
  }

  i32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setInt32(at, value, littleEndian)
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    copyInto(this.#bytes, at, bytes, 0, bytes.length)
  }

  zeros(count: number): void {
    const at = this.#reserve(count)
    this.#bytes.fill(0, at, at + count)
  }

  #attribute(type: number, bytes: number): number {
    const at = this.#reserve(attributeHeaderBytes + aligned(bytes))
    this.#view.setUint16(at, attributeHeaderBytes + bytes, littleEndian)
    this.#view.setUint16(at + 2, type, littleEndian)
    if (bytes < 4) this.#view.setUint32(at + attributeHeaderBytes, 0)
    return at + attributeHeaderBytes
  }

  /** An attribute whose being there is all that it says. */
  flag(type: number): void {
    const at = this.#reserve(attributeHeaderBytes)
    this.#view.setUint16(at, attributeHeaderBytes, littleEndian)
    this.#view.setUint16(at + 2, type, littleEndian)
  }

  attributeU8(type: number, value: number): void {
    const at = this.#attribute(type, 1)
    this.#bytes[at] = value
  }

  attributeU16(type: number, value: number): void {
    const at = this.#attribute(type, 2)
    this.#view.setUint16(at, value, littleEndian)
  }

  attributeU16BE(type: number, value: number): void {
    const at = this.#attribute(type, 2)
    this.#view.setUint16(at, value)
  }

  attributeU32(type: number, value: number): void {
    const at = this.#attribute(type, 4)
    this.#view.setUint32(at, value, littleEndian)
  }

  attributeU32BE(type: number, value: number): void {
    const at = this.#attribute(type, 4)
    this.#view.setUint32(at, value)
  }

  attributeU64(type: number, value: bigint): void {
    const at = this.#attribute(type, 8)
    this.#view.setBigUint64(at, value, littleEndian)
  }

  attributeU64BE(type: number, value: bigint): void {
    const at = this.#attribute(type, 8)
    this.#view.setBigUint64(at, value)
  }

  attributeBytes(type: number, bytes: Uint8Array): void {
    const at = this.beginAttribute(type)
    this.raw(bytes)
    this.endAttribute(at)
  }

  /** Bytes that stand as characters (0-255) of a text. */
  attributeCharacters(type: number, characters: string): void {
    const at = this.#attribute(type, characters.length)
    const end = at + characters.length
    for (let k = at; k < end; k++) this.#bytes[k] = characters.charCodeAt(k - at)
    this.#bytes.fill(0, end, at + aligned(characters.length))
  }

  /** Text with the NUL at its end that the kernel wants of names. */
  attributeString(type: number, text: string): void {
    const at = this.beginAttribute(type)
    this.raw(encoder.encode(text))
    this.u8(0)
    this.endAttribute(at)
  }
}
