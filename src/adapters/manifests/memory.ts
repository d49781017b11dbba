/** `Manifests` in memory, for tests and simulated nodes: files are texts, read by the same code as those on disk. */
import { createHash } from "node:crypto"
import { Context, Effect, Layer, PubSub, Stream } from "effect"
import { KnownPods } from "./known-pods.ts"
import { fingerprintWith } from "./objects/fingerprint.ts"
import { parseManifest } from "./parse.ts"
import { fileCheckMillis, type ManifestSnapshot, Manifests } from "./port.ts"
import type { ReadFile } from "./snapshot.ts"

/** The other end: what a person does to the directory. */
export class ManifestsControl extends Context.Service<
  ManifestsControl,
  {
    /** Writes a file: `write("web.yaml", text)`. */
    readonly write: (name: string, text: string) => Effect.Effect<void>
    readonly remove: (name: string) => Effect.Effect<void>
    /** Makes the directory unreadable, with a message, or readable again. */
    readonly setUnreadable: (message: string | undefined) => Effect.Effect<void>
  }
>()("chronode/ManifestsControl") {}

export interface MemoryManifests {
  readonly nodeName: string
  readonly files?: Readonly<Record<string, string>>
}

const directory = "/manifests"
/** No secret is kept by it: in memory all is made up. */
const key = new TextEncoder().encode("chronode")

export const make = Effect.fnUntraced(function* (options: MemoryManifests) {
  const files = new Map(Object.entries(options.files ?? {}))
  const pods = new KnownPods(fingerprintWith(key))
  const hints = yield* PubSub.sliding<void>(1)
  let unreadable: string | undefined
  const hint = PubSub.publish(hints, undefined).pipe(Effect.asVoid)

  /** What a file held when it was last read. A simulated day looks at the same texts thousands of times. */
  const known = new Map<string, ReadFile & { readonly text: string }>()
  const read = (name: string, text: string): ReadFile => {
    const before = known.get(name)
    if (before?.text === text) return before
    const file = `${directory}/${name}`
    const hash = createHash("sha256").update(text).digest("hex")
    const taken = { file, hash, parsed: parseManifest(text, file, options.nodeName), text }
    known.set(name, taken)
    return taken
  }
  const scan = Effect.sync((): ManifestSnapshot => {
    if (unreadable !== undefined) return { _tag: "Unreadable", directory, message: unreadable }
    const names = [...files.keys()].filter((name) => !name.startsWith(".")).sort()
    return { _tag: "Readable", directory, ...pods.take(names.map((name) => read(name, files.get(name)!))) }
  })
  const changes = Stream.merge(Stream.fromPubSub(hints), Stream.tick(fileCheckMillis))

  const manifests = Manifests.of({
    directory,
    scan,
    changes,
    declared: pods.declared,
    secretsOf: pods.secretsOf,
    objects: pods.objects
  })
  const control = ManifestsControl.of({
    write: (name, text) =>
      Effect.andThen(
        Effect.sync(() => files.set(name, text)),
        hint
      ),
    remove: (name) =>
      Effect.andThen(
        Effect.sync(() => {
          known.delete(name)
          return files.delete(name)
        }),
        hint
      ),
    setUnreadable: (message) =>
      Effect.andThen(
        Effect.sync(() => {
          unreadable = message
        }),
        hint
      )
  })
  return Context.make(Manifests, manifests).pipe(Context.add(ManifestsControl, control))
})

export const layer = (options: MemoryManifests): Layer.Layer<Manifests | ManifestsControl> =>
  Layer.effectContext(make(options))
