/**
 * What an implementation of `Manifests` remembers of the objects beside pods. The rules are those of pods: of two with
 * one name the first file's counts, and a file that has a broken document keeps what its last good version declared.
 * An object that says so is immutable, as at the API server: it can go and come again, but not change.
 */
import { Deferred, Effect } from "effect"
import { maxAllObjectsBytes, maxKeyCharacters, maxKeysTold, maxObjects } from "../limits.ts"
import {
  type DeclaredObject,
  firstScanMillis,
  type ManifestProblem,
  type Objects,
  ObjectsUnknown,
  type Service
} from "../port.ts"
import type { ReadFile } from "../snapshot.ts"
import type { Fingerprint } from "./fingerprint.ts"
import type { ObjectContent, ParsedObject } from "./read-object.ts"
import type { RuntimeClassContent } from "./runtime-class.ts"

type Stored<Kind = ObjectContent["kind"]> = Extract<ObjectContent, { readonly kind: Kind }> & { readonly hash: string }

interface Known {
  readonly object: Stored
  readonly told: DeclaredObject
  readonly bytes: number
}

const keyOf = (kind: string, namespace: string, name: string): string => `${kind} ${namespace}/${name}`

const base64 = (values: Readonly<Record<string, Uint8Array>>) =>
  Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")] as const)

const sorted = <A>(entries: ReadonlyArray<readonly [string, A]>) => entries.toSorted(([a], [b]) => (a < b ? -1 : 1))

/** Everything of the content that counts, the same however a manifest writes it. */
const contentOf = (object: ObjectContent): string => {
  switch (object.kind) {
    case "ConfigMap": {
      const { data, binaryData, immutable } = object
      return JSON.stringify([sorted(Object.entries(data)), sorted(base64(binaryData)), immutable])
    }
    case "Secret":
      return JSON.stringify([object.type, sorted(base64(object.data)), object.immutable])
    case "Service":
      return JSON.stringify([object.type, object.clusterIP, object.ports])
    case "RuntimeClass": {
      const { handler, overhead = {}, nodeSelector = {}, tolerations = [] } = object
      const lists = [overhead, nodeSelector].map((list) => sorted(Object.entries(list)))
      return JSON.stringify([handler, ...lists, tolerations])
    }
  }
}

const keysOf = (object: ObjectContent): ReadonlyArray<string> => {
  const names = object.kind === "ConfigMap" || object.kind === "Secret" ? object.data : {}
  const binary = object.kind === "ConfigMap" ? object.binaryData : {}
  return [...Object.keys(names), ...Object.keys(binary)].sort()
}

const isImmutable = (object: ObjectContent): boolean =>
  (object.kind === "ConfigMap" || object.kind === "Secret") && object.immutable

const shortened = (key: string): string => (key.length > maxKeyCharacters ? `${key.slice(0, maxKeyCharacters)}…` : key)

const describe = (object: Stored, file: string): DeclaredObject => {
  const keys = keysOf(object)
  return {
    kind: object.kind,
    namespace: object.namespace,
    name: object.name,
    file,
    hash: object.hash,
    keys: keys.slice(0, maxKeysTold).map(shortened),
    ...(keys.length > maxKeysTold ? { keyCount: keys.length } : {}),
    ...(isImmutable(object) ? { immutable: true } : {}),
    ...(object.kind === "Secret" || object.kind === "Service" ? { type: object.type } : {}),
    ...(object.kind === "RuntimeClass" ? { handler: object.handler } : {})
  }
}

export class KnownObjects implements Objects {
  readonly fingerprint: Fingerprint
  private current: ReadonlyMap<string, Known> = new Map()
  private readonly scanned = Deferred.makeUnsafe<void>()
  /** What was parsed stays the same object as long as its file does: its content is hashed once. */
  private readonly stored = new WeakMap<ObjectContent, { readonly object: Stored; readonly bytes: number }>()

  constructor(fingerprint: Fingerprint) {
    this.fingerprint = fingerprint
  }

  /** Takes over what was read. Answers what to tell of it, and what is wrong with it, by file. */
  take(files: ReadonlyArray<ReadFile>) {
    const next = new Map<string, Known>()
    const problems = new Map<string, Array<ManifestProblem>>()
    const counts = new Map<string, number>()
    const room = { objects: maxObjects, bytes: maxAllObjectsBytes }
    for (const { file, parsed } of files) {
      const wrong: Array<ManifestProblem> = []
      let count = 0
      for (const one of parsed.objects) {
        const problem = this.add(one, file, next, room)
        if (problem === undefined) count += 1
        else wrong.push(problem)
      }
      problems.set(file, wrong)
      counts.set(file, count)
    }
    this.keepOfBroken(files, next)
    this.current = next
    Deferred.doneUnsafe(this.scanned, Effect.void)
    const told = sorted([...next].map(([key, known]) => [key, known.told] as const)).map(([, object]) => object)
    return { objects: told, problems, counts }
  }

  private add(
    { object: content, place, field }: ParsedObject,
    file: string,
    next: Map<string, Known>,
    room: { objects: number; bytes: number }
  ): ManifestProblem | undefined {
    const key = keyOf(content.kind, content.namespace, content.name)
    const at = { ...place, field }
    const what = `${content.kind} ${content.namespace}/${content.name}`
    const owner = next.get(key)?.told.file
    if (owner !== undefined) {
      return {
        ...at,
        message: `${what} is declared ${owner === file ? "earlier in this file" : `in ${owner}`} already`
      }
    }
    const { object, bytes } = this.withHash(content)
    const before = this.current.get(key)
    const isFrozen = before !== undefined && isImmutable(before.object) && before.object.hash !== object.hash
    const taken = isFrozen ? before : { object, bytes }
    room.objects -= 1
    room.bytes -= taken.bytes
    if (room.objects < 0) return { ...at, message: `more than ${maxObjects} objects are declared: ${what} is left out` }
    if (room.bytes < 0) {
      return { ...at, message: `all objects have more than ${maxAllObjectsBytes} bytes of values: ${what} is left out` }
    }
    next.set(key, { ...taken, told: describe(taken.object, file) })
    // kubelet's neighbour's words: ValidateSecretUpdate and ValidateConfigMapUpdate.
    if (isFrozen) return { ...at, message: `${what} is not changed: field is immutable when \`immutable\` is set` }
    return undefined
  }

  private withHash(content: ObjectContent) {
    const known = this.stored.get(content)
    if (known !== undefined) return known
    const text = contentOf(content)
    const stored = { object: { ...content, hash: this.fingerprint(text) }, bytes: Buffer.byteLength(text) }
    this.stored.set(content, stored)
    return stored
  }

  /** What a broken document declared cannot be known: whatever is missing may be in it, and stays. */
  private keepOfBroken(files: ReadonlyArray<ReadFile>, next: Map<string, Known>): void {
    const broken = new Set(files.filter(({ parsed }) => parsed.problems.length > 0).map(({ file }) => file))
    for (const [key, known] of this.current) {
      if (broken.has(known.told.file) && !next.has(key) && next.size < maxObjects) next.set(key, known)
    }
  }

  private readonly whenScanned: Effect.Effect<void, ObjectsUnknown> = Effect.suspend(() =>
    Deferred.await(this.scanned).pipe(
      Effect.timeoutOrElse({
        duration: firstScanMillis,
        orElse: () => new ObjectsUnknown({ message: `no manifest was read within ${firstScanMillis / 1000} s` })
      })
    )
  )

  private find<Kind extends ObjectContent["kind"]>(kind: Kind, namespace: string, name: string) {
    return Effect.map(
      this.whenScanned,
      () => this.current.get(keyOf(kind, namespace, name))?.object as Stored<Kind> | undefined
    )
  }

  /** Of the scan that was taken in last. */
  runtimeClassNow(name: string): RuntimeClassContent | undefined {
    const object = this.current.get(keyOf("RuntimeClass", "", name))?.object
    return object?.kind === "RuntimeClass" ? object : undefined
  }

  readonly runtimeClass: Objects["runtimeClass"] = (name) => this.find("RuntimeClass", "", name)
  readonly configMap: Objects["configMap"] = (namespace, name) => this.find("ConfigMap", namespace, name)
  readonly secret: Objects["secret"] = (namespace, name) => this.find("Secret", namespace, name)
  readonly services: Objects["services"] = (namespace) =>
    Effect.map(this.whenScanned, () =>
      [...this.current.values()]
        .flatMap(
          ({ object }): ReadonlyArray<Service> =>
            object.kind === "Service" && object.namespace === namespace ? [object] : []
        )
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    )
}
