/**
 * Where the lines of an incident file go: to a file as they are, or packed with zstd. The header's line stands first and is
 * known last: room is left for it, and it is written in place when all others are.
 */
import { createHash } from "node:crypto"
import type { FileHandle } from "node:fs/promises"
import { constants, zstdCompress } from "node:zlib"
import { rawFrame, sealFrame } from "./zstd-frames.ts"

export interface IncidentSink {
  /** Whole lines, a megabyte or so at a time. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  /** Puts the header into its room, padded with spaces (JSON allows), and ends the file. */
  readonly finish: (header: string) => Promise<void>
}

const packedName = /\.(?:zst|zstd)$/iu
/** Whether a file of this name is to be packed. */
export const isPackedName = (path: string): boolean => packedName.test(path)

const writeAt = async (file: FileHandle, bytes: Uint8Array, position: number): Promise<number> => {
  for (let at = 0; at < bytes.length; )
    at += (await file.write(bytes, at, bytes.length - at, position + at)).bytesWritten
  return position + bytes.length
}

/** The header's line with its line feed, of `room` bytes. */
const padded = (header: string, room: number): Uint8Array => {
  const bytes = Buffer.alloc(room, " ")
  if (Buffer.byteLength(header) >= room) throw new Error("the header of the incident file is longer than its room")
  bytes.write(header)
  bytes[room - 1] = 10
  return bytes
}

/** @param room bytes of the header's line at most, with its line feed */
export const plainSink = (file: FileHandle, room: number): IncidentSink => {
  let position = room
  return {
    write: async (bytes) => {
      position = await writeAt(file, bytes, position)
    },
    finish: async (header) => {
      await writeAt(file, padded(header, room), 0)
    }
  }
}

/** Fast, and within a few per cent of the best that is worth its time for such lines. */
const compressionLevel = 3

const pack = (bytes: Uint8Array): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const params = { [constants.ZSTD_c_compressionLevel]: compressionLevel, [constants.ZSTD_c_checksumFlag]: 1 }
    zstdCompress(bytes, { params }, (error, packed) => (error === null ? resolve(packed) : reject(error)))
  })

/** The same, packed: see zstd-frames.ts for what stands where. `room`: 256 bytes to 64 KiB. */
export const zstdSink = (file: FileHandle, room: number): IncidentSink => {
  const blank = sealFrame(new Uint8Array(32))
  const sealAt = rawFrame(padded("", room)).length
  const hash = createHash("sha256")
  let position = sealAt + blank.length
  return {
    write: async (bytes) => {
      const frame = await pack(bytes)
      hash.update(frame)
      position = await writeAt(file, frame, position)
    },
    finish: async (header) => {
      const frame = rawFrame(padded(header, room))
      hash.update(frame)
      await writeAt(file, frame, 0)
      await writeAt(file, sealFrame(hash.digest()), sealAt)
    }
  }
}
