/** Messages in the body of a call: each has a byte that says whether it is compressed, and its length. */
import { type GrpcFailure, grpcCode } from "./status.ts"

const prefixBytes = 5

export const frame = (message: Uint8Array): Buffer => {
  const framed = Buffer.allocUnsafe(prefixBytes + message.length)
  framed[0] = 0
  framed.writeUInt32BE(message.length, 1)
  framed.set(message, prefixBytes)
  return framed
}

/** Cuts a body into its messages, however it comes in pieces. */
export class FrameReader {
  private held: Array<Buffer> = []
  private bytes = 0
  /** Bytes of the first message with its prefix; undefined: the prefix is not here yet. */
  private wanted: number | undefined
  private readonly maxMessageBytes: number

  constructor(maxMessageBytes: number) {
    this.maxMessageBytes = maxMessageBytes
  }

  /** The messages that are whole with this piece, or why nothing after it can be read. */
  push(piece: Buffer): ReadonlyArray<Buffer> | GrpcFailure {
    this.held.push(piece)
    this.bytes += piece.length
    const messages: Array<Buffer> = []
    while (this.bytes >= (this.wanted ?? prefixBytes)) {
      const all = this.held.length === 1 ? this.held[0]! : Buffer.concat(this.held)
      if (this.wanted === undefined) {
        const length = all.readUInt32BE(1)
        if (all[0] !== 0) return { code: grpcCode.INTERNAL, details: "a compressed message, which was not asked for" }
        if (length > this.maxMessageBytes) {
          const details = `the message has ${length} bytes, and ${this.maxMessageBytes} are the most`
          return { code: grpcCode.RESOURCE_EXHAUSTED, details }
        }
        this.wanted = prefixBytes + length
        this.held = [all]
        continue
      }
      messages.push(all.subarray(prefixBytes, this.wanted))
      const rest = all.subarray(this.wanted)
      this.held = rest.length === 0 ? [] : [rest]
      this.bytes = rest.length
      this.wanted = undefined
    }
    return messages
  }

  /** Whether a message has begun and is not whole. */
  get isAmidMessage(): boolean {
    return this.bytes > 0
  }
}
