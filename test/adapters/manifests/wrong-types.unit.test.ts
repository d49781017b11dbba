/** Every field of a pod with every type that it does not have: named, and nothing else of the file is disturbed. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseManifest } from "../../../src/adapters/manifests/parse.ts"
import { podShape, type Shape } from "../../../src/events/pod-shape.ts"

type Step = string | number
type Json = string | number | boolean | null | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** Every place of the shape: the field, one item of each list, one entry of each map. */
function* places(shape: Shape, path: ReadonlyArray<Step> = []): Generator<readonly [ReadonlyArray<Step>, Shape]> {
  if (path.length > 0) yield [path, shape]
  if (shape.kind === "struct") for (const [field, inner] of shape.fields) yield* places(inner, [...path, field])
  if (shape.kind === "list") yield* places(shape.item, [...path, 0])
  if (shape.kind === "map") yield* places(shape.value, [...path, "key"])
}

/** Values of every type; which of them a shape takes. */
const values: ReadonlyArray<readonly [Json, (shape: Shape) => boolean]> = [
  ["neither", ({ kind }) => kind === "text" || kind === "integerOrText" || kind === "quantity"],
  ["3", ({ kind }) => kind === "text" || kind === "integerOrText" || kind === "quantity"],
  [3, ({ kind }) => kind === "integer" || kind === "integerOrText" || kind === "quantity"],
  [1.5, ({ kind }) => kind === "quantity"],
  [2 ** 60, ({ kind }) => kind === "quantity"],
  [true, ({ kind }) => kind === "boolean"],
  [["a"], ({ kind }) => kind === "list"],
  [{ a: "b" }, ({ kind }) => kind === "map" || kind === "struct"]
]

const whole = (name: string): Json => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "app", image: "i:1" }] }
})

/** The value with the part at the path replaced; what leads there is made. */
const replaced = (value: Json | undefined, path: ReadonlyArray<Step>, part: Json): Json => {
  const [step, ...rest] = path
  if (step === undefined) return part
  if (typeof step === "number") {
    const list = (Array.isArray(value) ? value : []) as ReadonlyArray<Json>
    return [replaced(list[0], rest, part), ...list.slice(1)]
  }
  const object = (value ?? {}) as Readonly<Record<string, Json>>
  return { ...object, [step]: replaced(object[step], rest, part) }
}

/** `spec.nodeSelector["key"]`, as problems name it. */
const fieldOf = (path: ReadonlyArray<Step>): string =>
  path.reduce<string>((text, step, i) => {
    if (typeof step === "number") return `${text}[${step}]`
    return step === "key" && isMapEntry(path.slice(0, i))
      ? `${text}[${JSON.stringify(step)}]`
      : text === ""
        ? step
        : `${text}.${step}`
  }, "")

const shapeAt = (path: ReadonlyArray<Step>): Shape =>
  path.reduce<Shape>((shape, step) => {
    if (shape.kind === "list") return shape.item
    if (shape.kind === "map") return shape.value
    if (shape.kind === "struct") return shape.fields.get(step as string)!
    throw new Error(`nothing is below ${shape.kind}`)
  }, podShape)
const isMapEntry = (path: ReadonlyArray<Step>): boolean => shapeAt(path).kind === "map"

describe("a field of the wrong type", () => {
  const all = [...places(podShape)]

  it("is named, whatever the field and the type, and the file's other pods are read", { timeout: 60_000 }, () => {
    let tried = 0
    for (const [path, shape] of all) {
      const field = fieldOf(path)
      const wrong = values
        .filter(([value, fits]) => !fits(shape) && !(shape.kind === "choice" && shape.of.includes(String(value))))
        // `kind` decides what is read at all.
        .filter(([value]) => field !== "kind" || typeof value !== "string")
        .map(([value]) => value)
      tried += wrong.length
      // A document a line, with a line between them.
      const documents = [...wrong.map((value) => replaced(whole("wrong"), path, value)), whole("right")]
      const text = documents.map((document) => JSON.stringify(document)).join("\n---\n")
      const { pods, problems } = parseManifest(text, "/m/many.yaml", "n1")
      assert.deepEqual(
        pods.map(({ pod }) => pod.metadata.name),
        ["right"],
        field
      )
      for (const [i, value] of wrong.entries()) {
        const own = problems.filter(({ line }) => line === 2 * i + 1)
        assert.deepEqual(
          own.filter(({ message }) => message.startsWith("must be ")).map((problem) => problem.field),
          [field],
          `${field}: ${JSON.stringify(value)} gives ${JSON.stringify(own)}`
        )
      }
      assert.ok(
        problems.every(({ line }) => line !== undefined && line % 2 === 1 && line < 2 * wrong.length),
        field
      )
    }
    console.log(`wrong types: ${tried} pods, ${all.length} places`)
    assert.ok(all.length > 150, `${all.length} places of the shape`)
    assert.ok(tried > 5 * all.length, `${tried} pods`)
  })
})
