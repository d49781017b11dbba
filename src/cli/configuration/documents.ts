/** Documents of a configuration file: read with a bound, parsed, and checked against tables of fields, with places in the file. */
import { closeSync, openSync, readSync } from "node:fs"
import { type Document, isMap, LineCounter, parseAllDocuments, type YAMLMap } from "yaml"
import { CommandFailed } from "../exit.ts"
import type { Remark } from "../run/agent-options.ts"
import { oneLine } from "../text.ts"
import { checkFields, type Problem } from "./check.ts"
import type { Fields } from "./fields.ts"

/** Larger files are refused unread. */
export const maxConfigurationBytes = 1024 * 1024

/** `file:line:column` of an offset in the text. */
export type Place = (offset: number) => string

export interface ConfigurationDocument {
  readonly document: Document
  readonly root: YAMLMap
  readonly values: Record<string, unknown>
  readonly place: Place
  /** Line and column of an offset in the text that was parsed, from 1. */
  readonly position: (offset: number) => readonly [line: number, column: number]
}

/** @throws CommandFailed that says why the file cannot be read */
export const readConfigurationText = (file: string): string => {
  try {
    const bytes = readAtMost(file, maxConfigurationBytes + 1)
    if (bytes.length > maxConfigurationBytes)
      throw new CommandFailed(
        `${file}: is longer than ${maxConfigurationBytes} bytes, the most that a configuration has`
      )
    return bytes.toString("utf8")
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    throw new CommandFailed(
      `cannot read the configuration ${file}: ${error instanceof Error ? error.message : String(error)}`
    )
  }
}

/** What is no regular file (a pipe, a device) does not say how long it is, and may have no end. */
const readAtMost = (file: string, most: number): Buffer => {
  const descriptor = openSync(file, "r")
  try {
    const bytes = Buffer.alloc(most)
    let length = 0
    while (length < most) {
      const more = readSync(descriptor, bytes, length, most - length, null)
      if (more === 0) break
      length += more
    }
    return bytes.subarray(0, length)
  } finally {
    closeSync(descriptor)
  }
}

/** Place of a line and column of the text, both from 1. */
export type LineAt = (line: number, column: number) => string

/** Documents that are maps of fields, empty ones left out. `errors` name the places of what is none. */
export const parseDocuments = (
  text: string,
  at: LineAt
): { readonly documents: ReadonlyArray<ConfigurationDocument>; readonly errors: ReadonlyArray<string> } => {
  const lines = new LineCounter()
  const position = (offset: number): readonly [number, number] => {
    const { line, col } = lines.linePos(offset)
    return [Math.max(line, 1), Math.max(col, 1)]
  }
  const place: Place = (offset) => at(...position(offset))
  const documents: Array<ConfigurationDocument> = []
  const errors: Array<string> = []
  for (const document of parseAllDocuments(text, { lineCounter: lines })) {
    if (document.errors.length > 0) {
      for (const e of document.errors) errors.push(`${place(e.pos[0])}: ${e.message.split("\n")[0]}`)
      continue
    }
    const root = document.contents
    if (root === null) continue
    const offset = root.range?.[0] ?? 0
    let values: unknown
    try {
      values = document.toJS()
    } catch (error) {
      errors.push(`${place(offset)}: ${error instanceof Error ? error.message : String(error)}`)
      continue
    }
    if (values === null) continue
    if (!isMap(root)) {
      errors.push(`${place(offset)}: must be a map of fields`)
      continue
    }
    documents.push({ document, root, values: values as Record<string, unknown>, place, position })
  }
  return { documents, errors }
}

/**
 * A place within a field, or in the nearest map around it that is written: `stream.replicas`, `clusterDNS.0`. Names may have dots in
 * them: `evictionHard.memory.available`.
 */
export const offsetOfField = ({ document, root }: ConfigurationDocument, field: string): number => {
  const path: Array<string> = []
  let found = root.range?.[0] ?? 0
  for (let rest = field.split("."); rest.length > 0; ) {
    let taken = rest.length
    for (; taken > 0; taken -= 1) {
      const node = document.getIn([...path, rest.slice(0, taken).join(".")], true)
      const offset = (node as { readonly range?: readonly number[] } | undefined)?.range?.[0]
      if (offset === undefined) continue
      found = offset
      break
    }
    if (taken === 0) break
    path.push(rest.slice(0, taken).join("."))
    rest = rest.slice(taken)
  }
  return found
}

/** @param bounds what is wrong with values whose types are right; asked only where all types are */
export const checkDocument = (
  read: ConfigurationDocument,
  fields: Fields,
  bounds: () => ReadonlyArray<readonly [field: string, message: string]>
): { readonly errors: ReadonlyArray<string>; readonly remarks: ReadonlyArray<Remark> } => {
  const problems = [...checkFields(read.document, read.root, fields, "")]
  if (problems.every((p) => p.severity === "warning"))
    problems.push(
      ...bounds().map(
        ([field, message]): Problem => ({ offset: offsetOfField(read, field), field, message, severity: "error" })
      )
    )
  const errors: Array<string> = []
  const remarks: Array<Remark> = []
  for (const p of problems) {
    const message = `${read.place(p.offset)}: ${p.field}: ${p.message}`
    if (p.severity === "error") errors.push(message)
    else remarks.push({ level: "warn", message })
  }
  return { errors, remarks }
}

/** Kind and group of a document that is another one than was meant, on one line: either may hold anything. */
export const shownKind = ({ kind, apiVersion }: { readonly kind?: unknown; readonly apiVersion?: unknown }): string =>
  `'${oneLine(String(kind))}' of '${oneLine(String(apiVersion))}'`
