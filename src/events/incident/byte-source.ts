/** The bytes of an incident file, unpacked where they are packed. What the file is, its first bytes say, not its name. */
import { type FileHandle, open } from "node:fs/promises"
import { IncidentError } from "./format.ts"
import { type FramePlace, makeUnpacking, UnpackFailure } from "./unpack.ts"
import { zstdMagic } from "./zstd-frames.ts"

/** Where in a file reading can begin without what is before. */
export interface FilePlace {
  /** Unpacked bytes before it. */
  readonly offset: number
  /** Of a packed file: the frame that it is in. */
  readonly frame?: FramePlace
}

export interface ByteSource {
  /** Reads up to `length` bytes to `bytes` at `at`; 0 at the end. Rejects with an `IncidentError`. */
  readonly read: (bytes: Uint8Array, at: number, length: number) => Promise<number>
  /** Of a packed file: the frame that was begun last. */
  readonly frame: () => FramePlace | undefined
  readonly close: () => Promise<void>
}

/** Files that people take for an incident, told by their first bytes. */
const strangers: ReadonlyArray<readonly [what: string, start: string]> = [
  ["compressed with gzip, which is not read: unpack it with gzip -d", "\x1f\x8b"],
  ["compressed with xz, which is not read: unpack it with xz -d", "\xfd7zXZ\0"],
  ["compressed with bzip2, which is not read: unpack it with bzip2 -d", "BZh"],
  ["a ZIP archive: unpack it", "PK\x03\x04"],
  ["a SQLite database, perhaps a journal", "SQLite format 3\0"]
]
/** As many first bytes as tell what a file is. */
const magicBytes = 16

export const notIncident = (path: string, why: string): IncidentError =>
  new IncidentError({
    reason: "NotIncident",
    path,
    line: 0,
    message: `${path} ${why}. Give a file made by \`chronode export\` (.ndjson or .ndjson.zst), or NDJSON of CloudEvents.`
  })

/** Input and output, with its failures as `IncidentError`s that name the file. */
export const attempt = async <A>(path: string, body: () => Promise<A>): Promise<A> => {
  try {
    return await body()
  } catch (error) {
    if (error instanceof IncidentError) throw error
    const message = `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`
    throw new IncidentError({ reason: "InputOutput", path, line: 0, message })
  }
}

const damaged = (path: string, failure: UnpackFailure): IncidentError =>
  new IncidentError({
    reason: "Damaged",
    path,
    line: 0,
    message: `${path} is damaged after ${failure.at} bytes: ${failure.message}. What could be unpacked before it is all that can be read; get the file anew if you can.`
  })

/** The file's first bytes; rejects where they say that it is something else. */
const sniff = async (path: string, file: FileHandle): Promise<Uint8Array> => {
  const start = new Uint8Array(magicBytes)
  const { bytesRead } = await file.read(start, 0, magicBytes, 0)
  if (bytesRead === 0) throw notIncident(path, "is empty")
  const text = String.fromCharCode(...start.subarray(0, bytesRead))
  const stranger = strangers.find(([, magic]) => text.startsWith(magic))?.[0]
  if (stranger !== undefined) throw notIncident(path, `is ${stranger}`)
  return start.subarray(0, bytesRead)
}

const isZstd = (start: Uint8Array): boolean =>
  start.length >= 4 && new DataView(start.buffer).getUint32(0, true) === zstdMagic

/** Reads from `from` on. Rejects with an `IncidentError`. */
export const openBytes = async (path: string, from: FilePlace = { offset: 0 }): Promise<ByteSource> => {
  const file = await attempt(path, () => open(path, "r"))
  try {
    const start = await attempt(path, () => sniff(path, file))
    const source = isZstd(start) ? await packedBytes(path, file, from) : plainBytes(path, file, from)
    return { ...source, close: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
}

type Bytes = Omit<ByteSource, "close">

const plainBytes = (path: string, file: FileHandle, from: FilePlace): Bytes => {
  let position = from.offset
  return {
    read: async (bytes, at, length) => {
      const { bytesRead } = await attempt(path, () => file.read(bytes, at, length, position))
      position += bytesRead
      return bytesRead
    },
    frame: () => undefined
  }
}

const packedBytes = async (path: string, file: FileHandle, from: FilePlace): Promise<Bytes> => {
  let position = from.frame?.packed ?? 0
  const unpacking = makeUnpacking(async (bytes, at) => {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, position)
    position += bytesRead
    return bytesRead
  }, from.frame)
  const read: ByteSource["read"] = (bytes, at, length) =>
    attempt(path, async () => {
      try {
        return await unpacking.read(bytes, at, length)
      } catch (error) {
        throw error instanceof UnpackFailure ? damaged(path, error) : error
      }
    })
  // A frame can only be read from its beginning.
  const passed = new Uint8Array(64 * 1024)
  for (let left = from.offset - (from.frame?.unpacked ?? 0); left > 0; ) {
    const count = await read(passed, 0, Math.min(left, passed.length))
    if (count === 0) break
    left -= count
  }
  return { read, frame: unpacking.frame }
}
