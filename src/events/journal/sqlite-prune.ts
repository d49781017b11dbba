/** Drops the oldest rows in bounded steps, each its own transaction: a crash leaves a shorter journal that is whole. */
import type { DatabaseSync } from "node:sqlite"
import { indexedColumns, prepareIndexing } from "./sqlite-index.ts"
import type { LogState, Task } from "./sqlite-log.ts"
import type { Names } from "./sqlite-names.ts"

const pruneRows = 1024

export const pruneTask = (
  db: DatabaseSync,
  names: Names,
  readState: () => LogState,
  transact: (body: () => void) => void,
  through: number
): Task<{ readonly events: number; readonly hash: string }> => {
  const end = Math.min(through, readState().head.sequence)
  let events = 0
  const hashOf = db.prepare("SELECT hash FROM events WHERE sequence = ?")
  const usedNames = db.prepare(
    `SELECT type AS key FROM events WHERE sequence BETWEEN ?1 AND ?2
     UNION SELECT actor FROM events WHERE sequence BETWEEN ?1 AND ?2
     UNION SELECT correlation FROM events WHERE sequence BETWEEN ?1 AND ?2 AND correlation IS NOT NULL`
  )
  const indexTail = prepareIndexing(db)
  const dropEntries = indexedColumns.map((column) =>
    db.prepare(
      `DELETE FROM by_${column} WHERE (${column}, sequence) IN
         (SELECT ${column}, sequence FROM events WHERE sequence BETWEEN ? AND ?)`
    )
  )
  const drop = db.prepare("DELETE FROM events WHERE sequence <= ?")
  const setBase = db.prepare("UPDATE log SET base_sequence = ?, base_hash = ? WHERE only_row = 1")
  const dropName = db.prepare(
    `DELETE FROM names WHERE key = ?1
       AND NOT EXISTS (SELECT 1 FROM by_type WHERE type = ?1) AND NOT EXISTS (SELECT 1 FROM by_actor WHERE actor = ?1)
       AND NOT EXISTS (SELECT 1 FROM by_correlation WHERE correlation = ?1)`
  )
  return {
    step: () => {
      const { base } = readState()
      if (base.sequence >= end) return { done: true, value: { events, hash: base.hash } }
      const cut = Math.min(end, base.sequence + pruneRows)
      const row = hashOf.get(cut) as { readonly hash: string } | undefined
      // The words are SQLite's own, so that this is taken for the damage it is.
      if (row === undefined) throw new Error(`database disk image is malformed: row ${cut} is missing`)
      transact(() => {
        // Whether a name is still in use is asked of the indexes: they must be complete.
        indexTail(readState().indexed, readState().head.sequence)
        const keys = usedNames.all(base.sequence + 1, cut) as unknown as ReadonlyArray<{ readonly key: number }>
        for (const entries of dropEntries) entries.run(base.sequence + 1, cut)
        drop.run(cut)
        setBase.run(cut, row.hash)
        for (const { key } of keys) dropName.run(key)
      })
      names.forget()
      events += cut - base.sequence
      return { done: cut >= end, value: { events, hash: row.hash } }
    }
  }
}
