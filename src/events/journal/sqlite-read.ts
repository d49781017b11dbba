/**
 * Reading rows in bounded steps, in two parts. Up to where the indexes reach, a query with an actor, a correlation or a
 * few types walks that index (several keys are merged in order by SQLite), and any other walks the log itself in
 * windows; `since` narrows such a walk through the index of times, since times follow the sequence only roughly. The
 * few rows behind the indexes are always walked. Each step ends with a cursor, never with an open statement: a reader
 * that stops to think holds nothing back.
 */
import type { DatabaseSync } from "node:sqlite"
import type { JournalQuery, JournalRow } from "./port.ts"
import { type LogState, stepBytes, stepRows, type Task } from "./sqlite-log.ts"
import type { Names } from "./sqlite-names.ts"
import { type Filter, filterOf, type Keys, type NameColumn, resolveKeys } from "./sqlite-query.ts"

/** Sequences that one step of a filtered walk over the log looks at. */
const scanWindow = 4096
/** Index entries of times that one step of narrowing looks at. */
const narrowEntries = 8192
/** Keys of one index that are merged at most; a query with more walks the log. SQLite's bound of terms is 500. */
const maxMergedKeys = 64

interface StoredRow {
  readonly sequence: number
  readonly hash: string
  readonly line: string
}
/** Sequences, both inclusive. */
interface Span {
  readonly from: number
  readonly to: number
}
const isEmpty = (span: Span): boolean => span.from > span.to
const overlap = (a: Span, b: Span): Span => ({ from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) })

/** One way over a span: rows in order, and the sequence up to which everything was looked at when they are taken. */
type Walk = (span: Span, limit: number) => { readonly rows: Iterable<StoredRow>; readonly reached: number }

/** The log itself, a window at a time. */
const logWalk = (db: DatabaseSync, filter: Filter, reverse: boolean): Walk => {
  const range = db.prepare(
    `SELECT sequence, hash, line FROM events WHERE sequence BETWEEN ? AND ? ${filter.sql}
     ORDER BY sequence ${reverse ? "DESC" : "ASC"} LIMIT ?`
  )
  return (span, limit) => {
    const from = reverse ? Math.max(span.from, span.to - scanWindow + 1) : span.from
    const to = reverse ? span.to : Math.min(span.to, span.from + scanWindow - 1)
    const rows = range.iterate(from, to, ...filter.values, limit) as unknown as Iterable<StoredRow>
    return { rows, reached: reverse ? from : to }
  }
}

/** The rows of some keys of one index, merged in order of sequence. */
const keyWalk = (
  db: DatabaseSync,
  column: NameColumn,
  keys: ReadonlyArray<number>,
  filter: Filter,
  reverse: boolean
): Walk => {
  const branch = `SELECT sequence FROM by_${column} WHERE ${column} = ? AND sequence BETWEEN ? AND ?`
  const entries = db.prepare(
    `${keys.map(() => branch).join(" UNION ALL ")} ORDER BY sequence ${reverse ? "DESC" : "ASC"} LIMIT ${stepRows}`
  )
  const one = db.prepare(`SELECT sequence, hash, line FROM events WHERE sequence = ? ${filter.sql}`)
  const rowsOf = function* (sequences: ReadonlyArray<{ readonly sequence: number }>) {
    for (const { sequence } of sequences) {
      const row = one.get(sequence, ...filter.values) as StoredRow | undefined
      if (row !== undefined) yield row
    }
  }
  return (span) => {
    const found = entries.all(...keys.flatMap((key) => [key, span.from, span.to])) as unknown as Array<StoredRow>
    const last = found.at(-1)
    const all = last === undefined || found.length < stepRows
    return { rows: rowsOf(found), reached: all ? (reverse ? span.from : span.to) : last.sequence }
  }
}

/** First and last sequence of indexed events whose time lies in a range, once all its entries are seen. */
const prepareNarrow = (db: DatabaseSync, since: number, until: number): (() => Span | undefined) => {
  const statement = db.prepare(
    `SELECT time, sequence FROM by_time
     WHERE time BETWEEN ? AND ? AND (time > ? OR sequence > ?) ORDER BY time, sequence LIMIT ${narrowEntries}`
  )
  let cursor = { time: since, sequence: -1 }
  let from = Number.MAX_SAFE_INTEGER
  let to = 0
  return () => {
    const entries = statement.all(cursor.time, until, cursor.time, cursor.sequence) as unknown as Array<typeof cursor>
    for (const { sequence } of entries) {
      if (sequence < from) from = sequence
      if (sequence > to) to = sequence
    }
    cursor = entries.at(-1) ?? cursor
    return entries.length < narrowEntries ? { from, to } : undefined
  }
}

const walkedColumn = (keys: Keys): NameColumn | undefined =>
  (["actor", "correlation", "type"] as const).find((column) => {
    const of = keys.get(column)
    return of !== undefined && of.length <= maxMergedKeys
  })

/** Rows as they are answered: forward ones with the hash before, where the one before was not read. */
const prepareRow = (db: DatabaseSync, state: LogState, reverse: boolean): ((row: StoredRow) => JournalRow) => {
  const hashOf = db.prepare("SELECT hash FROM events WHERE sequence = ?")
  let last = 0
  return ({ sequence, line, hash }) => {
    const follows = last !== 0 && sequence === last + 1
    last = sequence
    if (reverse || follows) return { sequence, line, hash }
    if (sequence === state.base.sequence + 1) return { sequence, line, hash, previousHash: state.base.hash }
    const before = hashOf.get(sequence - 1) as { readonly hash: string } | undefined
    return before === undefined ? { sequence, line, hash } : { sequence, line, hash, previousHash: before.hash }
  }
}

export const readTask = (
  db: DatabaseSync,
  names: Names,
  state: LogState,
  query: JournalQuery
): Task<ReadonlyArray<JournalRow>> => {
  const reverse = query.reverse === true
  const keys = resolveKeys(names, query)
  let remaining = query.limit ?? Number.MAX_SAFE_INTEGER
  const nothing = { step: () => ({ done: true, value: [] }) }
  if (keys === undefined || remaining <= 0) return nothing
  let whole: Span = overlap(
    { from: query.from ?? 1, to: query.to ?? state.head.sequence },
    { from: state.base.sequence + 1, to: state.head.sequence }
  )
  if (query.id !== undefined) {
    const found = db.prepare("SELECT sequence FROM events WHERE id = ?").get(query.id) as StoredRow | undefined
    if (found === undefined) return nothing
    whole = overlap(whole, { from: found.sequence, to: found.sequence })
  }

  const filter = filterOf(query, keys)
  const column = query.id === undefined ? walkedColumn(keys) : undefined
  const overLog = logWalk(db, filter, reverse)
  const overKeys = column && keyWalk(db, column, keys.get(column) as ReadonlyArray<number>, filter, reverse)
  const indexed = { walk: overKeys ?? overLog, span: overlap(whole, { from: 1, to: state.indexed }) }
  const tail = { walk: overLog, span: overlap(whole, { from: state.indexed + 1, to: state.head.sequence }) }
  const parts = reverse ? [tail, indexed] : [indexed, tail]
  // An actor or a flow has few rows: looking for times would cost more than it spares.
  const narrows = query.since !== undefined && query.id === undefined && column !== "actor" && column !== "correlation"
  let narrow = narrows ? prepareNarrow(db, query.since, query.until ?? Number.MAX_SAFE_INTEGER) : undefined
  const toRow = prepareRow(db, state, reverse)

  /** Takes rows until a bound is met. The part goes on after the last row that was taken. */
  const take = (part: { walk: Walk; span: Span }): ReadonlyArray<JournalRow> => {
    const limit = Math.min(stepRows, remaining)
    const walked = part.walk(part.span, limit)
    let { reached } = walked
    const taken: Array<JournalRow> = []
    let bytes = 0
    for (const row of walked.rows) {
      taken.push(toRow(row))
      bytes += row.line.length
      if (taken.length < limit && bytes < stepBytes) continue
      reached = row.sequence
      break
    }
    remaining -= taken.length
    part.span = reverse ? { from: part.span.from, to: reached - 1 } : { from: reached + 1, to: part.span.to }
    return taken
  }

  return {
    step: () => {
      if (narrow !== undefined) {
        const found = narrow()
        if (found === undefined) return { done: false, value: [] }
        narrow = undefined
        indexed.span = overlap(indexed.span, found)
      }
      const part = parts.find(({ span }) => !isEmpty(span))
      const value = part === undefined ? [] : take(part)
      return { done: remaining <= 0 || parts.every(({ span }) => isEmpty(span)), value }
    }
  }
}
