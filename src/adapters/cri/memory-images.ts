/** The images of the in-memory runtime: what is on the node, what a pull finds, and pulls that shall fail. */
import { Effect } from "effect"
import { type Answer, type Failure, fail } from "./memory-model.ts"
import type { Image, ImageFilesystems } from "./port.ts"

/** FNV-1a over the text, spread to the 64 hexadecimal digits of a SHA-256: the same name gives the same id, everywhere. */
const digestOf = (text: string): string => {
  const words = Array.from({ length: 8 }, (_, seed) => {
    let hash = 0x811c9dc5 ^ seed
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
    return (hash >>> 0).toString(16).padStart(8, "0")
  })
  return `sha256:${words.join("")}`
}

/** The full name of an image, as containerd keeps it (github.com/distribution/reference, ParseDockerRef). */
export const fullName = (image: string): string => {
  if (image.startsWith("sha256:")) return image
  const slash = image.indexOf("/")
  const first = slash < 0 ? "" : image.slice(0, slash)
  const hasDomain = first === "localhost" || first.includes(".") || first.includes(":")
  const named = hasDomain ? image : slash < 0 ? `docker.io/library/${image}` : `docker.io/${image}`
  return /(:[^/]+|@.+)$/.test(named) ? named : `${named}:latest`
}

const sizeBytes = 2_000_000
const inodesOfImage = 20

export class MemoryImages {
  readonly #byId = new Map<string, Image>()
  readonly #registry: Set<string>
  readonly #failures = new Map<string, Array<Failure>>()

  readonly #pinned: ReadonlySet<string>

  constructor(present: ReadonlyArray<string>, registry: ReadonlyArray<string>, pinned: ReadonlyArray<string> = []) {
    this.#pinned = new Set(pinned.map(fullName))
    for (const image of present) this.add(image)
    this.#registry = new Set(registry.map(fullName))
  }

  add(image: string): string {
    const name = fullName(image)
    const id = digestOf(name)
    const tag = name.includes("@") ? { repoTags: [], repoDigests: [name] } : { repoTags: [name], repoDigests: [] }
    this.#byId.set(id, { id, ...tag, size: sizeBytes, uid: undefined, username: "", pinned: this.#pinned.has(name) })
    return id
  }

  /** By id or by name. */
  find(image: string): Image | undefined {
    const name = fullName(image)
    return this.#byId.get(image) ?? this.#byId.get(digestOf(name))
  }

  list(): ReadonlyArray<Image> {
    return [...this.#byId.values()]
  }

  filesystems(now: number): ImageFilesystems {
    const [usedBytes, inodesUsed] = [this.#byId.size * sizeBytes, this.#byId.size * inodesOfImage]
    return { images: [{ at: now, mountpoint: "/memory/images", usedBytes, inodesUsed }], containers: [] }
  }

  remove(image: string): void {
    const found = this.find(image)
    if (found !== undefined) this.#byId.delete(found.id)
  }

  failPulls(image: string, failure: Failure, times: number): void {
    this.#failures.set(
      fullName(image),
      Array.from({ length: times }, () => failure)
    )
  }

  pull(image: string): Answer<string> {
    return Effect.suspend(() => {
      const name = fullName(image)
      const failure = this.#failures.get(name)?.pop()
      if (failure !== undefined) return Effect.fail(failure)
      if (this.#registry.has(name)) return Effect.succeed(this.add(name))
      const message = `failed to pull and unpack image "${name}": failed to resolve reference "${name}": ${name}: not found`
      return fail("NotFound", message)
    })
  }
}
