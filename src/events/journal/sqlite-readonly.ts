/**
 * A journal opened by who only reads it (`get`, `events`, `why`, `verify`, `export`), also while its agent writes: no
 * lock, no worker. WAL lets readers and the writer go on side by side; each step of a read sees the newest commit.
 */
import { existsSync, statSync } from "node:fs"
import { DatabaseSync } from "node:sqlite"
import { Effect, type Scope } from "effect"
import { JournalError, type JournalReader, type JournalRow, type VerifyReport } from "./port.ts"
import { corruptAdvice, isCorrupt, StoreFailure, toFailure } from "./sqlite-failure.ts"
import { prepareLogState, type Task } from "./sqlite-log.ts"
import { openNames } from "./sqlite-names.ts"
import type { TaskValue } from "./sqlite-protocol.ts"
import { readTask } from "./sqlite-read.ts"
import { isJournal, notesSince, schemaVersion, versionOf } from "./sqlite-schema.ts"
import { verifyTask } from "./sqlite-verify.ts"
import { type Tasks, taskResult, taskStream } from "./task-stream.ts"

/** Milliseconds that a read waits while the agent recovers or resets the WAL. */
const busyTimeout = 5_000

/** Reads the first page, which fails where the file cannot be read as it lies there. */
const opened = (target: string | URL): DatabaseSync => {
  const db = new DatabaseSync(target, { readOnly: true, timeout: busyTimeout })
  try {
    versionOf(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

const openFile = (path: string): DatabaseSync => {
  try {
    return opened(path)
  } catch (error) {
    // A closed journal where nothing can be written (a copy on read-only media): SQLite cannot make its -shm file, and
    // needs none, since nobody writes.
    if (isCorrupt(error) || existsSync(`${path}-wal`)) throw error
    const url = new URL("file://")
    url.pathname = path
    url.searchParams.set("immutable", "1")
    return opened(url)
  }
}

const openChecked = (path: string): DatabaseSync => {
  if (!existsSync(path))
    throw new StoreFailure("InputOutput", `there is no journal at ${path}. Give the agent's data directory.`)
  if (statSync(path).size === 0) throw new StoreFailure("Corrupt", `${path} is empty: it was cut off. ${corruptAdvice}`)
  const db = openFile(path)
  try {
    if (!isJournal(db)) throw new StoreFailure("Corrupt", `${path} is no Chronode journal`)
    const version = versionOf(db)
    if (version > schemaVersion)
      throw new StoreFailure(
        "NewerVersion",
        `${path} was written by a newer Chronode (journal version ${version}, this program knows ${schemaVersion}). Use that version.`
      )
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens the journal at `path` for reading. Closed with the scope. */
export const openJournalReadOnly = (path: string): Effect.Effect<JournalReader, JournalError, Scope.Scope> => {
  const attempt = <A>(doing: string, body: () => A): Effect.Effect<A, JournalError> =>
    Effect.try({
      try: body,
      catch: (error) => {
        const { reason, message } = toFailure(error, path, doing)
        return new JournalError({ reason, path, message })
      }
    })
  return Effect.gen(function* () {
    const db = yield* Effect.acquireRelease(
      attempt("opening", () => openChecked(path)),
      (open) => Effect.sync(() => open.close())
    )
    return yield* attempt("opening", () => readerOf(db, attempt))
  })
}

const readerOf = (
  db: DatabaseSync,
  attempt: <A>(doing: string, body: () => A) => Effect.Effect<A, JournalError>
): JournalReader => {
  const state = prepareLogState(db)
  const names = openNames(db)
  const running = new Map<number, Task<TaskValue>>()
  let lastTask = 0
  const tasks: Tasks = {
    begin: (what) =>
      attempt("reading", () => {
        if (what.task === "prune") throw new Error("a reader cannot prune")
        running.set(++lastTask, what.task === "read" ? readTask(db, names, state(), what.query) : verifyTask(db, state))
        return lastTask
      }),
    // Yields first, so that a long read leaves room for others on this thread.
    step: (task) =>
      Effect.andThen(
        Effect.yieldNow,
        attempt("reading", () => running.get(task)!.step())
      ),
    drop: (task) => Effect.sync(() => void running.delete(task))
  }
  const hasNotes = versionOf(db) >= notesSince
  const usedPages = db.prepare("SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size")
  return {
    node: state().node,
    read: (query) => taskStream<JournalRow>(tasks, { task: "read", query }),
    head: attempt("reading", () => state().head),
    verify: taskResult<VerifyReport>(tasks, { task: "verify" }),
    size: attempt("reading", () => ({
      bytes: Number((usedPages.get() as { readonly bytes: number }).bytes),
      first: state().base.sequence + 1
    })),
    note: (key) =>
      attempt("reading", () => {
        if (!hasNotes) return undefined
        const row = db.prepare("SELECT value FROM notes WHERE key = ?").get(key)
        return (row as { readonly value: string } | undefined)?.value
      })
  }
}
