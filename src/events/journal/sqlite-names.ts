/** The texts that repeat in every row (event tags, actor paths, correlation ids), stored once and known by number. */
import type { DatabaseSync } from "node:sqlite"

/** Numbers kept in memory; beyond it the memory is emptied and filled anew. */
const maxCachedNames = 50_000
/** Higher than any character that follows a prefix. */
const afterAnything = "\u{10ffff}"

export interface Names {
  readonly find: (name: string) => number | undefined
  /** Numbers of all names that start so, in order of name; at most `limit`. */
  readonly withPrefix: (prefix: string, limit: number) => ReadonlyArray<number>
  /** Its number; stored if it is new. Within the caller's transaction. */
  readonly intern: (name: string) => number
  /** To be called after a rollback and after rows were dropped: what is remembered may be stored no more. */
  readonly forget: () => void
}

export const openNames = (db: DatabaseSync): Names => {
  const cache = new Map<string, number>()
  const select = db.prepare("SELECT key FROM names WHERE name = ?")
  const range = db.prepare("SELECT key FROM names WHERE name >= ? AND name < ? ORDER BY name LIMIT ?")
  const insert = db.prepare("INSERT INTO names (name) VALUES (?)")
  const remember = (name: string, key: number): number => {
    if (cache.size >= maxCachedNames) cache.clear()
    cache.set(name, key)
    return key
  }
  const find = (name: string): number | undefined => {
    const known = cache.get(name)
    if (known !== undefined) return known
    const row = select.get(name) as { readonly key: number } | undefined
    return row === undefined ? undefined : remember(name, row.key)
  }
  return {
    find,
    withPrefix: (prefix, limit) =>
      (range.all(prefix, prefix + afterAnything, limit) as unknown as ReadonlyArray<{ readonly key: number }>).map(
        (row) => row.key
      ),
    intern: (name) => find(name) ?? remember(name, Number(insert.run(name).lastInsertRowid)),
    forget: () => cache.clear()
  }
}
