/**
 * Walks of directory trees that all together look at so many entries in a second, in pieces so short that the event loop
 * goes on between them. A piece is synchronous: an entry costs some microseconds so, and thirty as a promise of its own.
 */
import * as fs from "node:fs"
import { readdir } from "node:fs/promises"
import { type DirectoryUsage, maxWalkEntries, walkEntriesPerSecond } from "./port.ts"

/** Bytes that a block of `stat` stands for, whatever the file system's own are. */
export const bytesPerBlock = 512
/** Milliseconds of a piece; then others have their turn. */
const pieceMillis = 2
/** Entries that are looked at in a row before the pace counts: small trees are answered at once. */
const burstEntries = walkEntriesPerSecond / 10

export interface WalkLimits {
  readonly entriesPerSecond: number
  readonly maxEntries: number
}

export const walkLimits: WalkLimits = { entriesPerSecond: walkEntriesPerSecond, maxEntries: maxWalkEntries }

/** How many entries may be looked at now: a bucket that fills at the given rate. */
export interface Pace {
  /** Milliseconds to wait before one more may be looked at. 0: now, and it is counted. */
  readonly take: () => number
}

export const makePace = (perSecond: number, now: () => number): Pace => {
  const burst = Math.min(burstEntries, Math.max(1, perSecond / 10))
  let left = burst
  let since = now()
  return {
    take: () => {
      const at = now()
      left = Math.min(burst, left + ((at - since) * perSecond) / 1000)
      since = at
      if (left < 1) return Math.max(1, Math.ceil(((burst / 2 - left) * 1000) / perSecond))
      left -= 1
      return 0
    }
  }
}

const codeOf = (error: unknown): string | undefined => (error as { readonly code?: string }).code
/** What is gone meanwhile, or cannot be looked into, counts as nothing. */
const isPassedOver = (error: unknown): boolean =>
  ["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP", "ESTALE"].includes(codeOf(error) ?? "")

const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

/** One walk: what it has counted, and the rest of the piece of time that it may take now. */
class Walk {
  bytes = 0
  inodes = 0
  looked = 0
  readonly #links = new Set<string>()
  readonly #device: number
  readonly #pace: Pace
  #until = performance.now() + pieceMillis

  constructor(root: fs.Stats, pace: Pace) {
    this.#device = root.dev
    this.#pace = pace
    this.count(root)
  }

  /** Counts what is on the same file system, once; answers whether it is. */
  count(stat: fs.Stats): boolean {
    if (stat.dev !== this.#device) return false
    if (stat.nlink > 1 && !stat.isDirectory()) {
      const name = String(stat.ino)
      if (this.#links.has(name)) return false
      this.#links.add(name)
    }
    this.bytes += stat.blocks * bytesPerBlock
    this.inodes++
    return true
  }

  /** Whether one more may be looked at at once; else `rest` first. */
  get goesOn(): boolean {
    return this.#pace.take() === 0 && performance.now() < this.#until
  }

  /** Lets others run, at least as long as the pace wants. */
  async rest(): Promise<void> {
    let wait = 0
    do {
      await sleep(wait)
      wait = this.#pace.take()
    } while (wait > 0)
    this.#until = performance.now() + pieceMillis
  }
}

/** Names in a directory; none where it is gone. */
const namesIn = async (directory: string): Promise<ReadonlyArray<string>> => {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isPassedOver(error)) return []
    throw error
  }
}

const look = (path: string): fs.Stats | undefined => {
  try {
    return fs.lstatSync(path)
  } catch (error) {
    if (isPassedOver(error)) return undefined
    throw error
  }
}

export interface WalkBounds {
  readonly maxEntries: number
  /** Of a directory itself: it holds so many names. */
  readonly maxDirectoryBytes?: number
}

/** Size of a tree, as far as the bounds let it be seen; throws where its root cannot be looked at. */
export const walk = async (
  root: string,
  pace: Pace,
  { maxEntries, maxDirectoryBytes = Number.POSITIVE_INFINITY }: WalkBounds,
  at: number
): Promise<DirectoryUsage> => {
  const top = fs.lstatSync(root)
  const tally = new Walk(top, pace)
  const waiting = [root]
  const told = (truncated: boolean): DirectoryUsage => ({
    bytes: tally.bytes,
    inodes: tally.inodes,
    at,
    ...(truncated ? { truncated: true } : {})
  })
  if (top.isDirectory() && top.size > maxDirectoryBytes) return told(true)
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const name of await namesIn(directory)) {
      if (tally.looked++ >= maxEntries) return told(true)
      if (!tally.goesOn) await tally.rest()
      const path = `${directory}/${name}`
      const stat = look(path)
      if (stat !== undefined && tally.count(stat) && stat.isDirectory()) {
        if (stat.size > maxDirectoryBytes) return told(true)
        waiting.push(path)
      }
    }
  }
  return told(false)
}
