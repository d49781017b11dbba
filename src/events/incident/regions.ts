/** A file as runs of whole lines, read ahead in large pieces. Memory is two buffers, whatever the file's size. */
import { open } from "node:fs/promises"
import { roomBefore } from "./chain-check.ts"
import { IncidentError, maxLineBytes } from "./format.ts"

/** Whole lines: they stand in `bytes` from `start` to `end`, each with its line feed, until the next region is asked for. */
export interface Region {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** Bytes that are read at once. */
const readBytes = 1024 * 1024
/** Bytes of one region. Small, so that its events are gone again before memory is collected. */
const regionBytes = 128 * 1024
/** Where reads go to in a buffer: before it is room for the beginning of a line, and for the hash before that. */
const landing = roomBefore + maxLineBytes + 1
export const lineFeed = 10

/** Files that people take for an incident, told by their first bytes. */
const strangers: ReadonlyArray<readonly [what: string, start: string]> = [
  ["compressed with gzip: unpack it first", "\x1f\x8b"],
  ["compressed with zstd: unpack it first", "\x28\xb5\x2f\xfd"],
  ["a SQLite database, perhaps a journal", "SQLite format 3\0"]
]
const strangerIn = (bytes: Uint8Array): string | undefined => {
  const start = String.fromCharCode(...bytes.subarray(landing, landing + 16))
  return strangers.find(([, magic]) => start.startsWith(magic))?.[0]
}

export const notIncident = (path: string, why: string): IncidentError =>
  new IncidentError({
    reason: "NotIncident",
    path,
    line: 0,
    message: `${path} ${why}. Give a file made by \`chronode export\`, or NDJSON of CloudEvents.`
  })

export const tooLong = (path: string, line: number): IncidentError =>
  new IncidentError({
    reason: "LineTooLong",
    path,
    line,
    message: `${path}:${line}: the line is longer than ${maxLineBytes} bytes, which no event is. The file is no incident, or damaged from here on; lines up to ${line - 1} can be read (head -n ${line - 1}).`
  })

/** Input and output, with its failures as `IncidentError`s that name the file. */
export const attempt = async <A>(path: string, body: () => Promise<A>): Promise<A> => {
  try {
    return await body()
  } catch (error) {
    const message = `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`
    throw new IncidentError({ reason: "InputOutput", path, line: 0, message })
  }
}

/**
 * The regions of a file, in order. A last line without a line feed gets one. Rejects with an `IncidentError`.
 *
 * @param linesTaken how many lines the consumer has taken so far, for messages
 */
export async function* readRegions(path: string, linesTaken: () => number): AsyncGenerator<Region, void, undefined> {
  const file = await attempt(path, () => open(path, "r"))
  const readInto = async (bytes: Uint8Array): Promise<number> =>
    (await attempt(path, () => file.read(bytes, landing, readBytes, null))).bytesRead
  // One buffer is filled while the lines of the other are taken.
  let buffer = new Uint8Array(landing + readBytes)
  let other = new Uint8Array(landing + readBytes)
  let reading = readInto(buffer)
  try {
    /** Where the bytes begin that are not taken yet: in front of what is read next. */
    let start = landing
    for (let isFirst = true; ; isFirst = false) {
      const bytesRead = await reading
      const end = landing + bytesRead
      if (bytesRead === 0) {
        if (isFirst) throw notIncident(path, "is empty")
        buffer[end] = lineFeed
        if (start < end) yield { bytes: buffer, start, end: end + 1 }
        return
      }
      reading = readInto(other)
      const stranger = isFirst ? strangerIn(buffer) : undefined
      if (stranger !== undefined) throw notIncident(path, `is ${stranger}`)
      while (start < end) {
        const stop = buffer.lastIndexOf(lineFeed, Math.min(end, start + regionBytes) - 1) + 1
        if (stop <= start) break
        yield { bytes: buffer, start, end: stop }
        start = stop
      }
      if (end - start > maxLineBytes + 1) throw tooLong(path, linesTaken() + 1)
      const rest = buffer.subarray(start, end)
      start = landing - rest.length
      other.set(rest, start)
      ;[buffer, other] = [other, buffer]
    }
  } finally {
    // A read that nobody waits for any more: its outcome says nothing, but the file is its own until it ends.
    await reading.catch(() => {})
    await file.close()
  }
}
