/** Whether somebody has a journal open to write: asked of its lock, without taking it. */
import { existsSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { isBusy } from "./sqlite-failure.ts"
import { lockPath, readOwner } from "./sqlite-files.ts"

/**
 * `process 123 (since …)`; undefined: nobody, or nobody who can be seen. The lock is looked at through SQLite alone (see
 * sqlite-files.ts), which is refused while its owner holds it.
 */
export const journalOwner = (path: string): string | undefined => {
  if (!existsSync(lockPath(path))) return undefined
  const lock = new DatabaseSync(lockPath(path), { readOnly: true })
  try {
    // Deno's waits five seconds otherwise.
    lock.exec("PRAGMA busy_timeout = 0")
    lock.prepare("SELECT count(*) FROM sqlite_master").get()
    return undefined
  } catch (error) {
    if (!isBusy(error)) throw error
    const owner = readOwner(path)
    return owner === undefined ? "another process" : `process ${owner.pid}, since ${owner.since}`
  } finally {
    lock.close()
  }
}
