/**
 * Whether the indexes hold every row that they say they do. The chain says nothing of them, and a row that an index lacks is
 * one that a query by it leaves out in silence. An entry too many does no harm: what it points at is compared with the query.
 */
import type { DatabaseSync } from "node:sqlite"
import type { ChainBreak } from "./port.ts"
import { indexedColumns } from "./sqlite-index.ts"

/** The first row behind `from` through `to` that an index lacks. Only rows that are indexed already may be asked about. */
export const prepareIndexCheck = (db: DatabaseSync): ((from: number, to: number) => ChainBreak | undefined) => {
  const behind = "SELECT min(e.sequence) AS sequence FROM events e WHERE e.sequence > ? AND e.sequence <= ?"
  const lacking = [
    ...indexedColumns.map((column) => ({
      column,
      first: db.prepare(
        `${behind} AND e.${column} IS NOT NULL AND NOT EXISTS
           (SELECT 1 FROM by_${column} i WHERE i.${column} = e.${column} AND i.sequence = e.sequence)`
      )
    })),
    {
      column: "id",
      first: db.prepare(
        `${behind} AND NOT EXISTS
           (SELECT 1 FROM events i INDEXED BY events_by_id WHERE i.id = e.id AND i.sequence = e.sequence)`
      )
    }
  ]
  return (from, to) => {
    let found: ChainBreak | undefined
    for (const { column, first } of lacking) {
      const { sequence } = first.get(from, to) as { readonly sequence: number | null }
      if (sequence === null || (found !== undefined && sequence >= found.sequence)) continue
      found = { sequence, problem: `the index by ${column} lacks this row: what is looked for by it is not found` }
    }
    return found
  }
}
