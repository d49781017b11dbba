/** The one row of `log`, and work that is done in bounded steps. */
import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { JournalHead } from "./port.ts"

/** Rows and bytes that one step reads at most, so that an append waits for a step and never for a whole read. */
export const stepRows = 512
export const stepBytes = 4 * 1024 * 1024

/** Work on the journal in bounded steps. Holds no lock and no snapshot between steps. */
export interface Task<A> {
  readonly step: () => { readonly done: boolean; readonly value: A }
}

export interface LogState {
  readonly node: string
  /** The last row that pruning dropped; 0 and the genesis hash if none was. */
  readonly base: JournalHead
  readonly head: JournalHead
  /** The indexes hold every row up to this one. */
  readonly indexed: number
}

export const prepareLogState = (db: DatabaseSync): (() => LogState) => {
  const select: StatementSync = db.prepare(
    "SELECT node, base_sequence, base_hash, head_sequence, head_hash, indexed_sequence FROM log WHERE only_row = 1"
  )
  return () => {
    const row = select.get() as Record<string, string | number> | undefined
    // The words are SQLite's own, so that this is taken for the damage it is.
    if (row === undefined) throw new Error("database disk image is malformed: the log row is missing")
    return {
      node: String(row.node),
      base: { sequence: Number(row.base_sequence), hash: String(row.base_hash) },
      head: { sequence: Number(row.head_sequence), hash: String(row.head_hash) },
      indexed: Number(row.indexed_sequence)
    }
  }
}
