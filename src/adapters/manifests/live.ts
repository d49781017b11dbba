/** `Manifests` over a directory on disk. */
import { resolve } from "node:path"
import { Effect, Layer, Semaphore } from "effect"
import { errorText, type FileReader, type ParseCache, readDirectory } from "./directory.ts"
import { directoryChanges } from "./directory-watch.ts"
import { KnownPods } from "./known-pods.ts"
import { maxFileBytes, maxFiles } from "./limits.ts"
import { fingerprintWith, nodeKey } from "./objects/fingerprint.ts"
import { type ParsedFile, parseManifest } from "./parse.ts"
import { fileCheckMillis, type ManifestSnapshot, Manifests } from "./port.ts"

export interface ManifestDirectory {
  readonly directory: string
  readonly nodeName: string
  /** File with the node's key for fingerprints of contents; made where there is none. */
  readonly keyFile: string
  /** Milliseconds between two looks without a hint; default `fileCheckMillis`. */
  readonly fileCheckMillis?: number
}

const readerFor = (node: string): FileReader<ParsedFile> => ({
  maxFiles,
  maxFileBytes,
  parse: (text, file) => parseManifest(text, file, node),
  broken: (message) => ({ pods: [], objects: [], problems: [{ message }], ignoredFields: [] }),
  trustsStat: false
})

export const make = Effect.fnUntraced(function* (options: ManifestDirectory) {
  const directory = resolve(options.directory)
  const reader = readerFor(options.nodeName)
  const cache: ParseCache<ParsedFile> = new Map()
  const known = new KnownPods(fingerprintWith(yield* Effect.sync(() => nodeKey(options.keyFile))))
  const one = yield* Semaphore.make(1)

  const scan: Effect.Effect<ManifestSnapshot> = one.withPermit(
    Effect.tryPromise({
      try: () => readDirectory(directory, reader, cache),
      catch: errorText
    }).pipe(
      Effect.match({
        onSuccess: (files): ManifestSnapshot => ({ _tag: "Readable", directory, ...known.take(files) }),
        onFailure: (message): ManifestSnapshot => ({ _tag: "Unreadable", directory, message })
      })
    )
  )

  return Manifests.of({
    directory,
    scan,
    changes: directoryChanges(directory, options.fileCheckMillis ?? fileCheckMillis),
    declared: known.declared,
    secretsOf: known.secretsOf,
    objects: known.objects
  })
})

export const layer = (options: ManifestDirectory): Layer.Layer<Manifests> => Layer.effect(Manifests, make(options))
