/** When a directory is to be looked at again. */
import { type FSWatcher, watch } from "node:fs"
import { Effect, Queue, Stream } from "effect"
import { debounceMillis } from "./port.ts"

/** Milliseconds after which changes are looked at although there is no quiet: somebody may write all the time. */
const maxDebounceMillis = 1_000

/**
 * Ticks after changes in the directory, once it has been quiet for a moment. inotify is a hint only: where it fails, or
 * the directory is not there yet, the periodic look is enough, and watching is tried again with each.
 */
class DirectoryWatch {
  private watcher: FSWatcher | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  /** Of the first change that no tick followed yet; milliseconds of the monotonic clock. */
  private since: number | undefined
  private readonly directory: string
  private readonly tick: () => void

  constructor(directory: string, tick: () => void) {
    this.directory = directory
    this.tick = tick
  }

  ensure(): void {
    if (this.watcher !== undefined) return
    try {
      const watcher = watch(this.directory, { persistent: false }, () => this.hint())
      watcher.on("error", () => this.drop())
      this.watcher = watcher
    } catch {
      // Said by the scan, which meets the same error and tells it.
      this.watcher = undefined
    }
  }

  drop(): void {
    this.watcher?.close()
    this.watcher = undefined
  }

  close(): void {
    this.drop()
    clearTimeout(this.timer)
  }

  private hint(): void {
    const now = performance.now()
    this.since ??= now
    clearTimeout(this.timer)
    const wait = Math.max(0, Math.min(debounceMillis, this.since + maxDebounceMillis - now))
    this.timer = setTimeout(() => {
      this.since = undefined
      this.tick()
    }, wait)
  }
}

/** A tick at once, after changes, and every `period` milliseconds. Never ends; ticks that nobody took are one. */
export const directoryChanges = (directory: string, period: number): Stream.Stream<void> =>
  Stream.callback<void>(
    (queue) =>
      Effect.gen(function* () {
        const tick = (): void => {
          Queue.offerUnsafe(queue, undefined)
        }
        const watching = yield* Effect.acquireRelease(
          Effect.sync(() => new DirectoryWatch(directory, tick)),
          (w) => Effect.sync(() => w.close())
        )
        while (true) {
          watching.ensure()
          tick()
          yield* Effect.sleep(period)
          // A directory that was replaced is watched no more, without an error: watch the present one.
          watching.drop()
        }
      }),
    { bufferSize: 1, strategy: "sliding" }
  )
