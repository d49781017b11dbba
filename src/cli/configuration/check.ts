/** Checks the nodes of a YAML document against a table of fields, and says for each problem where in the file it is. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from "yaml"
import { parseBytes } from "../sizes.ts"
import { nearest } from "../text.ts"
import { parseLength } from "../times.ts"
import type { Fields, FieldType } from "./fields.ts"

export interface Problem {
  /** Offset in the file, characters. */
  readonly offset: number
  /** `logging.options.text`, `reservedMemory[0].limits`. */
  readonly field: string
  readonly message: string
  /** An unknown field is only warned of. */
  readonly severity: "error" | "warning"
}

const offsetOf = (node: unknown): number => (node as Node | null | undefined)?.range?.[0] ?? 0

const kindOf = (value: unknown): string =>
  value === null || value === undefined ? "nothing" : Array.isArray(value) ? "a list" : `a ${typeof value}`

/** What a scalar of a type must be, in words; undefined: it is right. */
const scalarFault = (type: FieldType, value: unknown): string | undefined => {
  if (typeof type === "object") {
    if (!("one" in type)) return undefined
    return type.one.includes(value as string) ? undefined : `must be one of ${type.one.join(", ")}`
  }
  switch (type) {
    case "string":
      return typeof value === "string" ? undefined : "must be text (put it in quotes)"
    case "boolean":
      return typeof value === "boolean" ? undefined : "must be true or false"
    case "integer":
      return Number.isSafeInteger(value) ? undefined : "must be a whole number"
    case "number":
      return typeof value === "number" && Number.isFinite(value) ? undefined : "must be a number"
    case "duration":
      return isDuration(value) ? undefined : "must be a length of time such as 1m30s"
    case "durationOrInteger":
      return isDuration(value) || Number.isSafeInteger(value) ? undefined : "must be a length of time such as 5s"
    case "bytes":
      return (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) ||
        (typeof value === "string" && parseBytes(value) !== undefined)
        ? undefined
        : "must be a number of bytes such as 512Mi"
    default:
      return undefined
  }
}

/** Go's durations know no days. */
const isDuration = (value: unknown): boolean =>
  typeof value === "string" && !value.includes("d") && parseLength(value.replace(/^[+-]/u, "")) !== undefined

const elementTypes: Readonly<Record<string, FieldType>> = {
  strings: "string",
  textMap: "string",
  booleanMap: "boolean",
  stringsMap: "strings"
}

/** Problems of one value and everything in it. `field` is its path. */
const checkValue = (document: Document, node: unknown, type: FieldType, field: string): ReadonlyArray<Problem> => {
  const resolved = isAlias(node) ? node.resolve(document) : node
  const fault = (message: string): ReadonlyArray<Problem> => [
    { offset: offsetOf(node), field, message, severity: "error" }
  ]
  // Kubernetes' decoders read null as absent.
  if (resolved === null || resolved === undefined || (isScalar(resolved) && resolved.value === null)) return []
  if (type === "strings" || (typeof type === "object" && "list" in type)) {
    if (!isSeq(resolved)) return fault("must be a list")
    const element: FieldType = type === "strings" ? "string" : { fields: (type as { readonly list: Fields }).list }
    return resolved.items.flatMap((item, i) => checkValue(document, item, element, `${field}[${i}]`))
  }
  if (type === "textMap" || type === "booleanMap" || type === "stringsMap") {
    if (!isMap(resolved)) return fault("must be a map")
    return resolved.items.flatMap((pair) =>
      checkValue(document, pair.value, elementTypes[type] as FieldType, `${field}.${String(scalarOf(pair.key))}`)
    )
  }
  if (typeof type === "object" && "fields" in type) {
    return isMap(resolved) ? checkFields(document, resolved, type.fields, field) : fault("must be a map")
  }
  if (!isScalar(resolved)) return fault(`${scalarFault(type, resolved) ?? "must be a single value"}, not a list or map`)
  const wrong = scalarFault(type, resolved.value)
  return wrong === undefined ? [] : fault(`${wrong}, not ${kindOf(resolved.value)} (${JSON.stringify(resolved.value)})`)
}

const scalarOf = (key: unknown): unknown => (isScalar(key) ? key.value : key)

/** Problems of a map whose fields are known by `fields`. `prefix` is its path, empty at the top. */
export const checkFields = (document: Document, map: YAMLMap, fields: Fields, prefix: string): ReadonlyArray<Problem> =>
  map.items.flatMap((pair) => {
    const name = String(scalarOf(pair.key))
    const field = prefix === "" ? name : `${prefix}.${name}`
    const type = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (type !== undefined) return checkValue(document, pair.value, type, field)
    const near = nearest(name, Object.keys(fields))
    const hint = near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`
    return [
      { offset: offsetOf(pair.key), field, message: `is unknown and ignored${hint}`, severity: "warning" as const }
    ]
  })
