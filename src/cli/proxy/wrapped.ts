/**
 * The KubeProxyConfiguration within a file: a document of its own, or the text in a ConfigMap's data, as kubeadm keeps it
 * (key config.conf). Places are those of the outer file.
 */
import { isMap, isScalar, Scalar } from "yaml"
import { type ConfigurationDocument, type LineAt, parseDocuments } from "../configuration/documents.ts"

const group = "kubeproxy.config.k8s.io"
/** kubeadm's key. Others name it otherwise; any text that is of the group is taken. */
const usualKey = "config.conf"

export interface FoundDocuments {
  readonly documents: ReadonlyArray<ConfigurationDocument>
  /** Documents of the file that are something else: `DaemonSet kube-proxy`. */
  readonly others: ReadonlyArray<string>
  readonly errors: ReadonlyArray<string>
}

/** Where lines of a scalar's text are in the file that it stands in. */
const linesOf = (outer: ConfigurationDocument, text: string, key: string, node: Scalar, at: LineAt): LineAt => {
  const [line, column] = outer.position(node.range?.[0] ?? 0)
  // Of a literal block each line is a line of the file; of quoted and folded text only its begin is known.
  if (node.type !== Scalar.BLOCK_LITERAL) return (inner) => `${at(line, column)} (line ${inner} of ${key})`
  const content = String(node.value).split("\n")
  const file = text.split("\n")
  const first = content.findIndex((each) => each.trim() !== "")
  const indent = (file[line + first] ?? "").indexOf(content[first] ?? "")
  return (inner, innerColumn) => at(line + inner, innerColumn + Math.max(indent, 0))
}

const unwrap = (outer: ConfigurationDocument, text: string, at: LineAt): FoundDocuments | undefined => {
  const data = outer.root.get("data", true)
  if (!isMap(data)) return undefined
  const candidates = data.items.flatMap(({ key, value }) => {
    const name = String(isScalar(key) ? key.value : key)
    return isScalar(value) && typeof value.value === "string" ? [{ name, node: value as Scalar<string> }] : []
  })
  const found = candidates.filter(({ name, node }) => name === usualKey || node.value.includes(`${group}/`))
  if (found.length === 0) return undefined
  const parsed = found.map(({ name, node }) => parseDocuments(node.value, linesOf(outer, text, name, node, at)))
  return {
    documents: parsed.flatMap(({ documents }) => documents),
    others: [],
    errors: parsed.flatMap(({ errors }) => errors)
  }
}

/** All KubeProxyConfigurations of a file's text. */
export const findProxyDocuments = (text: string, file: string): FoundDocuments => {
  const at: LineAt = (line, column) => `${file}:${line}:${column}`
  const parsed = parseDocuments(text, at)
  const documents: Array<ConfigurationDocument> = []
  const others: Array<string> = []
  const errors = [...parsed.errors]
  for (const read of parsed.documents) {
    const { apiVersion, kind, metadata } = read.values as Readonly<Record<string, unknown>> & {
      readonly metadata?: { readonly name?: unknown } | null
    }
    const inner = apiVersion === "v1" && kind === "ConfigMap" ? unwrap(read, text, at) : undefined
    const isOther = apiVersion !== undefined && !String(apiVersion).startsWith(`${group}/`)
    if (inner !== undefined) {
      documents.push(...inner.documents)
      errors.push(...inner.errors)
    } else if (isOther)
      others.push(`${String(kind ?? "a document")}${metadata?.name === undefined ? "" : ` ${String(metadata.name)}`}`)
    else documents.push(read)
  }
  return { documents, others, errors }
}
