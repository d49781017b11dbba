/**
 * The journal's database and how it changes.
 *
 * ```
 * log      one row: the node, the cut (base: last row dropped by pruning, or 0) and the head, both with their hashes,
 *          and how far the indexes reach
 * events   one row per event: sequence (its key), id, time (ms), type, actor, correlation, hash (64 hex), line (JSON)
 * names    the texts that repeat (event tags, actor paths, correlation ids), each once; events hold their keys
 * by_…     the indexes: (time | type | actor | correlation, sequence) of every row up to `indexed_sequence`
 * notes    small facts that are caches only (the publisher's cursor)
 * ```
 * The indexes are filled in bulk, some thousand rows at a time and sorted (sqlite-index.ts), not row by row: an append
 * then writes two or three pages instead of seven. The rows behind `indexed_sequence` are read one by one.
 *
 * The rule for changing it: `migrations[n]` leads from version n to n + 1 and is never edited once released; a change is
 * a new entry at the end. Each step runs in one transaction together with its `user_version`, so that a crash leaves
 * the version before or after. `line` and `hash` are never rewritten by any step: they are what the chain proves. A
 * database of a newer version is refused (`NewerVersion`): an older program cannot know what it would break.
 */
import type { DatabaseSync } from "node:sqlite"
import { genesisHash } from "./chain.ts"

/** `CHRN` in ASCII: tells a journal from any other SQLite file. */
export const applicationId = 0x4348524e

export const migrations: ReadonlyArray<string> = [
  // 0 → 1: the log
  `CREATE TABLE log (
     only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
     node TEXT NOT NULL,
     base_sequence INTEGER NOT NULL,
     base_hash TEXT NOT NULL,
     head_sequence INTEGER NOT NULL,
     head_hash TEXT NOT NULL,
     indexed_sequence INTEGER NOT NULL
   ) STRICT;
   INSERT INTO log VALUES (1, '', 0, '${genesisHash}', 0, '${genesisHash}', 0);
   CREATE TABLE names (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
   CREATE TABLE events (
     sequence INTEGER PRIMARY KEY,
     id TEXT NOT NULL,
     time INTEGER NOT NULL,
     type INTEGER NOT NULL,
     actor INTEGER NOT NULL,
     correlation INTEGER,
     hash TEXT NOT NULL,
     line TEXT NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX events_by_id ON events (id);
   CREATE TABLE by_time (time INTEGER, sequence INTEGER, PRIMARY KEY (time, sequence)) STRICT, WITHOUT ROWID;
   CREATE TABLE by_type (type INTEGER, sequence INTEGER, PRIMARY KEY (type, sequence)) STRICT, WITHOUT ROWID;
   CREATE TABLE by_actor (actor INTEGER, sequence INTEGER, PRIMARY KEY (actor, sequence)) STRICT, WITHOUT ROWID;
   CREATE TABLE by_correlation (correlation INTEGER, sequence INTEGER, PRIMARY KEY (correlation, sequence))
     STRICT, WITHOUT ROWID;`,
  // 1 → 2: notes beside the log
  "CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
]

/** The version that this program writes. */
export const schemaVersion = migrations.length

/** Version of the first notes table: a reader of an older journal has none. */
export const notesSince = 2

const pragma = (db: DatabaseSync, name: string): number => {
  const row = db.prepare(`PRAGMA ${name}`).get() as Record<string, number> | undefined
  return Number(Object.values(row ?? {})[0] ?? 0)
}

export const versionOf = (db: DatabaseSync): number => pragma(db, "user_version")
export const isJournal = (db: DatabaseSync): boolean => pragma(db, "application_id") === applicationId

/** Brings the database to `schemaVersion`, one version at a time. Answers the version it had. */
export const migrate = (db: DatabaseSync): number => {
  const found = versionOf(db)
  for (let version = found; version < schemaVersion; version++) {
    db.exec("BEGIN IMMEDIATE")
    try {
      db.exec(migrations[version] as string)
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version + 1}`)
      db.exec("COMMIT")
    } catch (error) {
      // After some errors (a full disk) SQLite has rolled back by itself; a second time would hide what was wrong.
      if (db.isTransaction) db.exec("ROLLBACK")
      throw error
    }
  }
  return found
}
