/**
 * Files that are made of objects and of the pod itself (validateConfigMapVolumeSource, validateDownwardAPIVolumeFile and
 * validateProjectionSources of `pkg/apis/core/validation/validation.go`).
 */
import { isDivisor, isResourceField } from "./resource-reference.ts"
import type { Complain, WrittenVolume } from "./written.ts"

type Item = NonNullable<NonNullable<WrittenVolume["configMap"]>["items"]>[number]
type File = NonNullable<NonNullable<WrittenVolume["downwardAPI"]>["items"]>[number]
type Projected = NonNullable<WrittenVolume["projected"]>

interface Source {
  readonly items?: ReadonlyArray<Item>
  readonly files?: ReadonlyArray<File>
  readonly defaultMode?: number
}

export const validateSource = (
  { items = [], files = [], defaultMode }: Source,
  path: string,
  complain: Complain
): void => {
  checkMode(defaultMode, `${path}.defaultMode`, complain)
  for (const [i, item] of items.entries()) validateItem(item, `${path}.items[${i}]`, complain)
  for (const [i, file] of files.entries()) validateFile(file, `${path}.items[${i}]`, complain)
}

const checkMode = (mode: number | undefined, field: string, complain: Complain): void => {
  if (mode !== undefined && (mode < 0 || mode > 0o777)) {
    complain(field, `${mode} is no mode: a number between 0 and 0777 (octal; 511), both inclusive`)
  }
}

/** What may become a file in the volume (validateLocalNonReservedPath). */
const pathProblem = (path: string | undefined): string | undefined => {
  if (path === undefined || path === "") return "is missing"
  if (path.startsWith("/")) return "must be a relative path"
  if (path.split("/").includes("..")) return 'must not contain ".."'
  if (path.startsWith("..")) return 'must not begin with ".."'
  return path.includes("\0") ? "must not contain NUL" : undefined
}

const checkPath = (path: string | undefined, field: string, complain: Complain): void => {
  const wrong = pathProblem(path)
  if (wrong !== undefined) complain(field, wrong)
}

const validateItem = ({ key = "", path, mode }: Item, at: string, complain: Complain): void => {
  if (key === "") complain(`${at}.key`, "is missing")
  checkPath(path, `${at}.path`, complain)
  checkMode(mode, `${at}.mode`, complain)
}

const fields = ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"]
const subscript = /^metadata\.(?:labels|annotations)\['[^']+'\]$/u

const validateFile = ({ path, fieldRef, resourceFieldRef, mode }: File, at: string, complain: Complain): void => {
  checkPath(path, `${at}.path`, complain)
  checkMode(mode, `${at}.mode`, complain)
  const given = [fieldRef, resourceFieldRef].filter((reference) => reference !== undefined).length
  if (given !== 1) complain(at, `needs exactly one of fieldRef, resourceFieldRef; has ${given}`)
  if (fieldRef !== undefined) {
    const { apiVersion = "v1", fieldPath = "" } = fieldRef
    if (apiVersion !== "v1") complain(`${at}.fieldRef.apiVersion`, 'must be "v1"')
    if (fieldPath === "") complain(`${at}.fieldRef.fieldPath`, "is missing")
    else if (!fields.includes(fieldPath) && !subscript.test(fieldPath)) {
      complain(`${at}.fieldRef.fieldPath`, `${JSON.stringify(fieldPath)} cannot be a file; ${fields.join(", ")} can`)
    }
  }
  if (resourceFieldRef !== undefined) validateResource(resourceFieldRef, `${at}.resourceFieldRef`, complain)
}

const validateResource = (reference: NonNullable<File["resourceFieldRef"]>, at: string, complain: Complain): void => {
  const { containerName = "", resource: selected = "", divisor = "0" } = reference
  if (containerName === "") complain(`${at}.containerName`, "is missing")
  if (selected === "") complain(`${at}.resource`, "is missing")
  else if (!isResourceField(selected)) complain(`${at}.resource`, `${JSON.stringify(selected)} is no request or limit`)
  if (!isDivisor(selected, divisor)) {
    complain(`${at}.divisor`, `${JSON.stringify(divisor)} is no unit of ${selected}`)
  }
}

const kinds = ["configMap", "secret", "downwardAPI"] as const

/** One path may come from one source only, as far as the paths are known. */
export const validateProjected = ({ sources = [], defaultMode }: Projected, path: string, complain: Complain): void => {
  checkMode(defaultMode, `${path}.defaultMode`, complain)
  const paths = new Set<string>()
  for (const [i, source] of sources.entries()) {
    const at = `${path}.sources[${i}]`
    const given = kinds.filter((kind) => source[kind] !== undefined)
    if (given.length !== 1) complain(at, `needs exactly one of ${kinds.join(", ")}; has ${given.length}`)
    for (const kind of given) {
      const items = source[kind]?.items ?? []
      if (kind !== "downwardAPI" && (source[kind]?.name ?? "") === "") complain(`${at}.${kind}.name`, "is missing")
      validateSource(
        kind === "downwardAPI" ? { files: items } : { items: items as ReadonlyArray<Item> },
        `${at}.${kind}`,
        complain
      )
      for (const [j, item] of items.entries()) {
        if (item.path === undefined) continue
        if (paths.has(item.path)) {
          complain(`${at}.${kind}.items[${j}].path`, `conflicting duplicate paths: ${JSON.stringify(item.path)}`)
        }
        paths.add(item.path)
      }
    }
  }
}
