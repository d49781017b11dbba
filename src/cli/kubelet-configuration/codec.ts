/** A KubeletConfiguration between its JSON (v1beta1) and the shape that the agent reads. */
import { goDuration } from "../../events/go-duration.ts"
import type { FieldType } from "../configuration/fields.ts"
import { lengthOf } from "../times.ts"
import {
  groups,
  type KubeletField,
  type KubeletFieldPath,
  kubeletField,
  kubeletFieldPaths,
  pointerGroups
} from "./fields.ts"
import type { KubeletConfiguration } from "./shape.ts"

/** JSON with v1beta1 names, whose types are right; null is absent. */
export type Written = Readonly<Record<string, unknown>>

const nanosInMilli = 1_000_000

export const at = (tree: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((node, part) => (node as Record<string, unknown> | undefined | null)?.[part], tree)

export const put = (tree: Record<string, unknown>, path: string, value: unknown): void => {
  const parts = path.split(".")
  let node = tree
  for (const part of parts.slice(0, -1)) {
    node[part] ??= {}
    node = node[part] as Record<string, unknown>
  }
  node[parts.at(-1) as string] = value
}

/** Go's zero of a type. */
const zeroOf = ({ type }: KubeletField): unknown => {
  if (typeof type === "object") return "list" in type ? [] : "one" in type ? "" : {}
  switch (type) {
    case "string":
      return ""
    case "bytes":
      return "0"
    case "boolean":
      return false
    case "strings":
      return []
    case "textMap":
    case "booleanMap":
    case "stringsMap":
      return {}
    default:
      return 0
  }
}

export const isZero = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === false ||
  value === 0 ||
  (typeof value === "object" && Object.keys(value).length === 0)

const isDuration = ({ type }: KubeletField): boolean => type === "duration" || type === "durationOrInteger"

/**
 * Every field, without any default: Go's zero where the file says nothing, `undefined` for pointers. What kubelet's validation looks at
 * once the defaults are in.
 */
export const decode = (written: Written): KubeletConfiguration => {
  const tree: Record<string, unknown> = {}
  for (const path of kubeletFieldPaths) {
    const field = kubeletField(path)
    const raw = at(written, path) ?? undefined
    if (pointerGroups.includes(path.split(".")[0] as string) && isAbsent(at(written, path.split(".")[0] as string)))
      continue
    put(tree, path, raw === undefined ? (field.nature === "pointer" ? undefined : zeroOf(field)) : read(field, raw))
  }
  for (const group of pointerGroups) tree[group] ??= undefined
  return tree as unknown as KubeletConfiguration
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null

const read = (field: KubeletField, raw: unknown): unknown => {
  if (isDuration(field)) return typeof raw === "number" ? raw / nanosInMilli : lengthOf(raw as string)
  if (field.type === "bytes") return String(raw)
  return withoutNulls(field.type, raw)
}

/** Go's zero for a null in a map, and nothing for one in a list or of a field. */
const withoutNulls = (type: FieldType | undefined, raw: unknown): unknown => {
  const fields = typeof type === "object" && "list" in type ? type.list : undefined
  if (Array.isArray(raw))
    return raw
      .filter((item) => item !== null)
      .map((item) => (fields === undefined ? item : withoutNulls({ fields }, item)))
  if (typeof raw !== "object" || raw === null) return raw
  const entries = Object.entries(raw)
  if (typeof type === "string" && type in zeroOfMap)
    return Object.fromEntries(entries.map(([key, value]) => [key, withoutNulls("strings", value ?? zeroOfMap[type])]))
  const known = typeof type === "object" && "fields" in type ? type.fields : {}
  return Object.fromEntries(
    entries.filter(([, value]) => value !== null).map(([key, value]) => [key, withoutNulls(known[key], value)])
  )
}

const zeroOfMap: Readonly<Record<string, unknown>> = { textMap: "", booleanMap: false, stringsMap: [] }

/** The JSON that kubelet writes of it (`omitempty`): what `/configz` answers, too. */
export const encode = (configuration: KubeletConfiguration): Record<string, unknown> => {
  const tree: Record<string, unknown> = {}
  for (const path of kubeletFieldPaths) {
    const field = kubeletField(path)
    const value = at(configuration, path)
    const isOmitted =
      value === undefined || (field.nature === "value" && isZero(value)) || (typeof value === "object" && isZero(value))
    if (!isOmitted) put(tree, path, isDuration(field) ? goDuration(value as number) : value)
  }
  for (const group of groups) if (at(tree, group) === undefined) put(tree, group, {})
  for (const group of pointerGroups)
    if (at(configuration, group) !== undefined && tree[group] === undefined) tree[group] = {}
  return tree
}

/** A copy in which one field is another. */
export const withField = (
  configuration: KubeletConfiguration,
  path: KubeletFieldPath,
  value: unknown
): KubeletConfiguration => {
  const [first, ...rest] = path.split(".")
  const set = (node: unknown, parts: ReadonlyArray<string>): unknown =>
    parts.length === 0
      ? value
      : {
          ...(node as object),
          [parts[0] as string]: set((node as Written | undefined)?.[parts[0] as string], parts.slice(1))
        }
  return { ...configuration, [first as string]: set(at(configuration, first as string), rest) }
}
