/**
 * The files of a journal at `path`: the database (with SQLite's own `-wal` and `-shm`), and beside it
 *
 * - `<path>.lock`: an empty database held with an exclusive transaction. Its lock is a POSIX record lock: it goes with
 *   the process, however that dies. Nothing but SQLite may open it: closing any descriptor of it in this process would
 *   drop the lock (fcntl(2), "Record locks").
 * - `<path>.owner`: who holds the lock, for people.
 * - `<path>.reserve`: room that is given up when the disk is full.
 *
 * Files are 0600. A directory that has to be made is 0700; one that is there is left as it is.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync
} from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { corruptAdvice, isBusy, isFull, StoreFailure, textOf } from "./sqlite-failure.ts"
import { migrate } from "./sqlite-schema.ts"

export const lockPath = (path: string): string => `${path}.lock`
export const ownerPath = (path: string): string => `${path}.owner`
export const reservePath = (path: string): string => `${path}.reserve`

const privateFile = 0o600
const privateDirectory = 0o700

const syncDirectory = (path: string): void => {
  const directory = openSync(dirname(path), "r")
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Makes an empty file of mode 0600 unless it is there. Never opens one that is there (see above). */
const createPrivate = (path: string): void => {
  try {
    closeSync(openSync(path, "wx", privateFile))
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "EEXIST") throw error
  }
}

export const makeDirectory = (path: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: privateDirectory })
}

export interface Owner {
  readonly pid: number
  readonly since: string
}
export const readOwner = (path: string): Owner | undefined => {
  try {
    const owner = JSON.parse(readFileSync(ownerPath(path), "utf8")) as Owner
    return typeof owner.pid === "number" ? owner : undefined
  } catch {
    // Only a courtesy to the reader of the message: the lock itself says that there is an owner.
    return undefined
  }
}

export interface Lock {
  readonly release: () => void
}

/** Leaves none where there is no room for it: a courtesy must not keep an agent from starting. */
const writeOwner = (path: string): void => {
  const next = `${ownerPath(path)}.new`
  const owner: Owner = { pid: process.pid, since: new Date().toISOString() }
  try {
    writeFileSync(next, `${JSON.stringify(owner)}\n`, { mode: privateFile })
    renameSync(next, ownerPath(path))
  } catch (error) {
    if (!isFull(error, path)) throw error
    for (const file of [next, ownerPath(path)]) rmSync(file, { force: true })
  }
}

/** Takes the journal for this process, or fails with `Locked` that names the owner. */
export const takeLock = (path: string): Lock => {
  createPrivate(lockPath(path))
  const lock = new DatabaseSync(lockPath(path))
  try {
    // In memory, so that the lock can be had where nothing more can be written.
    lock.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE")
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw new StoreFailure("InputOutput", `locking ${lockPath(path)} failed: ${textOf(error)}`)
    const owner = readOwner(path)
    const who = owner === undefined ? "another process" : `process ${owner.pid} (since ${owner.since})`
    throw new StoreFailure(
      "Locked",
      `${path} is in use by ${who}. One journal has one agent: stop that one first, or give this one another data directory.`
    )
  }
  writeOwner(path)
  return {
    release: () => {
      rmSync(ownerPath(path), { force: true })
      lock.close()
    }
  }
}

/**
 * Whether the end of a database without a WAL is missing (sqlite.org/fileformat: page size at byte 16, pages at 28). SQLite
 * itself takes a cut last page for one with zeros, which may even be readable.
 */
const isShorterThanItSays = (path: string): boolean => {
  if (existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0) return false
  const header = Buffer.alloc(100)
  const file = openSync(path, "r")
  try {
    if (readSync(file, header, 0, 100, 0) < 100) return true
  } finally {
    closeSync(file)
  }
  const pageSize = header.readUInt16BE(16)
  return statSync(path).size < header.readUInt32BE(28) * (pageSize === 1 ? 65_536 : pageSize)
}

/**
 * Makes the database if there is none: under another name first, so that a crash never leaves half a one, and so that
 * an empty file under the right name is known for what it is, a journal that was cut off.
 */
export const createDatabase = (path: string): void => {
  if (existsSync(path)) {
    if (statSync(path).size === 0)
      throw new StoreFailure("Corrupt", `${path} is empty: it was cut off. ${corruptAdvice}`)
    if (isShorterThanItSays(path))
      throw new StoreFailure("Corrupt", `${path} is shorter than its header says: it was cut off. ${corruptAdvice}`)
    // A journal that was copied or restored may be readable by others.
    chmodSync(path, privateFile)
    return
  }
  if (existsSync(`${path}-wal`))
    throw new StoreFailure(
      "Corrupt",
      `${path} is missing but ${path}-wal is there. Bring the database back, or move the -wal file away to begin anew.`
    )
  const fresh = `${path}.new`
  for (const file of [fresh, `${fresh}-journal`]) rmSync(file, { force: true })
  createPrivate(fresh)
  const db = new DatabaseSync(fresh)
  try {
    migrate(db)
  } finally {
    db.close()
  }
  renameSync(fresh, path)
  syncDirectory(path)
}

const zeros = new Uint8Array(64 * 1024)

/** Fills the reserve with real blocks. False where there is no room for it; nothing is left behind then. */
export const makeReserve = (path: string, bytes: number): boolean => {
  if (bytes === 0) return true
  const next = `${reservePath(path)}.new`
  const file = openSync(next, "w", privateFile)
  let written = 0
  try {
    while (written < bytes) written += writeSync(file, zeros, 0, Math.min(zeros.length, bytes - written))
    fsyncSync(file)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "ENOSPC") throw error
    written = -1
  } finally {
    closeSync(file)
  }
  if (written < bytes) {
    rmSync(next, { force: true })
    return false
  }
  renameSync(next, reservePath(path))
  return true
}

export const hasReserve = (path: string, bytes: number): boolean => {
  if (bytes === 0) return true
  return existsSync(reservePath(path)) && statSync(reservePath(path)).size >= bytes
}

/** Gives the reserve up. False where it was given up already. */
export const dropReserve = (path: string): boolean => {
  if (!existsSync(reservePath(path))) return false
  rmSync(reservePath(path), { force: true })
  return true
}
