/**
 * A YAML node read against a shape: plain values of the fields that are known, and what was found wrong, each with its
 * place. JSON is read as the YAML that it is.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Scalar,
  type YAMLMap
} from "yaml"
import { describeShape, type Shape } from "../../events/pod-shape.ts"
import { classify, type Known } from "./known-fields.ts"
import { maxNodes } from "./limits.ts"
import type { IgnoredField, ManifestProblem } from "./port.ts"

export interface Place {
  readonly line: number
  readonly column: number
}

type Plain = string | number | boolean | ReadonlyArray<Plain> | { readonly [key: string]: Plain }

/** `go-yaml` reads these as booleans, YAML 1.2 as text: taken where a boolean is asked for. */
const spelledBooleans = new Map<string, boolean>(
  ["y", "yes", "on"]
    .flatMap((t) => [t, `${t[0]!.toUpperCase()}${t.slice(1)}`, t.toUpperCase()])
    .map((t) => [t, true] as const)
)
for (const no of ["n", "no", "off"]) {
  for (const t of [no, `${no[0]!.toUpperCase()}${no.slice(1)}`, no.toUpperCase()]) spelledBooleans.set(t, false)
}

const describeNode = (node: Node): string => {
  if (isMap(node)) return "a mapping"
  if (isSeq(node)) return "a list"
  const value = isScalar(node) ? node.value : undefined
  if (typeof value === "number" || typeof value === "bigint") return `the number ${sourceOf(node as Scalar)}`
  if (typeof value === "boolean") return `the boolean ${value}`
  return "text"
}

/** What is read: which fields it may have, and how its values are named in messages. */
export interface Owner {
  readonly kind: string
  readonly classify: (path: string, field: string) => Known
  readonly describe: (node: Node, path: string) => string
}
const podOwner: Owner = {
  kind: "Pod",
  classify,
  // Values of variables and headers may be secrets, also those that are no text.
  describe: (node, path) => (path.endsWith(".value") ? describeKind(node) : describeNode(node))
}

/** A node without its value. */
export const describeKind = (node: Node): string => {
  const value = isScalar(node) ? node.value : undefined
  if (typeof value === "number" || typeof value === "bigint") return "a number"
  return typeof value === "boolean" ? "a boolean" : describeNode(node)
}

const sourceOf = (node: Scalar): string => node.source ?? String(node.value)

export const fieldPath = (path: string, field: string): string => (path === "" ? field : `${path}.${field}`)

/** Reads one document. Problems and places gather as it goes. */
export class Reader {
  readonly problems: Array<ManifestProblem> = []
  readonly ignored: Array<IgnoredField> = []
  private readonly places = new Map<string, Place>()
  private readonly document: Document
  private readonly lines: LineCounter
  private readonly linesBefore: number
  private visited = 0
  private owner: Owner = podOwner
  private exhausted = false

  constructor(document: Document, lines: LineCounter, linesBefore: number) {
    this.document = document
    this.lines = lines
    this.linesBefore = linesBefore
  }

  placeAt(offset: number): Place {
    const { line, col } = this.lines.linePos(offset)
    return { line: line + this.linesBefore, column: col }
  }

  placeOfNode(node: Node | null | undefined): Place | undefined {
    return node?.range == null ? undefined : this.placeAt(node.range[0])
  }

  /** Where a field stands; for a field that is not there, the nearest one around it that is. */
  placeOfField(path: string): Place | undefined {
    for (let at = path; ; at = at.slice(0, Math.max(at.lastIndexOf("."), at.lastIndexOf("[")))) {
      const place = this.places.get(at)
      if (place !== undefined || at === "") return place
    }
  }

  problem(field: string, message: string, place = this.placeOfField(field)): void {
    this.problems.push({ ...place, ...(field === "" ? {} : { field }), message })
  }

  ignore(field: string, message: string, place = this.placeOfField(field)): void {
    this.ignored.push({ ...(place === undefined ? {} : { line: place.line }), field, message })
  }

  /** The node itself, or what it is an alias of. */
  resolve(node: unknown): Node | undefined {
    this.visited += 1
    if (this.visited > maxNodes) {
      if (!this.exhausted) this.problem("", `has more than ${maxNodes} values`)
      this.exhausted = true
      return undefined
    }
    const target = isAlias(node) ? node.resolve(this.document) : node
    return isMap(target) || isSeq(target) || isScalar(target) ? target : undefined
  }

  /** Keys of a mapping with their values; a doubled key is a problem, `<<` is followed. */
  entries(
    map: YAMLMap,
    path: string
  ): ReadonlyArray<{ readonly key: string; readonly keyNode: Node; readonly value: unknown }> {
    const own = new Map<string, { readonly key: string; readonly keyNode: Node; readonly value: unknown }>()
    const merged: Array<unknown> = []
    for (const pair of map.items) {
      const keyNode = this.resolve(pair.key)
      if (keyNode === undefined) return [...own.values()]
      if (!isScalar(keyNode)) {
        this.problem(path, "a key is no text", this.placeOfNode(keyNode))
        continue
      }
      const key = typeof keyNode.value === "string" ? keyNode.value : sourceOf(keyNode)
      if (key === "<<" && keyNode.type === "PLAIN") merged.push(pair.value)
      else if (own.has(key)) this.problem(fieldPath(path, key), "is given twice", this.placeOfNode(keyNode))
      else own.set(key, { key, keyNode, value: pair.value })
    }
    for (const value of merged) {
      const target = this.resolve(value)
      const maps = isSeq(target) ? target.items.map((item) => this.resolve(item)) : [target]
      for (const m of maps) {
        if (!isMap(m)) this.problem(path, "<< needs a mapping", this.placeOfNode(target))
        else for (const entry of this.entries(m, path)) if (!own.has(entry.key)) own.set(entry.key, entry)
      }
    }
    return [...own.values()]
  }

  /** As `read`, of an object that is no pod: its own fields, and no value in a message, since it may be a secret. */
  readOf(owner: Owner, raw: unknown, shape: Shape, path: string): Plain | undefined {
    this.owner = owner
    const read = this.read(raw, shape, path)
    this.owner = podOwner
    return read
  }

  /** The value of a node; `undefined` where it is absent, null or wrong (then a problem says so). */
  read(raw: unknown, shape: Shape, path: string): Plain | undefined {
    const node = this.resolve(raw)
    if (node === undefined) return undefined
    const place = this.placeOfNode(isAlias(raw) ? raw : node)
    if (place !== undefined) this.places.set(path, place)
    if (isScalar(node) && node.value === null) return undefined
    const wrong = (): undefined => {
      const hint = shape.kind === "text" && isScalar(node) ? "; put it in quotes" : ""
      this.problem(path, `must be ${describeShape(shape)}, not ${this.owner.describe(node, path)}${hint}`, place)
    }
    switch (shape.kind) {
      case "struct":
        return isMap(node) ? this.readStruct(node, shape.fields, path) : wrong()
      case "map":
        return isMap(node) ? this.readMap(node, shape.value, path) : wrong()
      case "list":
        return isSeq(node) ? this.readList(node.items, shape.item, path) : wrong()
      default:
        return isScalar(node) ? (readScalar(node, shape) ?? this.wrongScalar(node, shape, path, wrong)) : wrong()
    }
  }

  private wrongScalar(node: Scalar, shape: Shape, path: string, wrong: () => undefined): undefined {
    if (shape.kind === "choice" && typeof node.value === "string") {
      this.problem(path, `must be ${describeShape(shape)}, not ${JSON.stringify(node.value.slice(0, 60))}`)
      return undefined
    }
    return wrong()
  }

  private readStruct(node: YAMLMap, fields: ReadonlyMap<string, Shape>, path: string): Plain {
    const out: Array<readonly [string, Plain]> = []
    for (const { key, keyNode, value } of this.entries(node, path)) {
      const at = fieldPath(path, key)
      const shape = fields.get(key)
      if (shape !== undefined) {
        const read = this.read(value, shape, at)
        if (read !== undefined) out.push([key, read])
        continue
      }
      const place = this.placeOfNode(keyNode)
      const known = this.owner.classify(path, key)
      if (known === "silent") continue
      if (known === "forbidden" && !isEmpty(this.resolve(value)))
        this.problem(at, "is not allowed for an ephemeral container", place)
      else if (known === "refused" && !isEmpty(this.resolve(value))) {
        this.problem(at, "is not supported yet, and without it the pod would not be what it says", place)
      } else if (known === "needsApiServer" && !isEmpty(this.resolve(value))) {
        this.problem(at, "needs an API server, and a pod of a manifest directory has none", place)
      } else {
        const { kind } = this.owner
        const what =
          known === "unknown" ? `is no field of a ${kind}` : `is a ${kind} field that Chronode does not act on yet`
        this.ignore(at, `${what}; ignored`, place)
      }
    }
    return Object.fromEntries(out)
  }

  private readMap(node: YAMLMap, shape: Shape, path: string): Plain {
    const out: Array<readonly [string, Plain]> = []
    for (const { key, value } of this.entries(node, path)) {
      const read = this.read(value, shape, `${path}[${JSON.stringify(key)}]`)
      // A null value of a map of texts is the empty text.
      out.push([key, read ?? ""])
    }
    return Object.fromEntries(out)
  }

  private readList(items: ReadonlyArray<unknown>, shape: Shape, path: string): Plain {
    const out: Array<Plain> = []
    for (const [i, item] of items.entries()) {
      const at = `${path}[${i}]`
      const before = this.problems.length
      const read = this.read(item, shape, at)
      if (read !== undefined) out.push(read)
      else if (!this.exhausted && this.problems.length === before)
        this.problem(at, `must be ${describeShape(shape)}, not nothing`)
      if (this.exhausted) break
    }
    return out
  }
}

const isEmpty = (node: Node | undefined): boolean =>
  node === undefined ||
  (isScalar(node) && (node.value === null || node.value === "")) ||
  ((isMap(node) || isSeq(node)) && node.items.length === 0)

/** `0644` is octal to YAML 1.1 and so to Kubernetes, and decimal to YAML 1.2. */
const octalOf = (node: Scalar): number | undefined =>
  node.type === "PLAIN" && /^0[0-7]+$/u.test(node.source ?? "") ? Number.parseInt(node.source!, 8) : undefined

const isWhole = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value)

/** `undefined`: it does not fit. */
const readScalar = (node: Scalar, shape: Shape): Plain | undefined => {
  const { value } = node
  switch (shape.kind) {
    case "text":
      return typeof value === "string" ? value : undefined
    case "integer":
      return isWhole(value) ? (octalOf(node) ?? value) : undefined
    case "boolean":
      if (typeof value === "boolean") return value
      return typeof value === "string" && node.type === "PLAIN" ? spelledBooleans.get(value) : undefined
    case "integerOrText":
      return typeof value === "string" || isWhole(value) ? value : undefined
    case "quantity":
      return typeof value === "string" ? value : typeof value === "number" ? sourceOf(node) : undefined
    case "choice":
      return typeof value === "string" && shape.of.includes(value) ? value : undefined
    default:
      return undefined
  }
}
