/** A journal's database on its way to the one who writes it: made or brought up to date, checked at both ends, its pragmas set. */
import { DatabaseSync } from "node:sqlite"
import { isFull, StoreFailure, textOf } from "./sqlite-failure.ts"
import { createDatabase, dropReserve } from "./sqlite-files.ts"
import { prepareLogState } from "./sqlite-log.ts"
import type { Durability, StoreOptions } from "./sqlite-protocol.ts"
import { isJournal, migrate, schemaVersion, versionOf } from "./sqlite-schema.ts"

/** The WAL file is cut back to this after a burst. */
const walLimitBytes = 64 * 1024 * 1024
/** How long a statement waits for another process's short lock (a reader's recovery of the WAL). */
const busyTimeout = 5_000

const synchronous: Record<Durability, string> = { always: "FULL", interval: "NORMAL" }

const openChecked = (path: string, options: StoreOptions): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout: busyTimeout })
  try {
    if (!isJournal(db))
      throw new StoreFailure("Corrupt", `${path} is no Chronode journal. Choose another data directory.`)
    const version = versionOf(db)
    if (version > schemaVersion)
      throw new StoreFailure(
        "NewerVersion",
        `${path} was written by a newer Chronode (journal version ${version}, this program knows ${schemaVersion}). Use that version.`
      )
    db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous[options.durability]};
       PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${walLimitBytes}`
    )
    migrate(db)
    checkEnds(db, path)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** The head must be the last row, and the cut must lie before the first: a cheap look at both ends of the log. */
const checkEnds = (db: DatabaseSync, path: string): void => {
  const { base, head } = prepareLogState(db)()
  const last = db.prepare("SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1").get() as
    | { readonly sequence: number; readonly hash: string }
    | undefined
  const expected = last ?? base
  if (expected.sequence !== head.sequence || expected.hash !== head.hash)
    throw new StoreFailure(
      "Corrupt",
      `${path} is damaged: its last row is ${expected.sequence}, its head says ${head.sequence}. \`chronode verify --journal\` names the first bad position.`
    )
}

/** On a full disk by way of the reserve: a journal that was there before has room to be opened, and to say so. */
export const openDatabase = (options: StoreOptions): DatabaseSync => {
  const { path } = options
  try {
    createDatabase(path)
    return openChecked(path, options)
  } catch (error) {
    if (!isFull(error, path)) throw error
    if (dropReserve(path)) return openDatabase(options)
    throw new StoreFailure(
      "InputOutput",
      `${path} cannot be opened: its disk is full (${textOf(error)}). Make room and start again.`
    )
  }
}
