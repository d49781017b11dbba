/**
 * What a manifest may hold: the shape of src/events/pod-spec.ts, read off its schemas, so that a field that is added
 * there is read here without a second table. `valueHash` and `envDigest` are the log's and no fields of a manifest.
 */
import type { Schema } from "effect"
import { Pod } from "./pod-spec.ts"

export type Shape =
  | { readonly kind: "text" | "integer" | "boolean" | "integerOrText" | "quantity" }
  | { readonly kind: "choice"; readonly of: ReadonlyArray<string> }
  | { readonly kind: "list"; readonly item: Shape }
  | { readonly kind: "map"; readonly value: Shape }
  | { readonly kind: "struct"; readonly fields: ReadonlyMap<string, Shape> }

/** The public properties of Effect's schemas that tell their structure. */
interface Structure {
  readonly ast: { readonly _tag: string }
  readonly fields?: Readonly<Record<string, Structure>>
  readonly schema?: Structure
  readonly value?: Structure
  readonly literals?: ReadonlyArray<string>
  readonly members?: ReadonlyArray<Structure>
}

const logOnly = new Set(["valueHash", "envDigest"])
/** Maps and texts that hold quantities, where a bare number is as good as text. */
const quantityMaps = new Set(["requests", "limits", "overhead"])
const quantities = new Set(["sizeLimit", "divisor"])

const shapeOf = (schema: Structure, name: string): Shape => {
  const inner = schema.schema
  if (inner !== undefined && schema.fields === undefined) return shapeOf(inner, name)
  if (quantities.has(name)) return { kind: "quantity" }
  if (schema.fields !== undefined) {
    const fields = Object.entries(schema.fields).filter(([field]) => !logOnly.has(field))
    return { kind: "struct", fields: new Map(fields.map(([field, s]) => [field, shapeOf(s, field)])) }
  }
  if (schema.literals !== undefined) return { kind: "choice", of: schema.literals }
  switch (schema.ast._tag) {
    case "String":
      return { kind: "text" }
    case "Number":
      return { kind: "integer" }
    case "Boolean":
      return { kind: "boolean" }
    case "Arrays":
      return { kind: "list", item: shapeOf(schema.value!, "") }
    case "Objects":
      return { kind: "map", value: quantityMaps.has(name) ? { kind: "quantity" } : shapeOf(schema.value!, "") }
    case "Union":
      return { kind: "integerOrText" }
    default:
      throw new Error(`no shape for a schema of kind ${schema.ast._tag} (${name})`)
  }
}

const pod = shapeOf(Pod as never, "") as Extract<Shape, { kind: "struct" }>

/** One `v1.Pod` as a manifest writes it. */
export const podShape: Shape = {
  kind: "struct",
  fields: new Map<string, Shape>([["apiVersion", { kind: "text" }], ["kind", { kind: "text" }], ...pod.fields])
}

/** A value of this kind, for messages. */
export const describeShape = (shape: Shape): string => {
  switch (shape.kind) {
    case "text":
      return "text"
    case "integer":
      return "a whole number"
    case "boolean":
      return "true or false"
    case "integerOrText":
      return "a whole number or text"
    case "quantity":
      return "a quantity"
    case "choice":
      return `one of ${shape.of.join(", ")}`
    case "list":
      return "a list"
    default:
      return "a mapping"
  }
}

/** Kept so that a change of the schema library that breaks `shapeOf` is seen by the type checker. */
export type PodInManifest = Schema.Schema.Type<typeof Pod>
