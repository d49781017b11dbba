/**
 * Parsed files to a snapshot: pods that two files declare, bounds on what is told, and the whole pods by uid. Pure, so
 * that the live directory and the one in memory are the same but for the reading.
 */
import type { Pod } from "../../events/pod-spec.ts"
import type { ReadFile as ReadFileOf } from "./directory.ts"
import { maxMessageCharacters, maxPodListBytes, maxToldBytes } from "./limits.ts"
import type { ParsedFile } from "./parse.ts"
import type { IgnoredField, ManifestFile, ManifestProblem } from "./port.ts"

/** A file of manifests as it was read. */
export type ReadFile = ReadFileOf<ParsedFile>

export const clip = (text: string): string =>
  text.length > maxMessageCharacters ? `${text.slice(0, maxMessageCharacters)}…` : text

/** As many as fit, and how many do not. */
export const fitting = <A>(items: ReadonlyArray<A>, rest: (count: number) => A): ReadonlyArray<A> => {
  let bytes = 0
  for (const [i, item] of items.entries()) {
    bytes += Buffer.byteLength(JSON.stringify(item))
    if (bytes > maxToldBytes) return [...items.slice(0, i), rest(items.length - i)]
  }
  return items
}

export const clipProblem = (p: ManifestProblem): ManifestProblem => ({
  ...p,
  ...(p.field === undefined ? {} : { field: clip(p.field) }),
  message: clip(p.message)
})
export const clipIgnored = (f: IgnoredField): IgnoredField => ({ ...f, field: clip(f.field), message: clip(f.message) })

/** `files` sorted by name. Of two pods with one name, or one uid, the first counts; the other is a problem of its file. */
export const toSnapshot = (
  files: ReadonlyArray<ReadFile>,
  /** What is wrong with the objects beside the pods, and how many are not, by file. */
  objects: {
    readonly problems: ReadonlyMap<string, ReadonlyArray<ManifestProblem>>
    readonly counts: ReadonlyMap<string, number>
  } = { problems: new Map(), counts: new Map() }
): {
  readonly files: ReadonlyArray<ManifestFile>
  readonly pods: ReadonlyMap<string, Pod>
  readonly recorded: ReadonlyMap<string, Pod>
} => {
  const owners = new Map<string, string>()
  const pods = new Map<string, Pod>()
  const recorded = new Map<string, Pod>()
  const out: Array<ManifestFile> = []
  for (const { file, hash, parsed } of files) {
    const problems = [...parsed.problems, ...(objects.problems.get(file) ?? [])]
    const declared: Array<Pod> = []
    let bytes = 0
    for (const { pod, recorded: own, place, field } of parsed.pods) {
      const { namespace, name, uid } = pod.metadata
      const fullName = `${namespace}/${name}`
      const owner = owners.get(fullName) ?? (pods.has(uid) ? owners.get(`uid ${uid}`) : undefined)
      bytes += Buffer.byteLength(JSON.stringify({ namespace, name, uid }))
      if (owner !== undefined) {
        const where = owner === file ? "earlier in this file" : `in ${owner}`
        const what = owners.has(fullName) ? `pod ${fullName}` : `a pod with uid ${uid}`
        problems.push({ ...place, field, message: `${what} is declared ${where} already` })
      } else if (bytes > maxPodListBytes) {
        problems.push({
          ...place,
          field,
          message: "the file declares too many pods; this one and those after it are left out"
        })
        break
      } else {
        owners.set(fullName, file)
        owners.set(`uid ${uid}`, file)
        pods.set(uid, pod)
        recorded.set(uid, own)
        declared.push(own)
      }
    }
    out.push({
      file,
      hash,
      pods: declared,
      objects: objects.counts.get(file) ?? 0,
      problems: fitting(problems.map(clipProblem), (n) => ({ message: `and ${n} more problems` })),
      ignoredFields: fitting(parsed.ignoredFields.map(clipIgnored), (n) => ({
        field: "…",
        message: `and ${n} more fields`
      }))
    })
  }
  return { files: out, pods, recorded }
}
