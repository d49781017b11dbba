/** What an implementation of `Manifests` remembers of its scans, with the port's questions about single pods and objects. */
import { Deferred, Effect } from "effect"
import type { Pod } from "../../events/pod-spec.ts"
import { maxRememberedPods } from "./limits.ts"
import type { Fingerprint } from "./objects/fingerprint.ts"
import { KnownObjects } from "./objects/known-objects.ts"
import { underClass } from "./objects/runtime-class.ts"
import type { ParsedPod } from "./parse.ts"
import { firstScanMillis, type ManifestProblem, type ManifestSnapshot, PodNotDeclared } from "./port.ts"
import { type ReadFile, toSnapshot } from "./snapshot.ts"

const needsClass = (spec: Pod["spec"]): boolean => (spec.runtimeClassName ?? "") !== ""

type Taken = Pick<Extract<ManifestSnapshot, { readonly _tag: "Readable" }>, "files" | "objects">

/** Nobody has written to any of them. */
const areSame = (files: ReadonlyArray<ReadFile>, before: ReadonlyArray<ReadFile>): boolean =>
  files.length === before.length &&
  files.every(({ file, hash, parsed }, n) => {
    const was = before[n]
    return file === was?.file && hash === was.hash && parsed === was.parsed
  })

export class KnownPods {
  private current: ReadonlyMap<string, Pod> = new Map()
  private recorded: ReadonlyMap<string, Pod> = new Map()
  /** Not declared any more, oldest first: a pod whose manifest an edit broke runs on, and may start containers again. */
  private readonly remembered = new Map<string, Pod>()
  private readonly scanned = Deferred.makeUnsafe<void>()
  readonly objects: KnownObjects
  private taken: { readonly files: ReadonlyArray<ReadFile>; readonly told: Taken } | undefined

  constructor(fingerprint: Fingerprint) {
    this.objects = new KnownObjects(fingerprint)
  }

  /** Takes over what was read; answers it as the port tells it: the very same for what is the same as at the last look. */
  take(files: ReadonlyArray<ReadFile>): Taken {
    if (this.taken === undefined || !areSame(files, this.taken.files)) this.taken = { files, told: this.takeNew(files) }
    return this.taken.told
  }

  private takeNew(files: ReadonlyArray<ReadFile>): Taken {
    const { objects, ...aboutObjects } = this.objects.take(files)
    const snapshot = toSnapshot(files.map(this.withClasses), aboutObjects)
    for (const [uid, pod] of this.current) if (!snapshot.pods.has(uid)) this.remembered.set(uid, pod)
    for (const uid of snapshot.pods.keys()) this.remembered.delete(uid)
    for (const uid of this.remembered.keys()) {
      if (this.remembered.size <= maxRememberedPods) break
      this.remembered.delete(uid)
    }
    this.current = snapshot.pods
    this.recorded = snapshot.recorded
    Deferred.doneUnsafe(this.scanned, Effect.void)
    return { files: snapshot.files, objects }
  }

  /** The pods of a file under the RuntimeClasses that they name. */
  private readonly withClasses = (file: ReadFile): ReadFile => {
    if (file.parsed.pods.every(({ pod: { spec } }) => !needsClass(spec))) return file
    const pods: Array<ParsedPod> = []
    const problems: Array<ManifestProblem> = []
    for (const parsed of file.parsed.pods) {
      const { pod, recorded, field } = parsed
      const runtimeClass = this.objects.runtimeClassNow(pod.spec.runtimeClassName ?? "")
      const [whole, told] = [underClass(pod.spec, runtimeClass), underClass(recorded.spec, runtimeClass)]
      if ("spec" in whole && "spec" in told) {
        pods.push({ ...parsed, pod: { ...pod, spec: whole.spec }, recorded: { ...recorded, spec: told.spec } })
      } else if ("message" in whole) {
        const prefix = field.slice(0, -"metadata.name".length)
        problems.push({ ...parsed.place, field: `${prefix}${whole.field}`, message: whole.message })
      }
    }
    const { parsed } = file
    return { ...file, parsed: { ...parsed, pods, problems: [...parsed.problems, ...problems] } }
  }

  readonly declared = (uid: string): Effect.Effect<Pod | undefined> => Effect.sync(() => this.recorded.get(uid))

  readonly secretsOf = (uid: string): Effect.Effect<Pod, PodNotDeclared> =>
    Deferred.await(this.scanned).pipe(
      Effect.timeoutOrElse({
        duration: firstScanMillis,
        orElse: () => new PodNotDeclared({ uid, message: `no manifest was read within ${firstScanMillis / 1000} s` })
      }),
      Effect.flatMap(() => {
        const pod = this.current.get(uid) ?? this.remembered.get(uid)
        return pod === undefined
          ? new PodNotDeclared({ uid, message: `no manifest that was read declares a pod with uid ${uid}` })
          : Effect.succeed(pod)
      })
    )
}
