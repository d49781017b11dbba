/**
 * The journal on SQLite, in a worker thread of its own: WAL, `synchronous=FULL`, group commit. The database is
 * described in sqlite-schema.ts, its files in sqlite-files.ts.
 *
 * Nothing else in this process may open the database's files, not even to read them, except through `node:sqlite`:
 * closing a descriptor drops SQLite's locks (https://www.sqlite.org/howtocorrupt.html §2.2).
 */
import { Clock, Duration, Effect, Layer, Result, type Scope, Stream, SubscriptionRef } from "effect"
import { closedError, makeAppendQueue } from "./append-queue.ts"
import { checkDrafts } from "./draft.ts"
import { makeHeadWaiters } from "./head-waiters.ts"
import { maxNoteBytes, noteTooLarge } from "./notes.ts"
import {
  Journal,
  type JournalError,
  type JournalQuery,
  type JournalRow,
  type SpaceReport,
  type VerifyReport
} from "./port.ts"
import type { Calls, Durability, TaskValue } from "./sqlite-protocol.ts"
import { taskResult, taskStream } from "./task-stream.ts"
import { callEffect, startWorker, type WorkerLink } from "./worker-link.ts"

export interface SqliteJournalOptions {
  /** The database's path; its directory is made (0700) if it is not there. */
  readonly path: string
  /** The node's name, as it stands in every event's source. */
  readonly node: string
  readonly durability?: Durability
  /** Room kept for the worst hour, in bytes; 0 for none. */
  readonly reserveBytes?: number
  /** Free space below which the journal is `low`, in bytes. */
  readonly lowBytes?: number
  readonly spaceCheckPeriod?: Duration.Duration
  readonly fullRetryPeriod?: Duration.Duration
  readonly syncPeriod?: Duration.Duration
  readonly closeTimeout?: Duration.Duration
}

export const defaultReserveBytes = 8 * 1024 * 1024
export const defaultLowBytes = 32 * 1024 * 1024
/** How often free space is looked at. */
export const spaceCheckPeriod = Duration.seconds(5)
/** How often an append that found the disk full is tried again. */
export const fullRetryPeriod = Duration.seconds(1)
/** With `durability: "interval"`: what was answered is on the disk after so long. */
export const syncPeriod = Duration.seconds(1)
/** Closing waits so long for appends that are under way (they may be waiting for room). */
export const closeTimeout = Duration.seconds(10)

export const makeSqliteJournal = (
  options: SqliteJournalOptions
): Effect.Effect<Journal["Service"], JournalError, Scope.Scope> =>
  Effect.gen(function* () {
    const { path, node } = options
    const lowBytes = options.lowBytes ?? defaultLowBytes
    let onDeath = (_: JournalError): void => {}
    const link = yield* startWorker(
      {
        path,
        node,
        durability: options.durability ?? "always",
        reserveBytes: options.reserveBytes ?? defaultReserveBytes,
        lowBytes,
        syncPeriod: Duration.toMillis(options.syncPeriod ?? syncPeriod)
      },
      (error) => onDeath(error)
    )

    const space = yield* SubscriptionRef.make<SpaceReport>({ state: "ok", freeBytes: 0 })
    const report = (freeBytes: number, reserve: boolean): SpaceReport => ({
      state: queue.isFull() ? "full" : reserve && freeBytes >= lowBytes ? "ok" : "low",
      freeBytes
    })
    const checkSpace = callEffect(link, "space", undefined).pipe(
      Effect.flatMap(({ freeBytes, reserve }) => SubscriptionRef.set(space, report(freeBytes, reserve)))
    )
    const checkSpaceSoon = (): void => {
      Effect.runFork(Effect.ignore(checkSpace))
    }
    const waiters = makeHeadWaiters()
    const queue = makeAppendQueue({
      path,
      node,
      head: link.state.head,
      fullRetryPeriod: Duration.toMillis(options.fullRetryPeriod ?? fullRetryPeriod),
      commit: (rows, done) => link.call("append", rows, done),
      onCommitted: (head, reserveUsed) => {
        waiters.wake(head)
        if (reserveUsed || SubscriptionRef.getUnsafe(space).state === "full") checkSpaceSoon()
      },
      onFull: (freeBytes) => {
        if (SubscriptionRef.getUnsafe(space).state === "full") return
        Effect.runFork(SubscriptionRef.set<SpaceReport>(space, { state: "full", freeBytes }))
      }
    })
    onDeath = (error) => {
      queue.abandon(error)
      waiters.fail(error)
    }
    yield* Effect.addFinalizer(() => close(link, queue, waiters, path, options.closeTimeout ?? closeTimeout))
    yield* checkSpace
    yield* checkSpace.pipe(
      Effect.catch((error) => Effect.logWarning(`free space of the journal is unknown: ${error.message}`)),
      Effect.delay(options.spaceCheckPeriod ?? spaceCheckPeriod),
      Effect.forever,
      Effect.forkScoped
    )

    return Journal.of({
      node,
      append: (drafts) =>
        Clock.clockWith((clock) =>
          Effect.callback((resume) => {
            const checked = checkDrafts(path, drafts)
            if (Result.isFailure(checked)) return resume(Effect.fail(checked.failure))
            if (drafts.length === 0) return resume(Effect.succeed([]))
            queue.append(checked.success, clock.currentTimeMillisUnsafe(), (result) =>
              resume(Result.isSuccess(result) ? Effect.succeed(result.success) : Effect.fail(result.failure))
            )
          })
        ),
      read: (query: JournalQuery) => taskStream<JournalRow>(workerTasks(link), { task: "read", query }),
      head: Effect.sync(queue.head),
      awaitBeyond: (sequence) => waiters.await(sequence, queue.head),
      verify: taskResult<VerifyReport>(workerTasks(link), { task: "verify" }),
      prune: (through) =>
        taskResult<{ readonly events: number; readonly hash: string }>(workerTasks(link), { task: "prune", through }),
      size: callEffect(link, "size", undefined),
      space: SubscriptionRef.get(space),
      spaceChanges: SubscriptionRef.changes(space).pipe(Stream.changesWith((a, b) => a.state === b.state)),
      note: (key) => callEffect(link, "note", key),
      setNote: (key, value) =>
        Buffer.byteLength(value) > maxNoteBytes
          ? Effect.fail(noteTooLarge(path, key, value))
          : callEffect(link, "setNote", { key, value })
    })
  })

const workerTasks = (link: WorkerLink) => ({
  begin: (what: Calls["begin"][0]) => callEffect(link, "begin", what),
  step: (task: number): Effect.Effect<{ done: boolean; value: TaskValue }, JournalError> =>
    callEffect(link, "step", task),
  drop: (task: number) => Effect.ignore(callEffect(link, "drop", task))
})

/** Flushes what was appended (or fails it when there is no room for too long), and lets the file go. */
const close = (
  link: WorkerLink,
  queue: ReturnType<typeof makeAppendQueue>,
  waiters: ReturnType<typeof makeHeadWaiters>,
  path: string,
  patience: Duration.Duration
): Effect.Effect<void> =>
  Effect.callback<void>((resume) => queue.drain(() => resume(Effect.void))).pipe(
    Effect.timeoutOption(patience),
    Effect.andThen(
      Effect.sync(() => {
        queue.abandon(closedError(path))
        waiters.fail(closedError(path))
      })
    ),
    Effect.andThen(callEffect(link, "close", undefined)),
    Effect.catch((error) => Effect.logWarning(`closing the journal: ${error.message}`)),
    Effect.andThen(link.terminate)
  )

export const SqliteJournal = {
  /** The node's journal at `path`; closed (and flushed) with the layer's scope. */
  layer: (options: SqliteJournalOptions): Layer.Layer<Journal, JournalError> =>
    Layer.effect(Journal, makeSqliteJournal(options))
}
