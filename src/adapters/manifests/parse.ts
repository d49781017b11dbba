/**
 * A manifest file to pods and the objects beside them: YAML or JSON, several documents, `List` among them. A document that cannot be used costs only
 * itself; what is wrong is told with line, column and field.
 */
import { isMap, isScalar, isSeq, Lexer, type Node, type YAMLMap } from "yaml"
import { podShape } from "../../events/pod-shape.ts"
import type { Pod } from "../../events/pod-spec.ts"
import { applyDefaults } from "./defaults.ts"
import { splitDocuments } from "./documents.ts"
import { derivedUid } from "./identity.ts"
import { companionKinds } from "./known-fields.ts"
import {
  maxDocumentBytes,
  maxFileDocumentBytes,
  maxFileName,
  maxParsedBytes,
  maxRecordedPodBytes,
  maxSparseDocumentBytes,
  maxSparseTokens
} from "./limits.ts"
import { type ParsedObject, readObject } from "./objects/read-object.ts"
import { openDocument } from "./open-document.ts"
import type { IgnoredField, ManifestProblem, ObjectKind } from "./port.ts"
import { fieldPath, type Place, type Reader } from "./read.ts"
import { redact, withoutLongLists } from "./redact.ts"
import { validatePod } from "./validate.ts"
import type { WrittenPod } from "./written.ts"

export interface ParsedPod {
  /** With all values. */
  readonly pod: Pod
  readonly recorded: Pod
  /** Where its name stands. */
  readonly place: Place | undefined
  readonly field: string
}
export interface ParsedFile {
  readonly pods: ReadonlyArray<ParsedPod>
  readonly objects: ReadonlyArray<ParsedObject>
  readonly problems: ReadonlyArray<ManifestProblem>
  readonly ignoredFields: ReadonlyArray<IgnoredField>
}

const bytesOf = (text: string): number => Buffer.byteLength(text)

const objectKinds: ReadonlySet<string> = new Set<ObjectKind>(["ConfigMap", "Secret", "Service", "RuntimeClass"])

/** What one document or item may be. */
interface Found {
  readonly pod: (path: string, map: YAMLMap) => void
  readonly object: (kind: ObjectKind, path: string, map: YAMLMap) => void
}

/** Reads a file's text. `file`: full path, part of the pods' identity, like the node's name. */
export const parseManifest = (content: string, file: string, node: string): ParsedFile => {
  const pods: Array<ParsedPod> = []
  const objects: Array<ParsedObject> = []
  const problems: Array<ManifestProblem> = []
  const ignoredFields: Array<IgnoredField> = []
  const budget = new Budget()
  // Whoever writes it cut it to nothing first, or could not write any more: not that its pods are to go.
  if (content.trim() === "") problems.push({ message: "the file is empty; remove it, and its pods go" })
  for (const { text, linesBefore } of splitDocuments(content)) {
    const verdict = budget.take(text)
    if (verdict !== undefined) {
      problems.push({ line: linesBefore + 1, column: 1, message: verdict.message })
      if (verdict.ends) break
      continue
    }
    const { document, reader, errors } = openDocument(text, linesBefore)
    if (errors.length > 0) {
      problems.push(...errors)
      continue
    }
    readAny(reader, document.contents, "", {
      pod: (path, map) => {
        const parsed = readPod(reader, map, path, file, node)
        if (parsed !== undefined) pods.push(parsed)
      },
      object: (kind, path, map) => {
        const parsed = readObject(reader, kind, map, path)
        if (parsed !== undefined) objects.push(parsed)
      }
    })
    problems.push(...reader.problems)
    ignoredFields.push(...reader.ignored)
  }
  return { pods, objects, problems, ignoredFields }
}

/** What of a file is parsed at all. Long texts are cheap, many small ones are not. */
class Budget {
  private dense = 0
  private all = 0

  /** What is wrong with taking this document too; `ends`: nor any after it. */
  take(text: string): { readonly message: string; readonly ends: boolean } | undefined {
    const size = bytesOf(text)
    const isSparse = size > maxDocumentBytes && size <= maxSparseDocumentBytes && hasFewTokens(text)
    if (size > maxDocumentBytes && !isSparse) {
      return { message: `the document is larger than ${maxDocumentBytes / 1024} KiB`, ends: false }
    }
    this.all += size
    if (!isSparse) this.dense += size
    const over =
      this.dense > maxParsedBytes ? maxParsedBytes : this.all > maxFileDocumentBytes ? maxFileDocumentBytes : undefined
    if (over === undefined) return undefined
    const most = `${over / 1024 / 1024} MiB`
    return {
      message: `the file's documents are more than ${most}: this one and those after it are left out`,
      ends: true
    }
  }
}

const hasFewTokens = (text: string): boolean => {
  let tokens = 0
  for (const _ of new Lexer().lex(text)) if (++tokens > maxSparseTokens) return false
  return true
}

/** Finds what one object is, which may be a list of objects. */
const readAny = (reader: Reader, raw: unknown, path: string, found: Found): void => {
  const node = reader.resolve(raw)
  if (node === undefined || !isMap(node)) {
    reader.problem(path, "must be a mapping with apiVersion, kind, metadata and spec", reader.placeOfNode(node))
    return
  }
  const kindNode = reader.resolve(node.get("kind", true))
  const kind = isScalar(kindNode) && typeof kindNode.value === "string" ? kindNode.value : undefined
  const place = reader.placeOfNode(kindNode ?? node)
  const lists = ["List", "PodList", ...[...objectKinds].map((k) => `${k}List`)]
  if (kind === "Pod") found.pod(path, node)
  else if (kind !== undefined && objectKinds.has(kind)) found.object(kind as ObjectKind, path, node)
  else if (kind !== undefined && lists.includes(kind) && path === "") {
    readItems(reader, node.get("items", true), node, found)
  } else if (kind === undefined) {
    const isGiven = kindNode !== undefined && !(isScalar(kindNode) && kindNode.value === null)
    reader.problem(fieldPath(path, "kind"), isGiven ? "must be text: Pod or List" : "is missing: Pod or List", place)
  } else if (kind === "EndpointSlice") {
    // What the reader of Services takes, which may look at the same directory.
    return
  } else if (companionKinds.has(kind))
    reader.ignore(fieldPath(path, "kind"), `${kind} has no meaning here; ignored`, place)
  else reader.problem(fieldPath(path, "kind"), `must be Pod or List, not ${JSON.stringify(kind.slice(0, 60))}`, place)
}

const readItems = (reader: Reader, raw: unknown, list: Node, found: Found): void => {
  const items = reader.resolve(raw)
  if (items === undefined || (isScalar(items) && items.value === null)) return
  if (!isSeq(items)) {
    reader.problem("items", "must be a list", reader.placeOfNode(items) ?? reader.placeOfNode(list))
    return
  }
  for (const [i, item] of items.items.entries()) readAny(reader, item, `items[${i}]`, found)
}

const readPod = (reader: Reader, map: YAMLMap, path: string, file: string, node: string): ParsedPod | undefined => {
  const before = reader.problems.length
  const written = reader.read(map, podShape, path) as WrittenPod | undefined
  if (written === undefined) return undefined
  // What has the wrong type is missing from `written`: it is not to be said twice.
  const known = new Set(reader.problems.slice(before).map((p) => p.field))
  validatePod(written, (field, message) => {
    const at = fieldPath(path, field)
    if (![...known].some((k) => k === at || k?.startsWith(`${at}[`) === true || k?.startsWith(`${at}.`) === true)) {
      reader.problem(at, message)
    }
  })
  if (reader.problems.length > before) return undefined
  const pod = identify(written as Parameters<typeof applyDefaults>[0], file, node)
  const { namespace, name, uid } = pod.metadata
  const logDirectory = bytesOf(`${namespace}_${name}_${uid}`)
  if (logDirectory > maxFileName) {
    reader.problem(
      fieldPath(path, "metadata.name"),
      `is too long: the directory of its logs, NAMESPACE_NAME_UID, would have ${logDirectory} characters; file systems take ${maxFileName}`
    )
    return undefined
  }
  const full = redact(pod)
  const recorded = recordedBytes(full) > maxRecordedPodBytes ? withoutLongLists(full) : full
  const field = fieldPath(path, "metadata.name")
  const bytes = recordedBytes(recorded)
  if (bytes > maxRecordedPodBytes) {
    reader.problem(
      path === "" ? "metadata" : path,
      `the pod is too large to be recorded: ${bytes} bytes of an event, and ${maxRecordedPodBytes} are the most`
    )
    return undefined
  }
  return { pod, recorded, place: reader.placeOfField(field), field }
}

/** Once plainly and once as text within JSON. */
const recordedBytes = (pod: Pod): number => {
  const text = JSON.stringify(pod)
  return bytesOf(text) + bytesOf(JSON.stringify(text))
}

const identify = (written: Parameters<typeof applyDefaults>[0], file: string, node: string): Pod => {
  const { metadata, spec } = applyDefaults(written)
  const given = written.metadata.uid
  const uid = given === undefined || given === "" ? derivedUid({ metadata, spec }, node, file) : given
  return { metadata: { ...metadata, uid }, spec }
}
