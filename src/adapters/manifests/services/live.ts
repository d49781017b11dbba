/** `ServiceManifests` over a directory on disk. */
import { resolve } from "node:path"
import { Effect, Layer, Semaphore } from "effect"
import { ServiceManifests, type ServicesSnapshot } from "../../services/port.ts"
import { errorText, type FileReader, type ParseCache, readDirectory } from "../directory.ts"
import { directoryChanges } from "../directory-watch.ts"
import { fileCheckMillis } from "../port.ts"
import { KnownServices } from "./known-services.ts"
import { maxServiceFileBytes, maxServiceFiles } from "./limits.ts"
import { type ParsedServices, parseServices } from "./read-file.ts"

export interface ServicesDirectory {
  readonly directory: string
  /** Milliseconds between two looks without a hint; default `fileCheckMillis`. */
  readonly fileCheckMillis?: number
}

const reader: FileReader<ParsedServices> = {
  maxFiles: maxServiceFiles,
  maxFileBytes: maxServiceFileBytes,
  parse: parseServices,
  broken: (message) => ({ services: [], slices: [], problems: [{ message }], ignoredFields: [] }),
  trustsStat: true
}

export const make = Effect.fnUntraced(function* (options: ServicesDirectory) {
  const directory = resolve(options.directory)
  const cache: ParseCache<ParsedServices> = new Map()
  const known = new KnownServices()
  const one = yield* Semaphore.make(1)
  const scan: Effect.Effect<ServicesSnapshot> = one.withPermit(
    Effect.tryPromise({ try: () => readDirectory(directory, reader, cache), catch: errorText }).pipe(
      Effect.match({
        onSuccess: (files): ServicesSnapshot => ({ _tag: "Readable", directory, ...known.take(files) }),
        onFailure: (message): ServicesSnapshot => ({ _tag: "Unreadable", directory, message })
      })
    )
  )
  return ServiceManifests.of({
    directory,
    scan,
    changes: directoryChanges(directory, options.fileCheckMillis ?? fileCheckMillis)
  })
})

export const layer = (options: ServicesDirectory): Layer.Layer<ServiceManifests> =>
  Layer.effect(ServiceManifests, make(options))
