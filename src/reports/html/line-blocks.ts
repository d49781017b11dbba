/** Lines in blocks, each compressed in a thread of zlib's while the next is filled. Buffers are used again: memory stays small. */
import { promisify } from "node:util"
import { deflateRaw } from "node:zlib"

/** zlib's level: higher ones make the file a few percent smaller and take twice as long. */
const level = 4
/** Bytes of output that zlib hands over at once: a whole block, mostly. */
const chunkSize = 128 * 1024
/** Blocks that are compressed at the same time: bounds the memory of what waits. */
const maxCompressing = 8
/** Bytes of a block's buffer, unless one needs more. */
const usualCapacity = 2 * 1024 * 1024

const deflate = promisify(deflateRaw) as (input: Uint8Array | string, options: object) => Promise<Buffer>

/** Compressed with deflate, in base64. */
export const compressed = async (input: Uint8Array | string): Promise<string> =>
  (await deflate(input, { level, chunkSize })).toString("base64")

const encoder = new TextEncoder()

export class LineBlocks {
  /** In order. */
  readonly blocks: Array<Promise<string>> = []
  private readonly linesPerBlock: number
  /** Buffers that no block is compressed from. */
  private readonly idle: Array<Uint8Array> = []
  private lines: Array<string> = []

  constructor(linesPerBlock: number) {
    this.linesPerBlock = linesPerBlock
  }

  /** Answers, where a block was filled, when there is room for another: wait for it. */
  add(line: string): Promise<unknown> | undefined {
    this.lines.push(line)
    return this.lines.length < this.linesPerBlock ? undefined : this.flush()
  }

  /** What was added since the last block becomes one. */
  flush(): Promise<unknown> | undefined {
    if (this.lines.length === 0) return undefined
    const text = this.lines.join("\n")
    this.lines = []
    // A unit of UTF-16 takes three bytes of UTF-8 at most.
    const needed = text.length * 3
    const free = needed > usualCapacity ? undefined : this.idle.pop()
    const buffer = free ?? new Uint8Array(Math.max(needed, usualCapacity))
    const { written } = encoder.encodeInto(text, buffer)
    const block = compressed(buffer.subarray(0, written)).finally(() => {
      if (buffer.length === usualCapacity) this.idle.push(buffer)
    })
    // It is awaited when the file is written; until then its failure is not unheard.
    block.catch(() => {})
    this.blocks.push(block)
    return this.blocks.at(-maxCompressing)
  }
}
