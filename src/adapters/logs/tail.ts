/** Where the last lines of a log begin: cri-client's `pkg/logs/tail.go`, and over rotated files. */
import type { FileHandle } from "node:fs/promises"

const lineFeed = 0x0a
const blockBytes = 64 * 1024

export interface TailStart {
  /** Byte offset. */
  readonly offset: number
  /** Whole lines from there on; what stands behind the last line feed is none. */
  readonly lines: number
}

/** @param n lines that are wanted; negative: all */
export const tailStart = async (file: FileHandle, size: number, n: number): Promise<TailStart> => {
  if (n < 0) return { offset: 0, lines: 0 }
  const block = Buffer.alloc(Math.min(blockBytes, size))
  let feeds = 0
  for (let end = size; end > 0; ) {
    const begin = Math.max(end - blockBytes, 0)
    const { bytesRead } = await file.read(block, 0, end - begin, begin)
    for (let i = bytesRead - 1; i >= 0; i--) {
      if (block[i] !== lineFeed) continue
      // The line feed before the first wanted line ends the one before it.
      if (feeds === n) return { offset: begin + i + 1, lines: n }
      feeds += 1
    }
    end = begin
  }
  return { offset: 0, lines: feeds }
}
