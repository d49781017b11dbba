/** What the main thread and the journal's worker say to each other. Plain values: they are cloned on the way. */
import type { JournalQuery, JournalRow, VerifyReport } from "./port.ts"
import type { FailureReason } from "./sqlite-failure.ts"
import type { LogState } from "./sqlite-log.ts"

/**
 * `always`: an append answers when its commit is on the disk (`synchronous=FULL`: the WAL is fsynced at each commit).
 * `interval`: it answers when the commit is with the kernel; the disk follows within `syncPeriod`. A crash of the agent
 * loses nothing then, a crash of the machine the last moments. The chain stays whole either way.
 */
export type Durability = "always" | "interval"

export interface StoreOptions {
  readonly path: string
  readonly node: string
  readonly durability: Durability
  readonly reserveBytes: number
  /** Free space below which the journal is `low`. */
  readonly lowBytes: number
  /** Milliseconds between two syncs, where durability is `interval`. */
  readonly syncPeriod: number
}

/**
 * Rows of one transaction, in two texts: cloning many small strings between threads costs more than storing them.
 * Sequences are contiguous from `first`.
 */
export interface AppendRows {
  readonly first: number
  /** The lines, parted by line feeds (no line of JSON holds one). */
  readonly lines: string
  /** `RowColumns` as JSON. */
  readonly columns: string
}

/** What rows are found by, column by column. */
export interface RowColumns {
  readonly ids: ReadonlyArray<string>
  /** Milliseconds since the epoch. */
  readonly times: ReadonlyArray<number>
  /** Tags. */
  readonly types: ReadonlyArray<string>
  /** Paths. */
  readonly actors: ReadonlyArray<string>
  readonly correlations: ReadonlyArray<string | null>
}

export type AppendAnswer =
  /** `reserveUsed`: the disk was full; the reserve was given up for this batch. */
  | { readonly _tag: "Appended"; readonly hash: string; readonly reserveUsed: boolean }
  /** The id of this row of the batch is stored already; nothing of the batch is. */
  | { readonly _tag: "Duplicate"; readonly row: number }
  /** It does not follow the last row: something that was sent before it is not stored. Nothing of the batch is. */
  | { readonly _tag: "Misplaced" }
  /** No room, even without the reserve; nothing of the batch is stored. */
  | { readonly _tag: "Full"; readonly freeBytes: number }

export interface SpaceAnswer {
  readonly freeBytes: number
  /** Whether the reserve is there. */
  readonly reserve: boolean
}

/** The calls by name: what each takes and answers. */
export interface Calls {
  readonly append: readonly [AppendRows, AppendAnswer]
  /** Begins a task; answers its number. */
  readonly begin: readonly [
    (
      | { readonly task: "read"; readonly query: JournalQuery }
      | { readonly task: "verify" }
      | { readonly task: "prune"; readonly through: number }
    ),
    number
  ]
  readonly step: readonly [number, { readonly done: boolean; readonly value: TaskValue }]
  /** Gives up a task that is not done. */
  readonly drop: readonly [number, undefined]
  readonly size: readonly [undefined, { readonly bytes: number; readonly first: number }]
  readonly space: readonly [undefined, SpaceAnswer]
  readonly note: readonly [string, string | undefined]
  readonly setNote: readonly [{ readonly key: string; readonly value: string }, undefined]
  readonly close: readonly [undefined, undefined]
}
export type TaskValue = ReadonlyArray<JournalRow> | VerifyReport | { readonly events: number; readonly hash: string }

export type CallName = keyof Calls
export interface Request<Name extends CallName = CallName> {
  readonly call: number
  readonly name: Name
  readonly argument: Calls[Name][0]
}
export interface Failure {
  readonly reason: FailureReason
  readonly message: string
}
export type Reply =
  | { readonly _tag: "Opened"; readonly state: LogState }
  | { readonly _tag: "NotOpened"; readonly failure: Failure }
  | { readonly _tag: "Answered"; readonly call: number; readonly value: unknown }
  | { readonly _tag: "Failed"; readonly call: number; readonly failure: Failure }
