/** Reads the file of `--proxy-config`: a KubeProxyConfiguration, plain or in a ConfigMap, also among other documents. */
import type { ProxyMode } from "../../adapters/dataplane/port.ts"
import {
  type ConfigurationDocument,
  checkDocument,
  offsetOfField,
  readConfigurationText,
  shownKind
} from "../configuration/documents.ts"
import { CommandFailed } from "../exit.ts"
import type { Remark } from "../run/agent-options.ts"
import { proxyFields, proxyFieldTable } from "./fields.ts"
import { type ProxyConfiguration, type WrittenProxyConfiguration, withOwnDefaults } from "./shape.ts"
import { proxyProblems } from "./validation.ts"
import { findProxyDocuments } from "./wrapped.ts"

export interface ReadProxyConfiguration {
  readonly written: WrittenProxyConfiguration
  /** With the defaults. */
  readonly config: ProxyConfiguration
  /** Fields that are unknown, and such that say something and are not acted on. */
  readonly remarks: ReadonlyArray<Remark>
}

/** As if the file had nothing in it. */
export const noProxyConfiguration: ReadProxyConfiguration = {
  written: {},
  config: withOwnDefaults({}),
  remarks: []
}

/** Modes that flags name: they count instead of the file's, or where its mode cannot be had. */
export interface ModeFlags {
  readonly mode?: ProxyMode | undefined
  readonly fallback?: ProxyMode | undefined
}

export const defaultProxyMode: ProxyMode = "nftables"

const apiVersion = "kubeproxy.config.k8s.io/v1alpha1"
const kind = "KubeProxyConfiguration"

/** @throws CommandFailed that names file, line and field of every problem */
export const readProxyConfiguration = (file: string, modes: ModeFlags = {}): ReadProxyConfiguration =>
  parseProxyConfiguration(readConfigurationText(file), file, modes)

/** `text` is the file's content. @throws CommandFailed that names file, line and field of every problem */
export const parseProxyConfiguration = (
  text: string,
  file: string,
  { mode, fallback }: ModeFlags = {}
): ReadProxyConfiguration => {
  const { documents, others, errors: unread } = findProxyDocuments(text, file)
  const errors = [...unread]
  const remarks: Array<Remark> = others.map((other) => ({
    level: "debug",
    message: `${file}: ${other} is no configuration of kube-proxy, and is left alone`
  }))
  let found: ReadProxyConfiguration | undefined
  for (const read of documents) {
    const { values, place } = read
    const top = place(read.root.range?.[0] ?? 0)
    const isNamed = values.apiVersion !== undefined || values.kind !== undefined
    if (isNamed && (values.apiVersion !== apiVersion || values.kind !== kind)) {
      errors.push(`${top}: kind: is ${shownKind(values)}; it can be ${kind} of ${apiVersion}`)
      continue
    }
    if (found !== undefined) {
      errors.push(`${top}: kind: a second ${kind} in one file`)
      continue
    }
    const written = values as WrittenProxyConfiguration
    const inForce = () => {
      const asked = (mode ?? written.mode) || undefined
      return new Set([(asked as ProxyMode | undefined) ?? defaultProxyMode, ...(fallback ? [fallback] : [])])
    }
    const checked = checkDocument(read, proxyFields, () => proxyProblems(withOwnDefaults(written), inForce()))
    errors.push(...checked.errors)
    remarks.push(...checked.remarks)
    if (!isNamed) remarks.push({ level: "warn", message: `${file}: names no kind; read as a ${kind}` })
    if (checked.errors.length > 0) continue
    remarks.push(...notHonoured(read))
    found = { written, config: withOwnDefaults(written), remarks: [] }
  }
  if (errors.length > 0) throw new CommandFailed(errors.join("\n"), "mend the configuration and start again")
  if (found === undefined) {
    const instead = others.length === 0 ? "nothing" : others.join(", ")
    throw new CommandFailed(
      `${file}: has no ${kind} of ${apiVersion}, plain or in a ConfigMap's data; it has ${instead}`,
      "name the file that kube-proxy's --config names, or the ConfigMap kube-proxy of kube-system"
    )
  }
  return { ...found, remarks }
}

/** The value says nothing: absent, empty or Go's zero. */
const isZero = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  value === false ||
  value === 0 ||
  (typeof value === "string" && /^(?:0[a-zµ]*)+$/u.test(value)) ||
  (typeof value === "object" && Object.values(value).every(isZero))

/** Fields that say something and are not acted on: each is warned of, with the reason. */
const notHonoured = (read: ConfigurationDocument): ReadonlyArray<Remark> => {
  const remarks: Array<Remark> = []
  for (const [field, { isHonoured, how, otherwise }] of Object.entries(proxyFieldTable)) {
    if (isHonoured) continue
    const node = read.document.getIn(field.split("."))
    const value =
      typeof node === "object" && node !== null ? (node as { toJSON: () => unknown }).toJSON() : (node as unknown)
    if (isZero(value) || String(value) === otherwise) continue
    const place = read.place(offsetOfField(read, field))
    remarks.push({ level: "warn", message: `${place}: ${field}: is not acted on: ${how}` })
  }
  const { detectLocalMode } = read.values as WrittenProxyConfiguration
  if (detectLocalMode === "NodeCIDR")
    remarks.push({
      level: "warn",
      message: `${read.place(offsetOfField(read, "detectLocalMode"))}: detectLocalMode: NodeCIDR needs a Node of an API server; clusterCIDR counts instead`
    })
  return remarks
}
