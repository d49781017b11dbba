/**
 * A part of a pod laid over a whole one, as `kubectl patch` does by default: a strategic merge patch. Maps are merged, null
 * takes a field away, lists of named things are merged by their key, other lists are replaced.
 * Keys: `patchMergeKey` in `staging/src/k8s.io/api/core/v1/types.go` (Kubernetes 1.36).
 */
type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }
type Fields = { readonly [key: string]: Json }

const mergeKeys: Readonly<Record<string, string>> = {
  containers: "name",
  initContainers: "name",
  ephemeralContainers: "name",
  volumes: "name",
  env: "name",
  ports: "containerPort",
  volumeMounts: "mountPath",
  hostAliases: "ip"
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const mergeList = (key: string, whole: ReadonlyArray<Json>, part: ReadonlyArray<Json>): ReadonlyArray<Json> => {
  const keyOf = (item: Json): Json | undefined => (isFields(item) ? item[key] : undefined)
  const known = new Set(whole.map(keyOf))
  const merged = whole.map((item) => {
    const change = part.find((candidate) => keyOf(candidate) === keyOf(item))
    return change === undefined ? item : (mergeValue(item, change, "") as Json)
  })
  return [...merged, ...part.filter((item) => !known.has(keyOf(item))).map((item) => mergeValue(undefined, item, ""))]
}

const mergeValue = (whole: Json | undefined, part: Json, field: string): Json => {
  const key = mergeKeys[field]
  if (key !== undefined && Array.isArray(whole) && Array.isArray(part)) return mergeList(key, whole, part)
  if (!isFields(part)) return part
  const merged: Record<string, Json> = isFields(whole) ? { ...whole } : {}
  for (const [name, value] of Object.entries(part)) {
    if (value === null) delete merged[name]
    else merged[name] = mergeValue(merged[name], value, name)
  }
  return merged
}

/** `whole` with `part` laid over it; both are plain JSON. */
export const strategicMerge = <A>(whole: A, part: unknown): A => mergeValue(whole as Json, part as Json, "") as A

export interface Difference {
  /** `spec.containers[app].livenessProbe.failureThreshold` */
  readonly field: string
  /** Absent: the field is not there. */
  readonly from?: unknown
  readonly to?: unknown
}

/** The fields in which two values differ, in the order of the first; lists of named things are told by their names. */
export const differencesOf = (before: unknown, after: unknown, path = "", field = ""): ReadonlyArray<Difference> => {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  const key = mergeKeys[field]
  if (Array.isArray(before) && Array.isArray(after) && key !== undefined) {
    const named = (list: ReadonlyArray<Json>) =>
      new Map(list.map((item, i) => [String((isFields(item) ? item[key] : undefined) ?? i), item] as const))
    const [was, is] = [named(before), named(after)]
    return [...new Set([...was.keys(), ...is.keys()])].flatMap((name) =>
      differencesOf(was.get(name), is.get(name), `${path}[${name}]`)
    )
  }
  if (isFields(before) && isFields(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      differencesOf(before[name], after[name], path === "" ? name : `${path}.${name}`, name)
    )
  }
  return [
    { field: path, ...(before === undefined ? {} : { from: before }), ...(after === undefined ? {} : { to: after }) }
  ]
}
