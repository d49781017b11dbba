/** A query's conditions in the terms of the database: numbers of names, and SQL. */
import type { SQLInputValue } from "node:sqlite"
import type { JournalQuery } from "./port.ts"
import type { Names } from "./sqlite-names.ts"

/** Actors that a prefix may name one by one; one that names more is matched by text. SQLite's bound of variables is 32,766. */
const maxPrefixKeys = 16_384
/** Higher than any character that follows a prefix. */
const afterAnything = "\u{10ffff}"

export type NameColumn = "actor" | "correlation" | "type"
export type Keys = ReadonlyMap<NameColumn, ReadonlyArray<number>>

/** Numbers by column; `undefined` where a condition names nothing that is stored: no row can match. */
export const resolveKeys = (names: Names, query: JournalQuery): Keys | undefined => {
  const keys = new Map<NameColumn, ReadonlyArray<number>>()
  const known = (texts: ReadonlyArray<string>): ReadonlyArray<number> =>
    texts.map((text) => names.find(text)).filter((key) => key !== undefined)
  if (query.actor !== undefined) {
    const within = query.actorPrefix === undefined || query.actor.startsWith(query.actorPrefix)
    keys.set("actor", within ? known([query.actor]) : [])
  } else if (query.actorPrefix !== undefined) keys.set("actor", names.withPrefix(query.actorPrefix, maxPrefixKeys))
  if (query.correlation !== undefined) keys.set("correlation", known([query.correlation]))
  if (query.types !== undefined) keys.set("type", known([...new Set(query.types)]))
  return [...keys.values()].some((of) => of.length === 0) ? undefined : keys
}

export interface Filter {
  /** Begins with AND, or is empty. */
  readonly sql: string
  readonly values: ReadonlyArray<SQLInputValue>
}

export const filterOf = (query: JournalQuery, keys: Keys): Filter => {
  const terms: Array<string> = []
  const values: Array<SQLInputValue> = []
  const add = (term: string, ...of: ReadonlyArray<SQLInputValue>): void => {
    terms.push(term)
    values.push(...of)
  }
  for (const [column, of] of keys)
    if (of.length < maxPrefixKeys) add(`${column} IN (${of.map(() => "?").join(", ")})`, ...of)
    else
      add(
        "actor IN (SELECT key FROM names WHERE name >= ? AND name < ?)",
        query.actorPrefix as string,
        `${query.actorPrefix}${afterAnything}`
      )
  // The unary + keeps SQLite from walking the index of ids instead of the log.
  if (query.id !== undefined) add("+id = ?", query.id)
  if (query.since !== undefined) add("time >= ?", query.since)
  if (query.until !== undefined) add("time <= ?", query.until)
  return { sql: terms.length === 0 ? "" : `AND ${terms.join(" AND ")}`, values }
}
