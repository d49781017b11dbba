/**
 * Reads a container's log as one stream: what rotation has set aside, oldest first, and the file that the runtime writes; with
 * `follow` also what comes, across rotations. A file once opened is read to its end, whatever it is called by then.
 */
import { createReadStream } from "node:fs"
import { type FileHandle, open, readdir, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { createGunzip } from "node:zlib"
import { Stream } from "effect"
import { nanoseconds } from "./line.ts"
import { baseOf, inOrder, packedSuffix } from "./names.ts"
import { LogError, type LogRecord, type ReadLog, type ReadLogRequest } from "./port.ts"
import { RecordSplitter } from "./splitter.ts"
import { tailStart } from "./tail.ts"

const chunkBytes = 64 * 1024
/** Between looks at a file that has no more, milliseconds. */
const lookPeriod = 150
/** Looks without anything new after which a file that was set aside, or whose container has ended, is at its end. */
const lastLooks = 2

type Batch = ReadonlyArray<LogRecord>

const isMissing = (error: unknown): boolean => (error as { readonly code?: string }).code === "ENOENT"

const unlessMissing = async <A>(attempt: Promise<A>): Promise<A | undefined> => {
  try {
    return await attempt
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** A rotated file, plain or packed by now. */
interface Rotated {
  /** Without the suffix of packing. */
  readonly base: string
  /** Lines to leave out; undefined: the file is left out. */
  readonly skip: number
}

/** The file that is written, opened before the directory was listed: no line falls between the two. */
interface Latest {
  readonly handle: FileHandle
  readonly inode: number
  /** Rotated files that were there then, without suffix, oldest first; never the open one under its new name. */
  readonly rotated: ReadonlyArray<string>
}

class LogReader {
  private readonly directory: string
  private readonly log: string
  private readonly request: ReadLogRequest
  private toldOf = ""

  constructor(request: ReadLogRequest) {
    this.request = request
    this.directory = dirname(request.path)
    this.log = basename(request.path)
  }

  async *records(): AsyncGenerator<Batch> {
    let latest = await this.openLatest()
    try {
      const { rotated, offset } = await this.begin(latest)
      for (const file of rotated) yield* this.wholeFile(file)
      if (latest === undefined) return
      yield* this.readOpen(latest, offset)
      while (this.request.follow !== undefined) {
        const next: Latest | undefined = await this.openLatest()
        if (next === undefined || next.inode === latest.inode) {
          await next?.handle.close()
          return
        }
        const seen = new Set(latest.rotated)
        await latest.handle.close()
        latest = next
        // The first of the new names is the file that has just been read to its end.
        for (const base of next.rotated.filter((name) => !seen.has(name)).slice(1))
          yield* this.wholeFile({ base, skip: 0 })
        yield* this.readOpen(latest, 0)
      }
    } finally {
      await latest?.handle.close()
    }
  }

  /** Waits for the first file where what comes is followed; undefined: the runtime writes none. */
  private async openLatest(): Promise<Latest | undefined> {
    for (;;) {
      const handle = await unlessMissing(open(this.request.path))
      const names = (await unlessMissing(readdir(this.directory))) ?? []
      const listed = inOrder(this.log, names).filter((name) => name !== this.log)
      if (handle !== undefined) {
        const { ino } = await handle.stat()
        const newest = listed.at(-1)
        const isOwn = newest !== undefined && (await unlessMissing(stat(join(this.directory, newest))))?.ino === ino
        return { handle, inode: ino, rotated: (isOwn ? listed.slice(0, -1) : listed).map(baseOf) }
      }
      const { follow, path } = this.request
      if (follow === undefined || follow.hasEnded()) {
        if (listed.length > 0) return undefined
        throw Object.assign(new Error(`there is no log ${path}`), { code: "ENOENT" })
      }
      await pause(lookPeriod)
    }
  }

  /** Which rotated files are read, and from where the open one is. */
  private async begin(latest: Latest | undefined) {
    const { tail } = this.request
    const names = latest?.rotated ?? inOrder(this.log, await readdir(this.directory)).map(baseOf)
    const rotated: Array<Rotated> = []
    let wanted = tail ?? -1
    let offset = 0
    if (latest !== undefined && wanted >= 0) {
      const start = await tailStart(latest.handle, (await latest.handle.stat()).size, wanted)
      offset = start.offset
      wanted -= start.lines
    }
    for (const base of [...names].reverse()) {
      if (wanted === 0 || (await this.isTooOld(base))) break
      const lines = wanted < 0 ? 0 : await this.countLines(base)
      rotated.unshift({ base, skip: wanted < 0 ? 0 : Math.max(lines - wanted, 0) })
      if (wanted > 0) wanted = Math.max(wanted - lines, 0)
    }
    return { rotated, offset }
  }

  /** Whether everything in a rotated file is older than what is asked for. */
  private async isTooOld(base: string): Promise<boolean> {
    const { since } = this.request
    if (since === undefined) return false
    const found = await unlessMissing(stat(join(this.directory, base)))
    // A packed file is younger than what is in it: it is read.
    return found !== undefined && BigInt(Math.ceil(found.mtimeMs)) * 1_000_000n < since
  }

  /** The bytes of a rotated file; none where it is gone. A file may be packed at any moment. */
  private async *bytesOf(base: string): AsyncGenerator<Uint8Array> {
    const plain = join(this.directory, base)
    const handle = await unlessMissing(open(plain))
    if (handle !== undefined) {
      try {
        for (let position = 0; ; ) {
          const chunk = Buffer.allocUnsafeSlow(chunkBytes)
          const { bytesRead } = await handle.read(chunk, 0, chunkBytes, position)
          if (bytesRead === 0) return
          position += bytesRead
          yield chunk.subarray(0, bytesRead)
        }
      } finally {
        await handle.close()
      }
    }
    const packed = `${plain}${packedSuffix}`
    if ((await unlessMissing(stat(packed))) === undefined) return
    const source = createReadStream(packed)
    const unpacked = createGunzip()
    source.on("error", (error) => unpacked.destroy(error))
    try {
      for await (const chunk of source.pipe(unpacked)) yield chunk as Uint8Array
    } finally {
      source.destroy()
      unpacked.destroy()
    }
  }

  private async countLines(base: string): Promise<number> {
    let lines = 0
    for await (const chunk of this.bytesOf(base)) for (const byte of chunk) if (byte === 0x0a) lines += 1
    return lines
  }

  private async *wholeFile({ base, skip }: Rotated): AsyncGenerator<Batch> {
    const splitter = this.splitter(base)
    let left = skip
    for await (const bytes of this.bytesOf(base)) {
      let chunk = bytes
      while (left > 0 && chunk.length > 0) {
        const feed = chunk.indexOf(0x0a)
        chunk = feed < 0 ? chunk.subarray(chunk.length) : chunk.subarray(feed + 1)
        if (feed >= 0) left -= 1
      }
      yield this.wanted(splitter.push(chunk))
    }
    yield this.wanted(splitter.end())
  }

  /** Reads the open file to its end; with `follow`, until it was set aside or its container has ended. */
  private async *readOpen({ handle, inode }: Latest, from: number): AsyncGenerator<Batch> {
    const { follow, path } = this.request
    const splitter = this.splitter(this.log)
    let position = from
    for (let idle = 0; ; ) {
      const { size } = await handle.stat()
      // Emptied by somebody else's hand.
      if (size < position) position = 0
      if (size > position) {
        const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, size - position))
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, position)
        position += bytesRead
        idle = 0
        yield this.wanted(splitter.push(chunk.subarray(0, bytesRead)))
        continue
      }
      if (follow === undefined) break
      const current = await unlessMissing(stat(path))
      const isOver = (current !== undefined && current.ino !== inode) || follow.hasEnded()
      if (isOver && idle >= lastLooks) break
      idle = isOver ? idle + 1 : 0
      await pause(lookPeriod)
    }
    yield this.wanted(splitter.end())
  }

  private splitter(name: string): RecordSplitter {
    const path = join(this.directory, name)
    return new RecordSplitter((line) => {
      if (this.toldOf === path) return
      this.toldOf = path
      this.request.onUnreadable?.(path, line)
    })
  }

  private wanted(records: Batch): Batch {
    const { since } = this.request
    if (since === undefined) return records
    return records.filter(({ time }) => (nanoseconds(time) ?? 0n) >= since)
  }
}

export const readLog: ReadLog = (request) =>
  Stream.fromAsyncIterable(
    { [Symbol.asyncIterator]: () => new LogReader(request).records() },
    (error) =>
      new LogError({
        operation: "read",
        path: request.path,
        message: error instanceof Error ? error.message : String(error)
      })
  )
