/** `Manifests` over a directory on disk. */
import { type FSWatcher, watch } from "node:fs"
import { resolve } from "node:path"
import { Effect, Layer, Queue, Semaphore, Stream } from "effect"
import { errorText, type ParseCache, readDirectory } from "./directory.ts"
import { KnownPods } from "./known-pods.ts"
import { fingerprintWith, nodeKey } from "./objects/fingerprint.ts"
import { debounceMillis, fileCheckMillis, type ManifestSnapshot, Manifests } from "./port.ts"

export interface ManifestDirectory {
  readonly directory: string
  readonly nodeName: string
  /** File with the node's key for fingerprints of contents; made where there is none. */
  readonly keyFile: string
  /** Milliseconds between two looks without a hint; default `fileCheckMillis`. */
  readonly fileCheckMillis?: number
}

/**
 * Ticks after changes in the directory, once it has been quiet for a moment. inotify is a hint only: where it fails, or
 * the directory is not there yet, the periodic look is enough, and watching is tried again with each.
 */
class DirectoryWatch {
  private watcher: FSWatcher | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
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
    clearTimeout(this.timer)
    this.timer = setTimeout(this.tick, debounceMillis)
  }
}

export const make = Effect.fnUntraced(function* (options: ManifestDirectory) {
  const directory = resolve(options.directory)
  const cache: ParseCache = new Map()
  const known = new KnownPods(fingerprintWith(yield* Effect.sync(() => nodeKey(options.keyFile))))
  const one = yield* Semaphore.make(1)

  const scan: Effect.Effect<ManifestSnapshot> = one.withPermit(
    Effect.tryPromise({
      try: () => readDirectory(directory, options.nodeName, cache),
      catch: errorText
    }).pipe(
      Effect.match({
        onSuccess: (files): ManifestSnapshot => ({ _tag: "Readable", directory, ...known.take(files) }),
        onFailure: (message): ManifestSnapshot => ({ _tag: "Unreadable", directory, message })
      })
    )
  )

  const changes = Stream.callback<void>(
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
          yield* Effect.sleep(options.fileCheckMillis ?? fileCheckMillis)
          // A directory that was replaced is watched no more, without an error: watch the present one.
          watching.drop()
        }
      }),
    { bufferSize: 1, strategy: "sliding" }
  )

  return Manifests.of({
    directory,
    scan,
    changes,
    declared: known.declared,
    secretsOf: known.secretsOf,
    objects: known.objects
  })
})

export const layer = (options: ManifestDirectory): Layer.Layer<Manifests> => Layer.effect(Manifests, make(options))
