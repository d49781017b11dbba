/**
 * Unpacks zstd data as it is asked for, block by block: a few bytes that stand for gigabytes cost time and no memory.
 * What surrounds the blocks is walked here, so that a cut, something that follows the data, and a broken seal are found
 * wherever they are; the library only unpacks blocks. It is plain JavaScript and the same on every runtime
 * (`node:zlib` of Deno 2.9 ends the process where data is damaged).
 */
import { createHash } from "node:crypto"
import { Decompress } from "fzstd"
import {
  blockHeaderBytes,
  checksumBytes,
  maxBlockBytes,
  maxFrameHeaderBytes,
  readBlockHead,
  readFrameHead,
  readSeal,
  sealBytes
} from "./zstd-frames.ts"

/** Reads packed bytes to `bytes` at `at`, as many as fit or fewer; 0 at the end. */
export type ReadPacked = (bytes: Uint8Array, at: number) => Promise<number>

/** Why zstd data cannot be unpacked. `at`: how many packed bytes were good. */
export class UnpackFailure extends Error {
  readonly at: number
  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/** Where a frame begins: bytes of the file, and of what was unpacked before it. */
export interface FramePlace {
  readonly packed: number
  readonly unpacked: number
}

export interface Unpacking {
  /** Unpacks to `bytes` from `at` up to `length` bytes; 0 at the end. Rejects with an `UnpackFailure`. */
  readonly read: (bytes: Uint8Array, at: number, length: number) => Promise<number>
  /** The frame that was begun last. */
  readonly frame: () => FramePlace
}

/** What is asked for at once of the file. */
const bufferBytes = 2 * (maxBlockBytes + blockHeaderBytes + checksumBytes)
/** The seal stands behind the header's line: so much is kept to be hashed after the rest. */
const maxPrefixBytes = 256 * 1024

/** Checks the seal of a file that is read from its beginning. */
const makeSealCheck = () => {
  const hash = createHash("sha256")
  const prefix: Array<Uint8Array> = []
  let prefixBytes = 0
  let sealed: Uint8Array | undefined
  return {
    /** All bytes but the seal's, in order. */
    add: (bytes: Uint8Array): void => {
      if (sealed !== undefined) hash.update(bytes)
      else if (prefixBytes <= maxPrefixBytes) {
        prefix.push(bytes.slice())
        prefixBytes += bytes.length
      }
    },
    /** False: a second seal, or one that stands where none is written. */
    seal: (sha256: Uint8Array): boolean => {
      if (sealed !== undefined || prefixBytes > maxPrefixBytes) return false
      sealed = sha256.slice()
      return true
    },
    holds: (): boolean => {
      if (sealed === undefined) return true
      for (const bytes of prefix) hash.update(bytes)
      return hash.digest().equals(sealed)
    }
  }
}

/** @param from where to begin: a frame's place; the seal can then not be checked */
export const makeUnpacking = (readPacked: ReadPacked, from: FramePlace = { packed: 0, unpacked: 0 }): Unpacking => {
  const isWhole = from.packed === 0
  const seal = makeSealCheck()
  const buffer = new Uint8Array(bufferBytes)
  let start = 0
  let end = 0
  /** Place in the file of `start`. */
  let position = from.packed
  let unpacked = from.unpacked
  let frame: FramePlace = from
  let inFrame: { readonly decompress: Decompress; readonly hasChecksum: boolean } | undefined
  let isOver = false
  /** What is unpacked and not taken yet. */
  let pending: Uint8Array = new Uint8Array(0)

  const fail = (why: string): UnpackFailure => new UnpackFailure(why, position)
  const cut = (): UnpackFailure => fail("its packed data ends in the middle of a part: it was cut off")
  /** At least `count` bytes from `start` on, fewer only at the file's end. */
  const have = async (count: number): Promise<number> => {
    if (end - start < count && start > 0) {
      buffer.copyWithin(0, start, end)
      end -= start
      start = 0
    }
    while (end - start < count) {
      const read = await readPacked(buffer, end)
      if (read === 0) break
      end += read
    }
    return end - start
  }
  const take = (count: number): Uint8Array => {
    const bytes = buffer.slice(start, start + count)
    start += count
    position += count
    return bytes
  }
  const push = (bytes: Uint8Array, isLast: boolean): void => {
    try {
      inFrame?.decompress.push(bytes, isLast)
    } catch (error) {
      throw fail(`its packed data is damaged (${error instanceof Error ? error.message : String(error)})`)
    }
  }

  const skip = async (bytes: number, isSealed: boolean): Promise<void> => {
    const isLikeSeal = bytes === sealBytes - 8
    if (isLikeSeal && (await have(sealBytes)) < sealBytes) throw cut()
    const sha256 = isLikeSeal ? readSeal(buffer.subarray(start + 8, start + sealBytes)) : undefined
    if (isSealed || sha256 !== undefined) {
      if (!isSealed || sha256 === undefined || (isWhole && !seal.seal(sha256))) throw fail("its seal is damaged")
      take(sealBytes)
      return
    }
    for (let left = bytes + 8; left > 0; ) {
      const available = Math.min(left, await have(1))
      if (available === 0) throw cut()
      seal.add(take(available))
      left -= available
    }
  }
  /** False at the end of the file. */
  const nextFrame = async (): Promise<boolean> => {
    if (isOver) return false
    const available = await have(maxFrameHeaderBytes)
    if (available === 0) {
      if (isWhole && !seal.holds()) throw fail("its packed bytes are not those that were written (its seal is broken)")
      isOver = true
      return false
    }
    const head = readFrameHead(buffer.subarray(start, start + Math.min(available, maxFrameHeaderBytes)))
    if (head._tag === "Short") throw cut()
    if (head._tag === "Bad") throw fail(head.why)
    if (head._tag === "Skippable") {
      await skip(head.bytes, head.isSealed)
      return true
    }
    frame = { packed: position, unpacked }
    inFrame = {
      decompress: new Decompress((bytes) => {
        if (bytes.length > 0) pending = bytes
      }),
      hasChecksum: head.hasChecksum
    }
    const header = take(head.headerBytes)
    seal.add(header)
    push(header, false)
    return true
  }
  const nextBlock = async (hasChecksum: boolean): Promise<void> => {
    if ((await have(blockHeaderBytes)) < blockHeaderBytes) throw cut()
    const head = readBlockHead(buffer, start)
    if (head.bytes === undefined) throw fail("its packed data is damaged (no such block)")
    const count = blockHeaderBytes + head.bytes + (head.isLast && hasChecksum ? checksumBytes : 0)
    if ((await have(count)) < count) throw cut()
    const bytes = take(count)
    seal.add(bytes)
    push(bytes, head.isLast)
    if (head.isLast) inFrame = undefined
  }

  /** What is unpacked next is in `pending`; false at the end. */
  const advance = async (): Promise<boolean> => {
    if (inFrame === undefined) return nextFrame()
    await nextBlock(inFrame.hasChecksum)
    return true
  }
  let failure: unknown
  const read: Unpacking["read"] = async (bytes, at, length) => {
    if (failure !== undefined) throw failure
    let filled = 0
    while (filled < length) {
      if (pending.length === 0) {
        try {
          if (!(await advance())) break
        } catch (error) {
          // What is good before it is handed out first.
          if (filled === 0) throw error
          failure = error
          break
        }
        continue
      }
      const count = Math.min(pending.length, length - filled)
      bytes.set(pending.subarray(0, count), at + filled)
      pending = pending.subarray(count)
      filled += count
      unpacked += count
    }
    return filled
  }
  return { read, frame: () => frame }
}
