/**
 * Where snapshots are kept: `$XDG_CACHE_HOME/chronode/snapshots`, or `~/.cache/…`, a file for each log, for its user only
 * (states hold what the log holds). Bounded: the files that were used least lately go first. All of it may be deleted.
 */
import { createHash } from "node:crypto"
import {
  closeSync,
  fstatSync,
  futimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync
} from "node:fs"
import { homedir } from "node:os"
import { isAbsolute, join } from "node:path"
import process from "node:process"
import { Effect, type Scope } from "effect"
import { encodeSnapshots, openSnapshots, type Snapshot, type Snapshots } from "./file.ts"

/** Of all logs together. */
const maxCacheBytes = 256 * 1024 * 1024
const privateDirectory = 0o700
const privateFile = 0o600

/** XDG Base Directory Specification: a relative path is no path. */
const directory = (): string => {
  const given = process.env.XDG_CACHE_HOME
  const base = given !== undefined && isAbsolute(given) ? given : join(homedir(), ".cache")
  return join(base, "chronode", "snapshots")
}

const fileOf = (name: string): string => join(directory(), createHash("sha256").update(name).digest("hex").slice(0, 32))

/** The snapshots of the log of this name, as long as the scope is open; undefined: there are none that can be used. */
export const openCached = (name: string, key: string): Effect.Effect<Snapshots | undefined, never, Scope.Scope> =>
  Effect.gen(function* () {
    const file = yield* Effect.acquireRelease(
      Effect.sync(() => openIfThere(fileOf(name))),
      (descriptor) => Effect.sync(() => descriptor !== undefined && closeSync(descriptor))
    )
    if (file === undefined) return undefined
    touch(file)
    const { size } = fstatSync(file)
    return openSnapshots((position, bytes) => {
      const buffer = new Uint8Array(Math.max(0, Math.min(bytes, size - position)))
      return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, position))
    }, key)
  })

/** No cache, or one that may not be read: the log itself says the same. */
const openIfThere = (path: string): number | undefined => {
  try {
    return openSync(path, "r")
  } catch {
    return undefined
  }
}

/** What was used is kept longer; where it is another user's it cannot be said. */
const touch = (file: number): void => {
  try {
    const now = Date.now() / 1000
    futimesSync(file, now, now)
  } catch {
    return
  }
}

/** Throws where nothing can be written. */
export const saveSnapshots = (name: string, key: string, spacing: number, snapshots: ReadonlyArray<Snapshot>): void => {
  mkdirSync(directory(), { recursive: true, mode: privateDirectory })
  const path = fileOf(name)
  const part = `${path}.${process.pid}.part`
  try {
    const file = openSync(part, "w", privateFile)
    try {
      for (const bytes of encodeSnapshots(key, spacing, snapshots))
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    } finally {
      closeSync(file)
    }
    renameSync(part, path)
  } catch (error) {
    rmSync(part, { force: true })
    throw error
  }
  evict(path)
}

/** Removes what was used least lately, until all of it is within the bound; not what was written just now. */
const evict = (kept: string): void => {
  const files = readdirSync(directory()).flatMap((name) => {
    const path = join(directory(), name)
    const stat = statSync(path, { throwIfNoEntry: false })
    return stat === undefined ? [] : [{ path, bytes: stat.size, at: stat.mtimeMs }]
  })
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  for (const { path, bytes } of files.sort((a, b) => a.at - b.at)) {
    if (total <= maxCacheBytes) return
    if (path === kept) continue
    rmSync(path, { force: true })
    total -= bytes
  }
}
