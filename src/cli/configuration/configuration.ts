/**
 * The configuration file of `chronode run`: one or more YAML (or JSON) documents, each a KubeletConfiguration
 * (kubelet.config.k8s.io/v1beta1) or a ChronodeConfiguration (chronode.dev/v1alpha1), at most one of each. A document
 * without apiVersion and kind is read as a part of a KubeletConfiguration.
 */
import type { ProxyMode } from "../../adapters/dataplane/port.ts"
import { CommandFailed } from "../exit.ts"
import type { Written } from "../kubelet-configuration/codec.ts"
import { withDefaults } from "../kubelet-configuration/defaults.ts"
import { kubeletFields } from "../kubelet-configuration/fields.ts"
import { type Judged, judgeKubelet } from "../kubelet-configuration/judged.ts"
import { notHonoured } from "../kubelet-configuration/support.ts"
import type { Durability, LogFormat, LogLevel, Recording, Remark } from "../run/agent-options.ts"
import type { OtelConfiguration } from "../run/otel-settings.ts"
import { parseBytes } from "../sizes.ts"
import { checkDocument, offsetOfField, parseDocuments, readConfigurationText, shownKind } from "./documents.ts"
import { chronodeFields } from "./fields.ts"

export interface ChronodeConfiguration {
  readonly manifests?: string
  readonly cri?: string
  readonly dataDir?: string
  readonly nodeName?: string
  readonly podLogsDir?: string
  readonly containerLogsDir?: string
  /** Port of the node's HTTP API by TLS; 0: none. */
  readonly apiPort?: number
  readonly tokenAuthFile?: string
  readonly authorizationPolicyFile?: string
  readonly authenticationKubeconfig?: string
  readonly registryConfig?: string
  readonly imageCredentialProviderConfig?: string
  readonly imageCredentialProviderBinDir?: string
  readonly services?: string
  readonly proxyConfig?: string
  readonly proxyMode?: ProxyMode
  readonly proxyModeFallback?: ProxyMode
  /** This and the next: empty: not served. */
  readonly healthzBindAddress?: string
  readonly metricsBindAddress?: string
  readonly dataplaneName?: string
  /** `10.96.0.0/12`, `10.96.0.0/12,fd00:96::/112` */
  readonly serviceClusterIpRange?: string
  /** `30000-32767` */
  readonly serviceNodePortRange?: string
  readonly zone?: string
  readonly recording?: Recording
  readonly durability?: Durability
  readonly nats?: {
    readonly enabled?: boolean
    readonly servers?: ReadonlyArray<string>
    readonly creds?: string
    readonly nkey?: string
    readonly tlsCA?: string
    readonly tlsCert?: string
    readonly tlsKey?: string
  }
  readonly stream?: { readonly maxAge?: string; readonly maxBytes?: string | number; readonly replicas?: number }
  readonly retention?: { readonly maxAge?: string; readonly maxBytes?: string | number }
  readonly otel?: OtelConfiguration
  readonly log?: { readonly format?: LogFormat; readonly level?: LogLevel }
}

export interface Configuration {
  /** As the file says it; `withDefaults` makes all of it. */
  readonly kubelet: Written
  readonly chronode: ChronodeConfiguration
  readonly remarks: ReadonlyArray<Remark>
  /** Fields of kubelet's that the file sets and that are not acted on. */
  readonly notHonoured: ReadonlyArray<string>
}

export const noConfiguration: Configuration = { kubelet: {}, chronode: {}, remarks: [], notHonoured: [] }

const kinds = {
  "kubelet.config.k8s.io/v1beta1/KubeletConfiguration": { name: "kubelet", fields: kubeletFields },
  "chronode.dev/v1alpha1/ChronodeConfiguration": { name: "chronode", fields: chronodeFields }
} as const

/** @param file path, for messages @throws CommandFailed that names file, line and field of every problem */
export const readConfiguration = (file: string): Configuration => parseConfiguration(readConfigurationText(file), file)

/** `text` is the file's content. @throws CommandFailed that names file, line and field of every problem */
export const parseConfiguration = (text: string, file: string): Configuration => {
  const found: { kubelet?: Record<string, unknown>; chronode?: Record<string, unknown> } = {}
  const parsed = parseDocuments(text, (line, column) => `${file}:${line}:${column}`)
  const errors = [...parsed.errors]
  const remarks: Array<Remark> = []
  for (const read of parsed.documents) {
    const { values, place } = read
    const { apiVersion, kind } = values
    const part = apiVersion === undefined && kind === undefined
    const known = part
      ? kinds["kubelet.config.k8s.io/v1beta1/KubeletConfiguration"]
      : kinds[`${apiVersion}/${kind}` as keyof typeof kinds]
    const top = place(read.root.range?.[0] ?? 0)
    if (known === undefined) {
      errors.push(
        `${top}: kind: is ${shownKind(values)}; it can be KubeletConfiguration of kubelet.config.k8s.io/v1beta1 or ChronodeConfiguration of chronode.dev/v1alpha1`
      )
      continue
    }
    if (found[known.name] !== undefined) {
      errors.push(`${top}: kind: a second ${kind ?? "KubeletConfiguration"} in one file`)
      continue
    }
    let judged: Judged = { errors: [], warnings: [] }
    const checked = checkDocument(read, known.fields, () => {
      if (known.name === "chronode") return chronodeProblems(values)
      judged = judgeKubelet(withDefaults(values))
      return judged.errors
    })
    errors.push(...checked.errors)
    remarks.push(...checked.remarks)
    for (const [field, message] of judged.warnings)
      remarks.push({ level: "warn", message: `${place(offsetOfField(read, field))}: ${field}: ${message}` })
    if (part)
      remarks.push({ level: "warn", message: `${file}: names no kind; read as a part of a KubeletConfiguration` })
    found[known.name] = dropNulls(values)
  }
  if (errors.length > 0) throw new CommandFailed(errors.join("\n"), "mend the configuration and start again")
  const ignored = notHonoured(found.kubelet ?? {})
  remarks.push(...ignoredRemarks(file, ignored))
  return {
    kubelet: found.kubelet ?? {},
    chronode: found.chronode ?? {},
    remarks,
    notHonoured: ignored.filter(({ status }) => status === "later").map(({ field }) => field)
  }
}

/** One warning with all names; those without a meaning here are no news. */
const ignoredRemarks = (file: string, ignored: ReturnType<typeof notHonoured>): ReadonlyArray<Remark> =>
  (
    [
      ["later", "warn", "are not acted on yet"],
      ["none", "debug", "have no meaning here"]
    ] as const
  ).flatMap(([status, level, what]) => {
    const names = ignored.filter((one) => one.status === status).map(({ field }) => field)
    return names.length === 0 ? [] : [{ level, message: `${file}: ${what}: ${names.join(", ")}` }]
  })

const dropNulls = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))

const chronodeProblems = (values: ChronodeConfiguration): ReadonlyArray<readonly [field: string, message: string]> => {
  const problems: Array<readonly [string, string]> = []
  const replicas = values.stream?.replicas
  if (typeof replicas === "number" && replicas < 1)
    problems.push(["stream.replicas", `must be at least 1, not ${replicas}`])
  for (const field of ["stream", "retention"] as const) {
    const bytes = values[field]?.maxBytes
    if (typeof bytes === "string" && parseBytes(bytes) === undefined)
      problems.push([`${field}.maxBytes`, "must be a number of bytes such as 512Mi"])
  }
  return problems
}
