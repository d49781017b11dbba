/** A file as runs of whole lines, read ahead in large pieces. Memory is a few buffers, whatever the file's size. */
import { type FilePlace, openBytes } from "./byte-source.ts"
import { roomBefore } from "./chain-check.ts"
import { IncidentError, maxLineBytes } from "./format.ts"
import type { FramePlace } from "./unpack.ts"

/** Whole lines: they stand in `bytes` from `start` to `end`, each with its line feed, until the next region is asked for. */
export interface Region {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** Unpacked bytes of the file before `start`. */
  readonly offset: number
  /** Of a packed file: a frame that begins not far before `start`. */
  readonly frame: FramePlace | undefined
}

type Reading = { readonly bytesRead: number } | { readonly error: unknown }

/** Bytes that are read at once; first fewer, since many files have no more. */
const readBytes = 1024 * 1024
const firstReadBytes = 64 * 1024
/** Bytes of one region. Small, so that its events are gone again before memory is collected. */
const regionBytes = 128 * 1024
/** Where reads go to in a buffer: before it is room for the beginning of a line, and for the hash before that. */
const landing = roomBefore + maxLineBytes + 1
export const lineFeed = 10

/** A buffer for reads of so many bytes, with room for a line feed behind them. */
const bufferOf = (bytes: number): Uint8Array => new Uint8Array(landing + bytes + 1)

export const tooLong = (path: string, line: number): IncidentError =>
  new IncidentError({
    reason: "LineTooLong",
    path,
    line,
    message: `${path}:${line}: the line is longer than ${maxLineBytes} bytes, which no event is. The file is no incident, or damaged from here on; lines up to ${line - 1} can be read (head -n ${line - 1}).`
  })

/**
 * The regions of a file, in order. A last line without a line feed gets one. Rejects with an `IncidentError`.
 *
 * @param linesTaken how many lines the consumer has taken so far, for messages
 * @param from where to begin: the beginning of a line
 */
export async function* readRegions(
  path: string,
  linesTaken: () => number,
  from?: FilePlace
): AsyncGenerator<Region, void, undefined> {
  const source = await openBytes(path, from)
  // A failure is kept until it is its turn: the lines before it are good, and nobody waits for it yet.
  const readInto = (bytes: Uint8Array): Promise<Reading> =>
    source.read(bytes, landing, bytes.length - landing - 1).then(
      (bytesRead) => ({ bytesRead }),
      (error: unknown) => ({ error })
    )
  // One buffer is filled while the lines of the other are taken.
  let buffer = bufferOf(firstReadBytes)
  let other = buffer
  /** The frame in which a read began: of the one before the last, since lines reach back that far. */
  let frame = source.frame()
  let nextFrame = frame
  let reading = readInto(buffer)
  try {
    /** Where the bytes begin that are not taken yet: in front of what is read next. */
    let start = landing
    /** Place in the file of `landing`. */
    let landed = from?.offset ?? 0
    for (;;) {
      const answer = await reading
      if ("error" in answer) throw answer.error
      const { bytesRead } = answer
      const end = landing + bytesRead
      const offsetOf = (at: number): number => landed + at - landing
      if (bytesRead === 0) {
        buffer[end] = lineFeed
        if (start < end) yield { bytes: buffer, start, end: end + 1, offset: offsetOf(start), frame }
        return
      }
      const begun = source.frame()
      // After a short read there is little left, most often nothing.
      if (other === buffer || other.length < buffer.length)
        other = bufferOf(bytesRead < firstReadBytes ? firstReadBytes : readBytes)
      reading = readInto(other)
      while (start < end) {
        const stop = buffer.lastIndexOf(lineFeed, Math.min(end, start + regionBytes) - 1) + 1
        if (stop <= start) break
        yield { bytes: buffer, start, end: stop, offset: offsetOf(start), frame }
        start = stop
      }
      if (end - start > maxLineBytes + 1) throw tooLong(path, linesTaken() + 1)
      const rest = buffer.subarray(start, end)
      start = landing - rest.length
      landed += bytesRead
      frame = nextFrame
      nextFrame = begun
      other.set(rest, start)
      ;[buffer, other] = [other, buffer]
    }
  } finally {
    // A read that nobody waits for any more: its outcome says nothing, but the file is its own until it ends.
    await reading
    await source.close()
  }
}
