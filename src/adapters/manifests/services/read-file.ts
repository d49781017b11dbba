/**
 * A file of Services and EndpointSlices: YAML or JSON, several documents, lists among them. A document, or an item of a
 * list, that cannot be used costs only itself; what is wrong is told with line, column and field.
 *
 * JSON of the usual form, which tools write by the megabyte, is taken without places; only what is remarkable is read again
 * as YAML, which JSON is.
 */
import { createHash } from "node:crypto"
import { isMap, isScalar, isSeq, type YAMLMap } from "yaml"
import type { Shape } from "../../../events/pod-shape.ts"
import type { DeclaredService, DeclaredSlice } from "../../services/port.ts"
import { defaultNamespace } from "../defaults.ts"
import { splitDocuments } from "../documents.ts"
import { companionKinds } from "../known-fields.ts"
import { openDocument } from "../open-document.ts"
import type { IgnoredField, ManifestProblem } from "../port.ts"
import { describeKind, fieldPath, type Owner, type Reader } from "../read.ts"
import { type Check, checkFor } from "./json.ts"
import { maxPlacedBytes, maxYamlDocumentBytes, sliceMillis } from "./limits.ts"
import { serviceSpecOf, validateService } from "./service.ts"
import { classifyOfService, serviceShape, sliceShape, type WrittenService, type WrittenSlice } from "./shape.ts"
import { endpointsOf, portsOf, serviceNameOf, validateSlice } from "./slice.ts"

export interface ParsedServices {
  readonly services: ReadonlyArray<DeclaredService>
  readonly slices: ReadonlyArray<DeclaredSlice>
  readonly problems: ReadonlyArray<ManifestProblem>
  readonly ignoredFields: ReadonlyArray<IgnoredField>
}

type Kind = "Service" | "EndpointSlice"
const shapes: Readonly<Record<Kind, Shape>> = { Service: serviceShape, EndpointSlice: sliceShape }
const lists: ReadonlySet<unknown> = new Set(["List", "ServiceList", "EndpointSliceList"])
const isUsual: Readonly<Record<Kind, Check>> = {
  Service: checkFor(serviceShape, classifyOfService),
  EndpointSlice: checkFor(sliceShape, classifyOfService)
}
/** Kinds of a directory of static pods, which may be the same directory: its own reader tells of them. */
const neighbours: ReadonlySet<string> = new Set(["Pod", "PodList", "ConfigMap", "Secret", "RuntimeClass"])

const isKind = (kind: unknown): kind is Kind => kind === "Service" || kind === "EndpointSlice"

const wantedKinds = "Service, EndpointSlice or List"

class Parsing {
  readonly services: Array<DeclaredService> = []
  readonly slices: Array<DeclaredSlice> = []
  readonly problems: Array<ManifestProblem> = []
  readonly ignoredFields: Array<IgnoredField> = []
  private readonly file: string
  private since = performance.now()

  constructor(file: string) {
    this.file = file
  }

  /** Lets others have a turn, if it is time. */
  async pause(): Promise<void> {
    if (performance.now() - this.since < sliceMillis) return
    await new Promise((resolve) => setImmediate(resolve))
    this.since = performance.now()
  }

  add(kind: Kind, written: WrittenService & WrittenSlice, lineOf: (field: string) => number | undefined): void {
    const { name = "", namespace = "" } = written.metadata ?? {}
    const line = lineOf("metadata.name")
    const identity = {
      namespace: namespace === "" ? defaultNamespace : namespace,
      name,
      file: this.file,
      ...(line === undefined ? {} : { line })
    }
    if (kind === "Service") {
      const spec = serviceSpecOf(written)
      const labels = written.metadata?.labels ?? {}
      this.services.push({ ...identity, hash: hashOf([identity.namespace, name, spec, labels]), spec, labels })
      return
    }
    const family = written.addressType === "IPv6" ? "IPv6" : "IPv4"
    const ports = portsOf(written)
    const { endpoints, bad } = endpointsOf(written, family)
    this.slices.push({
      ...identity,
      service: serviceNameOf(written),
      family,
      ports,
      endpoints,
      bad:
        bad.length === 0
          ? bad
          : bad.map((one) => {
              const at = lineOf(one.field)
              return at === undefined ? one : { ...one, line: at }
            }),
      hash: hashOf([identity.namespace, name, serviceNameOf(written), family, ports, endpoints, bad])
    })
  }
}

const hashOf = (content: unknown): string => createHash("sha256").update(JSON.stringify(content)).digest("hex")

/** Reads a file's text. */
export const parseServices = async (text: string, file: string): Promise<ParsedServices> => {
  const parsing = new Parsing(file)
  const json = /^\s*[{[]/u.test(text) ? jsonOf(text) : undefined
  if (json !== undefined) await readJson(parsing, json, text)
  else await readYaml(parsing, text)
  const { services, slices, problems, ignoredFields } = parsing
  return { services, slices, problems, ignoredFields }
}

/** `undefined`: it is no JSON, but may be YAML. */
const jsonOf = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

const nowhere = (): undefined => undefined

const readJson = async (parsing: Parsing, { value }: { readonly value: unknown }, text: string): Promise<void> => {
  const { kind, items } = (value ?? {}) as { readonly kind?: unknown; readonly items?: unknown }
  const isList = lists.has(kind) && Array.isArray(items)
  const objects: ReadonlyArray<unknown> = isList ? items : [value]
  const odd: Array<number> = []
  const usual: Array<readonly [Kind, WrittenService & WrittenSlice]> = []
  for (const [i, object] of objects.entries()) {
    await parsing.pause()
    const own = ((object ?? {}) as { readonly kind?: unknown }).kind
    if (typeof own === "string" && neighbours.has(own)) continue
    const isTaken = isKind(own) && isUsual[own](object) && isClean(own, object as never)
    if (isTaken) usual.push([own, object as never])
    else odd.push(i)
  }
  // With lines, where it is small enough to be read as YAML.
  if (odd.length > 0 && Buffer.byteLength(text) <= maxPlacedBytes) return readYaml(parsing, text, maxPlacedBytes)
  for (const [kind, written] of usual) parsing.add(kind, written, nowhere)
  for (const i of odd) {
    await parsing.pause()
    const path = isList ? `items[${i}]` : ""
    readDocument(parsing, JSON.stringify(objects[i]), 0, path, false)
  }
}

/** Nothing is wrong with it, and none of its endpoints. */
const isClean = (kind: Kind, written: WrittenService & WrittenSlice): boolean => {
  let isFine = true
  const complain = (): void => {
    isFine = false
  }
  if (kind === "Service") validateService(written, complain)
  else validateSlice(written, complain)
  return (
    isFine &&
    (kind === "Service" || endpointsOf(written, written.addressType === "IPv6" ? "IPv6" : "IPv4").bad.length === 0)
  )
}

const readYaml = async (parsing: Parsing, text: string, maxBytes = maxYamlDocumentBytes): Promise<void> => {
  for (const document of splitDocuments(text)) {
    await parsing.pause()
    const bytes = Buffer.byteLength(document.text)
    if (bytes > maxBytes) {
      const message = `the document is larger than ${maxBytes / 1024} KiB: write it as JSON, or in several`
      parsing.problems.push({ line: document.linesBefore + 1, column: 1, message })
    } else readDocument(parsing, document.text, document.linesBefore, "", true)
  }
}

const readDocument = (parsing: Parsing, text: string, linesBefore: number, path: string, isPlaced: boolean): void => {
  const { document, reader, errors } = openDocument(text, linesBefore)
  if (errors.length > 0) {
    parsing.problems.push(...errors)
    return
  }
  readAny(parsing, reader, document.contents, path, isPlaced)
  for (const { line: _l, column: _c, ...problem } of isPlaced ? [] : reader.problems) parsing.problems.push(problem)
  for (const { line: _, ...field } of isPlaced ? [] : reader.ignored) parsing.ignoredFields.push(field)
  if (!isPlaced) return
  parsing.problems.push(...reader.problems)
  parsing.ignoredFields.push(...reader.ignored)
}

/** Finds what one object is, which may be a list of objects. */
const readAny = (parsing: Parsing, reader: Reader, raw: unknown, path: string, isPlaced: boolean): void => {
  const node = reader.resolve(raw)
  if (node === undefined || !isMap(node)) {
    reader.problem(path, "must be a mapping with apiVersion, kind, metadata and spec", reader.placeOfNode(node))
    return
  }
  const kindNode = reader.resolve(node.get("kind", true))
  const kind = isScalar(kindNode) && typeof kindNode.value === "string" ? kindNode.value : undefined
  const place = reader.placeOfNode(kindNode ?? node)
  const at = fieldPath(path, "kind")
  if (isKind(kind)) readObject(parsing, reader, kind, node, path, isPlaced)
  else if (lists.has(kind) && path === "") {
    const items = reader.resolve(node.get("items", true))
    if (isSeq(items)) {
      for (const [i, item] of items.items.entries()) readAny(parsing, reader, item, `items[${i}]`, isPlaced)
    } else if (items !== undefined && !(isScalar(items) && items.value === null))
      reader.problem("items", "must be a list", reader.placeOfNode(items))
  } else if (kind === undefined) reader.problem(at, `must be text: ${wantedKinds}`, place)
  else if (kind === "Endpoints")
    reader.problem(at, "Endpoints are not read: declare an EndpointSlice (discovery.k8s.io/v1)", place)
  else if (neighbours.has(kind)) return
  else if (companionKinds.has(kind)) reader.ignore(at, `${kind} has no meaning here; ignored`, place)
  else reader.problem(at, `must be ${wantedKinds}, not ${JSON.stringify(kind.slice(0, 60))}`, place)
}

const readObject = (
  parsing: Parsing,
  reader: Reader,
  kind: Kind,
  map: YAMLMap,
  path: string,
  isPlaced: boolean
): void => {
  const before = reader.problems.length
  const owner: Owner = { kind, classify: classifyOfService, describe: describeKind }
  const written = reader.readOf(owner, map, shapes[kind], path) as (WrittenService & WrittenSlice) | undefined
  if (written === undefined) return
  // What has the wrong type is missing from `written`: it is not to be said twice.
  const known = new Set(reader.problems.slice(before).map((p) => p.field))
  const complain = (field: string, message: string): void => {
    const at = fieldPath(path, field)
    if (![...known].some((k) => k === at || k?.startsWith(`${at}[`) === true || k?.startsWith(`${at}.`) === true))
      reader.problem(at, message)
  }
  if (kind === "Service") validateService(written, complain)
  else validateSlice(written, complain)
  if (reader.problems.length > before) return
  parsing.add(kind, written, (field) => (isPlaced ? reader.placeOfField(fieldPath(path, field))?.line : undefined))
}
