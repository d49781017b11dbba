/** `ServiceManifests` in memory, for tests and simulated nodes: files are texts, read by the same code as those on disk. */
import { createHash } from "node:crypto"
import { Context, Effect, Layer, PubSub, Semaphore, Stream } from "effect"
import { ServiceManifests, type ServicesSnapshot } from "../../services/port.ts"
import type { ReadFile } from "../directory.ts"
import { fileCheckMillis } from "../port.ts"
import { KnownServices } from "./known-services.ts"
import { type ParsedServices, parseServices } from "./read-file.ts"

/** The other end: what a person does to the directory. */
export class ServiceManifestsControl extends Context.Service<
  ServiceManifestsControl,
  {
    /** Writes a file: `write("web.yaml", text)`. */
    readonly write: (name: string, text: string) => Effect.Effect<void>
    readonly remove: (name: string) => Effect.Effect<void>
    /** Makes the directory unreadable, with a message, or readable again. */
    readonly setUnreadable: (message: string | undefined) => Effect.Effect<void>
  }
>()("chronode/ServiceManifestsControl") {}

const directory = "/services"

export const make = Effect.fnUntraced(function* (files: Readonly<Record<string, string>> = {}) {
  const texts = new Map(Object.entries(files))
  const read = new Map<string, ReadFile<ParsedServices> & { readonly text: string }>()
  const known = new KnownServices()
  const hints = yield* PubSub.sliding<void>(1)
  const one = yield* Semaphore.make(1)
  let unreadable: string | undefined

  const readAll = async (): Promise<ReadonlyArray<ReadFile<ParsedServices>>> => {
    const all: Array<ReadFile<ParsedServices>> = []
    for (const name of [...texts.keys()].filter((n) => !n.startsWith(".")).sort()) {
      const text = texts.get(name)!
      let now = read.get(name)
      if (now?.text !== text) {
        const file = `${directory}/${name}`
        const hash = createHash("sha256").update(text).digest("hex")
        now = { file, hash, parsed: await parseServices(text, file), text }
        read.set(name, now)
      }
      all.push(now)
    }
    return all
  }

  const scan = one.withPermit(
    Effect.suspend(
      (): Effect.Effect<ServicesSnapshot> =>
        unreadable !== undefined
          ? Effect.succeed({ _tag: "Unreadable", directory, message: unreadable })
          : Effect.map(Effect.promise(readAll), (all) => ({ _tag: "Readable", directory, ...known.take(all) }))
    )
  )
  const change = (act: () => void): Effect.Effect<void> =>
    Effect.andThen(Effect.sync(act), Effect.asVoid(PubSub.publish(hints, undefined)))

  const manifests = ServiceManifests.of({
    directory,
    scan,
    changes: Stream.merge(Stream.fromPubSub(hints), Stream.tick(fileCheckMillis))
  })
  const control = ServiceManifestsControl.of({
    write: (name, text) => change(() => void texts.set(name, text)),
    remove: (name) => change(() => void texts.delete(name)),
    setUnreadable: (message) =>
      change(() => {
        unreadable = message
      })
  })
  return Context.make(ServiceManifests, manifests).pipe(Context.add(ServiceManifestsControl, control))
})

export const layer = (
  files?: Readonly<Record<string, string>>
): Layer.Layer<ServiceManifests | ServiceManifestsControl> => Layer.effectContext(make(files))
