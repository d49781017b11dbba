/**
 * SQLite's errors as journal errors. Bun and Deno both give `errcode` for a failed step; Deno gives none for a failed
 * open, prepare or exec, so that SQLite's own English text (`sqlite3_errstr`) decides there.
 */
import { statfsSync } from "node:fs"
import { dirname } from "node:path"
import type { JournalError } from "./port.ts"

export type FailureReason = JournalError["reason"]

/** A failure on its way out of the worker, as plain values. */
export class StoreFailure extends Error {
  readonly reason: FailureReason
  constructor(reason: FailureReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Result codes of https://www.sqlite.org/rescode.html (the low byte of extended codes). */
const sqlite = { busy: 5, locked: 6, readOnly: 8, ioError: 10, corrupt: 11, full: 13, constraint: 19, notADatabase: 26 }
const uniqueConstraint = new Set([1555, 2067])

const codeOf = (error: unknown): number => {
  const code = (error as { readonly errcode?: unknown }).errcode
  return typeof code === "number" ? code : -1
}
export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const primary = (error: unknown): number => (codeOf(error) < 0 ? -1 : codeOf(error) & 0xff)

export const isBusy = (error: unknown): boolean =>
  primary(error) === sqlite.busy ||
  primary(error) === sqlite.locked ||
  /database (table )?is locked/u.test(textOf(error))

export const isDuplicate = (error: unknown): boolean =>
  uniqueConstraint.has(codeOf(error)) || /UNIQUE constraint failed: events\./u.test(textOf(error))

export const isCorrupt = (error: unknown): boolean =>
  primary(error) === sqlite.corrupt ||
  primary(error) === sqlite.notADatabase ||
  /malformed|not a database|no such table|no such column|no such index/u.test(textOf(error))

/** Below this, an input/output error of a write is taken for a full disk: SQLite reports a full `-shm` that way. */
const hardlyAnyBytes = 256 * 1024

/** Bytes that an unprivileged program could still write where `path` lies. */
export const freeBytesAt = (path: string): number => {
  const stat = statfsSync(dirname(path))
  return stat.bavail * stat.bsize
}

export const isFull = (error: unknown, path: string): boolean => {
  if (primary(error) === sqlite.full || /database or disk is full/u.test(textOf(error))) return true
  if ((error as { readonly code?: unknown }).code === "ENOSPC") return true
  const ioError = primary(error) === sqlite.ioError || /disk I\/O error/u.test(textOf(error))
  return ioError && freeBytesAt(path) < hardlyAnyBytes
}

export const corruptAdvice =
  "Stop the agent, keep a copy of the file, and restore it from a backup or start with an empty data directory; " +
  "what was published is in the stream still."

export const toFailure = (error: unknown, path: string, doing: string): StoreFailure => {
  if (error instanceof StoreFailure) return error
  if (isCorrupt(error))
    return new StoreFailure("Corrupt", `${path} is damaged (${doing}: ${textOf(error)}). ${corruptAdvice}`)
  return new StoreFailure("InputOutput", `${doing} ${path} failed: ${textOf(error)}`)
}
