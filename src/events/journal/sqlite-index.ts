/** The indexes by time, type, actor and correlation: filled in bulk, sorted, so that each of their pages is written once. */
import type { DatabaseSync } from "node:sqlite"

/** Rows that are indexed at once: 10 to 20 ms, for which an append may have to wait. */
export const indexStepRows = 4096
/** Rows that may wait for it while appends come without a pause. A query reads so many one by one: about 50 ms. */
export const maxUnindexedRows = 16_384

export const indexedColumns = ["time", "type", "actor", "correlation"] as const
export type IndexedColumn = (typeof indexedColumns)[number]

/** Indexes the rows behind `from` through `to`, within the caller's transaction. */
export const prepareIndexing = (db: DatabaseSync): ((from: number, to: number) => void) => {
  const inserts = indexedColumns.map((column) =>
    db.prepare(
      `INSERT INTO by_${column} SELECT ${column}, sequence FROM events
       WHERE sequence > ? AND sequence <= ? AND ${column} IS NOT NULL ORDER BY ${column}, sequence`
    )
  )
  const setIndexed = db.prepare("UPDATE log SET indexed_sequence = ? WHERE only_row = 1")
  return (from, to) => {
    if (to <= from) return
    for (const insert of inserts) insert.run(from, to)
    setIndexed.run(to)
  }
}
