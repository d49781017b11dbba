/**
 * What a volume of files holds: keys of ConfigMaps and Secrets, fields and resources of the pod itself (MakePayload of
 * `pkg/volume/configmap` and `secret`, CollectData of `pkg/volume/downwardapi`, collectData of `pkg/volume/projected`).
 * Pure. What is missing is said in kubelet's words.
 */
import { Result } from "effect"
import type { ProjectedFile } from "../../adapters/volumes/port.ts"
import type { DownwardAPIVolumeFile, Volume } from "../../events/pod-spec.ts"
import { fieldValue, resourceFieldValue } from "../pod/environment/downward.ts"
import type { PolicyPod } from "../pod/spec-extension.ts"

type ObjectKind = "ConfigMap" | "Secret"

/** An object that a volume takes files from. */
export interface Reference {
  readonly kind: ObjectKind
  readonly name: string
}

interface KeyToPath {
  readonly key: string
  readonly path: string
  readonly mode?: number
}
interface ObjectSource extends Reference {
  readonly items?: ReadonlyArray<KeyToPath>
  readonly optional?: boolean
}
type Part =
  | { readonly kind: "object"; readonly from: ObjectSource }
  | { readonly kind: "downward"; readonly files: ReadonlyArray<DownwardAPIVolumeFile> }

/** Values by key, by `kind name`; an object that is not there is not in it. */
export type Found = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>
export const foundKey = ({ kind, name }: Reference): string => `${kind} ${name}`

export interface ContentProblem {
  readonly message: string
  /** Nothing is to be done but to wait until an object comes or changes. */
  readonly awaitsObject: boolean
}

const partsOf = (volume: Volume): ReadonlyArray<Part> | undefined => {
  const { configMap, secret, downwardAPI, projected } = volume
  if (configMap !== undefined) return [{ kind: "object", from: { ...configMap, kind: "ConfigMap" } }]
  if (secret !== undefined) {
    const { secretName, ...rest } = secret
    return [{ kind: "object", from: { ...rest, kind: "Secret", name: secretName } }]
  }
  if (downwardAPI !== undefined) return [{ kind: "downward", files: downwardAPI.items ?? [] }]
  return (
    projected?.sources?.flatMap((source): ReadonlyArray<Part> => {
      if (source.configMap !== undefined) return [{ kind: "object", from: { ...source.configMap, kind: "ConfigMap" } }]
      if (source.secret !== undefined) return [{ kind: "object", from: { ...source.secret, kind: "Secret" } }]
      return source.downwardAPI === undefined ? [] : [{ kind: "downward", files: source.downwardAPI.items ?? [] }]
    }) ?? (projected === undefined ? undefined : [])
  )
}

/** Whether the volume is made of files that others give. Containers can only read it. */
export const isOfFiles = ({ configMap, secret, downwardAPI, projected }: Volume): boolean =>
  [configMap, secret, downwardAPI, projected].some((source) => source !== undefined)

/** Objects of the pod's namespace that the volume takes files from. */
export const referencesOf = (volume: Volume): ReadonlyArray<Reference> =>
  (partsOf(volume) ?? []).flatMap((part) =>
    part.kind === "object" ? [{ kind: part.from.kind, name: part.from.name }] : []
  )

/** Whether labels or annotations of the pod are among its files. */
export const showsMetadata = (volume: Volume): boolean =>
  (partsOf(volume) ?? []).some(
    (part) =>
      part.kind === "downward" &&
      part.files.some(({ fieldRef }) => /^metadata\.(?:labels|annotations)/u.test(fieldRef?.fieldPath ?? ""))
  )

const fileMode = 0o644

const objectFiles = (
  { kind, name, items = [], optional = false }: ObjectSource,
  found: Found,
  defaultMode: number
): Result.Result<ReadonlyArray<ProjectedFile>, ContentProblem> => {
  const values = found.get(foundKey({ kind, name }))
  if (values === undefined && !optional) {
    const message = `${kind.toLowerCase()} ${JSON.stringify(name)} not found`
    return Result.fail({ message, awaitsObject: true })
  }
  if (items.length === 0) {
    return Result.succeed([...(values ?? [])].map(([path, data]) => ({ path, data, mode: defaultMode })))
  }
  const files: Array<ProjectedFile> = []
  for (const { key, path, mode = defaultMode } of items) {
    const data = values?.get(key)
    if (data !== undefined) files.push({ path, data, mode })
    else if (!optional) {
      const message = `references non-existent ${kind === "ConfigMap" ? "config" : "secret"} key: ${key}`
      return Result.fail({ message, awaitsObject: true })
    }
  }
  return Result.succeed(files)
}

/** These fields are the pod's own: where it runs is not asked for. */
const nowhere = { nodeName: "", hostIps: [], podIps: [] }
const utf8 = new TextEncoder()

const downwardFile = (
  { path, fieldRef, resourceFieldRef, mode }: DownwardAPIVolumeFile,
  pod: PolicyPod,
  allocatable: Readonly<Record<string, string>>,
  defaultMode: number
): Result.Result<ProjectedFile, ContentProblem> => {
  const text =
    fieldRef !== undefined
      ? fieldValue(pod, fieldRef.fieldPath, nowhere)
      : resourceFieldRef === undefined
        ? ""
        : resourceFieldValue(pod, undefined, resourceFieldRef, allocatable)
  if (text !== undefined) return Result.succeed({ path, data: utf8.encode(text), mode: mode ?? defaultMode })
  const message =
    fieldRef === undefined
      ? `container ${resourceFieldRef?.containerName ?? ""} not found`
      : `unsupported fieldPath: ${fieldRef.fieldPath}`
  return Result.fail({ message, awaitsObject: false })
}

/** Go's aggregate of errors. */
const aggregate = (problems: ReadonlyArray<ContentProblem>): ContentProblem => {
  const messages = [...new Set(problems.map(({ message }) => message))]
  const [only] = messages
  return {
    message: messages.length === 1 ? only! : `[${messages.join(", ")}]`,
    awaitsObject: problems.every(({ awaitsObject }) => awaitsObject)
  }
}

/**
 * The files of a volume; of two with one path the last source's counts. `allocatable`: quantities of the node by resource.
 * The volume is one of files (`isOfFiles`).
 */
export const contentOf = (
  volume: Volume,
  found: Found,
  pod: PolicyPod,
  allocatable: Readonly<Record<string, string>>
): Result.Result<ReadonlyArray<ProjectedFile>, ContentProblem> => {
  const { configMap, secret, downwardAPI, projected } = volume
  const defaultMode = (configMap ?? secret ?? downwardAPI ?? projected)?.defaultMode ?? fileMode
  const files = new Map<string, ProjectedFile>()
  const problems: Array<ContentProblem> = []
  const take = (file: ProjectedFile): void => void files.set(file.path, file)
  for (const part of partsOf(volume) ?? []) {
    if (part.kind === "object") {
      const read = objectFiles(part.from, found, defaultMode)
      if (Result.isFailure(read)) problems.push(read.failure)
      else read.success.forEach(take)
      continue
    }
    for (const written of part.files) {
      const read = downwardFile(written, pod, allocatable, defaultMode)
      if (Result.isFailure(read)) problems.push(read.failure)
      else take(read.success)
    }
  }
  return problems.length > 0 ? Result.fail(aggregate(problems)) : Result.succeed([...files.values()])
}

/** The same text for the same files, whatever their order: what a hash is made of. */
export const contentText = (files: ReadonlyArray<ProjectedFile>): string =>
  JSON.stringify(
    files
      .map(({ path, data, mode }) => [path, mode, Buffer.from(data).toString("base64")] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  )
