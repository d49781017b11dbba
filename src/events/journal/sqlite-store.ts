/**
 * The journal's database, opened for writing by its one owner: synchronous, to be used in the worker only.
 *
 * Indexing, and checkpoints (WAL into the database, which SQLite would make within a commit), are put off until no append
 * comes (`catchUp`), or until so much has come together that it must be done between two (`keepUp`).
 */
import type { DatabaseSync } from "node:sqlite"
import { makeChain } from "./chain.ts"
import type { VerifyReport } from "./port.ts"
import { freeBytesAt, isDuplicate, isFull, toFailure } from "./sqlite-failure.ts"
import { dropReserve, hasReserve, type Lock, makeDirectory, makeReserve, takeLock } from "./sqlite-files.ts"
import { indexStepRows, maxUnindexedRows, prepareIndexing } from "./sqlite-index.ts"
import { type LogState, prepareLogState, type Task } from "./sqlite-log.ts"
import { openNames } from "./sqlite-names.ts"
import { openDatabase } from "./sqlite-open.ts"
import type { AppendAnswer, AppendRows, RowColumns, SpaceAnswer, StoreOptions } from "./sqlite-protocol.ts"
import { pruneTask } from "./sqlite-prune.ts"
import { verifyTask } from "./sqlite-verify.ts"

/**
 * WAL that has grown by about so much is brought into the database: SQLite's own 1000 pages of 4 KiB. The WAL then begins
 * anew in the same file. It must not be much more: an fsync of a file that grows costs nearly twice that of one that is
 * written over, and up to here the file grows once after each start.
 */
const checkpointBytes = 4 * 1024 * 1024
/** What a commit of one row writes: a leaf of the table and of the index of ids, and the log row. */
const bytesPerCommit = 3 * 4096
/** What a row takes in the WAL beyond its line, roughly: the ids, the hash, the index entries. */
const bytesPerRow = 300

export interface Store {
  readonly db: DatabaseSync
  readonly names: ReturnType<typeof openNames>
  readonly state: () => LogState
  /** All rows or none. */
  readonly append: (rows: AppendRows) => AppendAnswer
  readonly verify: () => Task<VerifyReport>
  readonly prune: (through: number) => Task<{ readonly events: number; readonly hash: string }>
  readonly usedBytes: () => number
  readonly note: (key: string) => string | undefined
  readonly setNote: (key: string, value: string) => void
  /** Free space, and the reserve made anew where there is room for it again. */
  readonly space: () => SpaceAnswer
  /** Does what cannot wait. To be called when the answer of an append is out. */
  readonly keepUp: () => void
  /** Does a part of what waits. To be called when no append comes; true while something is left. */
  readonly catchUp: () => boolean
  /** Everything committed so far is on the disk (`durability: "interval"`). */
  readonly sync: () => void
  readonly close: () => void
}

export const openStore = (options: StoreOptions): Store => {
  const { path } = options
  let lock: Lock | undefined
  try {
    makeDirectory(path)
    lock = takeLock(path)
    const held = lock
    return storeOf(options, openDatabase(options), () => held.release())
  } catch (error) {
    lock?.release()
    throw toFailure(error, path, "opening")
  }
}

const storeOf = (options: StoreOptions, db: DatabaseSync, release: () => void): Store => {
  const { path } = options
  const state = prepareLogState(db)
  const names = openNames(db)
  db.prepare("UPDATE log SET node = ? WHERE only_row = 1 AND node <> ?").run(options.node, options.node)
  const chain = makeChain(state().head.hash)
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  const insert = db.prepare(
    "INSERT INTO events (sequence, id, time, type, actor, correlation, hash, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
  )
  const setHead = db.prepare("UPDATE log SET head_sequence = ?, head_hash = ? WHERE only_row = 1")
  const usedPages = db.prepare(
    "SELECT (page_count - freelist_count) * page_size AS bytes FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
  )
  const selectNote = db.prepare("SELECT value FROM notes WHERE key = ?")
  const upsertNote = db.prepare(
    "INSERT INTO notes VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
  )
  const indexRows = prepareIndexing(db)
  let { indexed } = state()
  let lastSequence = state().head.sequence
  let walBytes = 0
  let unsynced = false
  let reserveUsed = false

  const rollback = (): void => {
    names.forget()
    // After some errors (a full disk) SQLite has rolled back by itself.
    if (db.isTransaction) db.exec("ROLLBACK")
  }
  /** One transaction. On a full disk the reserve is given up and it is tried once more. */
  const transact = <A>(body: () => A): A => {
    try {
      begin.run()
      const value = body()
      commit.run()
      unsynced = true
      return value
    } catch (error) {
      rollback()
      if (!isFull(error, path) || !dropReserve(path)) throw error
      reserveUsed = true
      return transact(body)
    }
  }

  /** Answers the last sequence. */
  const insertRows = (rows: AppendRows): number => {
    const { ids, times, types, actors, correlations } = JSON.parse(rows.columns) as RowColumns
    const lines = rows.lines.split("\n")
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i] as string
      const correlation = correlations[i] as string | null
      try {
        insert.run(
          rows.first + i,
          ids[i] as string,
          times[i] as number,
          names.intern(types[i] as string),
          names.intern(actors[i] as string),
          correlation === null ? null : names.intern(correlation),
          chain.next(line),
          line
        )
      } catch (error) {
        if (isDuplicate(error)) throw new DuplicateAt(i)
        throw error
      }
    }
    const last = rows.first + lines.length - 1
    setHead.run(last, chain.head())
    walBytes += rows.lines.length + lines.length * bytesPerRow + bytesPerCommit
    return last
  }

  const append = (rows: AppendRows): AppendAnswer => {
    if (rows.first !== lastSequence + 1) return { _tag: "Misplaced" }
    const head = chain.head()
    reserveUsed = false
    try {
      lastSequence = transact(() => {
        chain.reset(head)
        return insertRows(rows)
      })
      return { _tag: "Appended", hash: chain.head(), reserveUsed }
    } catch (error) {
      chain.reset(head)
      if (error instanceof DuplicateAt) return { _tag: "Duplicate", row: error.row }
      if (isFull(error, path)) return { _tag: "Full", freeBytes: freeBytesAt(path) }
      throw toFailure(error, path, "appending to")
    }
  }

  /** A checkpoint that finds the disk full or a reader in its way is made later; nothing is lost by that. */
  const checkpoint = (mode: "PASSIVE" | "TRUNCATE"): void => {
    try {
      db.exec(`PRAGMA wal_checkpoint(${mode})`)
      walBytes = 0
      unsynced = false
    } catch (error) {
      if (!isFull(error, path)) throw toFailure(error, path, "checkpointing")
      walBytes = 0
    }
  }

  /** Indexing never takes the reserve: where the disk is full (false) the rows wait, and are read without an index. */
  const index = (): boolean => {
    const to = Math.min(lastSequence, indexed + indexStepRows)
    try {
      begin.run()
      indexRows(indexed, to)
      commit.run()
      walBytes += (to - indexed) * bytesPerRow
      indexed = to
      return true
    } catch (error) {
      rollback()
      if (!isFull(error, path)) throw toFailure(error, path, "indexing")
      return false
    }
  }

  return {
    db,
    names,
    state,
    append,
    verify: () => verifyTask(db, state),
    prune: (through) =>
      pruneTask(
        db,
        names,
        state,
        (body) => {
          transact(body)
          indexed = state().indexed
        },
        through
      ),
    usedBytes: () => Number((usedPages.get() as { readonly bytes: number }).bytes),
    note: (key) => (selectNote.get(key) as { readonly value: string } | undefined)?.value,
    setNote: (key, value) => {
      transact(() => upsertNote.run(key, value))
      walBytes += bytesPerCommit
    },
    space: () => {
      const reserve = hasReserve(path, options.reserveBytes)
      const freeBytes = freeBytesAt(path)
      if (reserve || freeBytes < options.lowBytes + options.reserveBytes) return { freeBytes, reserve }
      return { reserve: makeReserve(path, options.reserveBytes), freeBytes: freeBytesAt(path) }
    },
    keepUp: () => {
      if (lastSequence - indexed >= maxUnindexedRows) index()
      if (walBytes >= checkpointBytes) checkpoint("PASSIVE")
    },
    catchUp: () => {
      if (lastSequence > indexed && index()) return lastSequence > indexed
      if (walBytes >= checkpointBytes) checkpoint("PASSIVE")
      return false
    },
    sync: () => {
      if (unsynced) checkpoint("PASSIVE")
    },
    close: () => {
      try {
        checkpoint("TRUNCATE")
      } finally {
        db.close()
        release()
      }
    }
  }
}

/** An id of the row `row` of a batch is stored already. */
class DuplicateAt extends Error {
  readonly row: number
  constructor(row: number) {
    super(`duplicate at ${row}`)
    this.row = row
  }
}
