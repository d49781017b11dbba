/** Where two states of a node differ, field by field. Pure. */
import type { NodeFold } from "../actors/kernel/fold.ts"
import { canonical } from "../actors/kernel/json.ts"

export interface FieldDifference {
  /** `containers.app.status`; items of lists go by their names where they have one. */
  readonly field: string
  /** Absent on the side that does not have it. */
  readonly a?: unknown
  readonly b?: unknown
}

export interface ActorDifference {
  /** `pod/default/web` */
  readonly actor: string
  /** `removed`: only the first state has it; `added`: only the second. */
  readonly kind: "added" | "removed" | "changed"
  readonly fields: ReadonlyArray<FieldDifference>
}

/** Ids of events that a state remembers as causes: two lives of the same thing differ in them without meaning anything. */
const isReference = (field: string): boolean => field === "startedBy" || /because$/iu.test(field)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A list as a record: by name where every item has one of its own, else by position. */
const keyed = (list: ReadonlyArray<unknown>): Readonly<Record<string, unknown>> => {
  const names = list.map((item) => (isRecord(item) && typeof item.name === "string" ? item.name : undefined))
  const isNamed = names.every((name) => name !== undefined) && new Set(names).size === names.length
  return Object.fromEntries(list.map((item, index) => [isNamed ? (names[index] as string) : String(index), item]))
}

/** Of two JSON values; `field` is where they stand, empty for the whole. */
export const fieldDifferences = (field: string, a: unknown, b: unknown): ReadonlyArray<FieldDifference> => {
  if (canonical(a) === canonical(b)) return []
  const [left, right] = [Array.isArray(a) ? keyed(a) : a, Array.isArray(b) ? keyed(b) : b]
  if (!isRecord(left) || !isRecord(right))
    return [{ field, ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) }]
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])].filter((key) => !isReference(key))
  return keys.flatMap((key) => fieldDifferences(field === "" ? key : `${field}.${key}`, left[key], right[key]))
}

/** In order of the actors' paths. */
export const stateDifferences = (a: NodeFold, b: NodeFold): ReadonlyArray<ActorDifference> => {
  const paths = [...new Set([...a.actors.keys(), ...b.actors.keys()])].sort()
  return paths.flatMap((actor): ReadonlyArray<ActorDifference> => {
    const [left, right] = [a.actors.get(actor), b.actors.get(actor)]
    if (left === undefined) return [{ actor, kind: "added", fields: [] }]
    if (right === undefined) return [{ actor, kind: "removed", fields: [] }]
    const fields = fieldDifferences("", left.state, right.state)
    return fields.length === 0 ? [] : [{ actor, kind: "changed", fields }]
  })
}
