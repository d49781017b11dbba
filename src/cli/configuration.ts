/**
 * The configuration file of `chronode run`: one or more YAML (or JSON) documents, each a KubeletConfiguration
 * (kubelet.config.k8s.io/v1beta1) or a ChronodeConfiguration (chronode.dev/v1alpha1), at most one of each. A document
 * without apiVersion and kind is read as a part of a KubeletConfiguration.
 */
import { isIP } from "node:net"
import { Result } from "effect"
import { parseReference, repositoryOf } from "../actors/image/reference.ts"
import type { Verification } from "../actors/image/verification.ts"
import { parseQuantity } from "../actors/pod/resources/quantity.ts"
import { allowlistProblem } from "../actors/pod/security/sysctls.ts"
import { idsUnit, maxIdsPerPod } from "../actors/pod/security/user-namespace.ts"
import type { ProxyMode } from "../adapters/dataplane/port.ts"
import type { CgroupDriver, Durability, LogFormat, LogLevel, Recording, Remark } from "./agent-options.ts"
import { type CgroupConfiguration, cgroupProblems } from "./configuration-cgroups.ts"
import { checkDocument, offsetOfField, parseDocuments, readConfigurationText } from "./configuration-documents.ts"
import { actedOn, chronodeFields } from "./configuration-fields.ts"
import { CommandFailed } from "./exit.ts"
import type { Written } from "./kubelet-configuration/codec.ts"
import { kubeletFields } from "./kubelet-configuration/fields.ts"
import { parseBytes } from "./sizes.ts"
import { lengthOf } from "./times.ts"

/** Fields of a KubeletConfiguration that have bounds, as written. Lengths of time are text (`1m30s`). */
interface BoundedFields extends CgroupConfiguration {
  readonly clusterDNS?: ReadonlyArray<string>
  readonly clusterDomain?: string
  readonly resolvConf?: string
  readonly cgroupDriver?: CgroupDriver
  readonly cgroupRoot?: string
  readonly staticPodPath?: string
  readonly containerRuntimeEndpoint?: string
  readonly podLogsDir?: string
  readonly containerLogMaxSize?: string
  readonly containerLogMaxFiles?: number
  readonly containerLogMaxWorkers?: number
  readonly containerLogMonitorInterval?: string
  readonly crashLoopBackOff?: { readonly maxContainerRestartPeriod?: string }
  readonly serializeImagePulls?: boolean
  readonly maxPods?: number
  readonly maxParallelImagePulls?: number
  readonly registryPullQPS?: number
  readonly registryBurst?: number
  readonly imagePullCredentialsVerificationPolicy?: Verification["policy"]
  readonly preloadedImagesVerificationAllowlist?: ReadonlyArray<string>
  readonly fileCheckFrequency?: string
  readonly runtimeRequestTimeout?: string
  readonly seccompDefault?: boolean
  readonly allowedUnsafeSysctls?: ReadonlyArray<string>
  readonly userNamespaces?: { readonly idsPerPod?: number }
}

export interface ChronodeConfiguration {
  readonly manifests?: string
  readonly cri?: string
  readonly dataDir?: string
  readonly nodeName?: string
  readonly podLogsDir?: string
  readonly containerLogsDir?: string
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
  readonly log?: { readonly format?: LogFormat; readonly level?: LogLevel }
}

export interface Configuration {
  /** As the file says it; `withDefaults` makes all of it. */
  readonly kubelet: Written
  readonly chronode: ChronodeConfiguration
  readonly remarks: ReadonlyArray<Remark>
}

export const noConfiguration: Configuration = { kubelet: {}, chronode: {}, remarks: [] }

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
        `${top}: kind: is '${kind}' of '${apiVersion}'; it can be KubeletConfiguration of kubelet.config.k8s.io/v1beta1 or ChronodeConfiguration of chronode.dev/v1alpha1`
      )
      continue
    }
    if (found[known.name] !== undefined) {
      errors.push(`${top}: kind: a second ${kind ?? "KubeletConfiguration"} in one file`)
      continue
    }
    const checked = checkDocument(read, known.fields, () => rangeProblems(known.name, values))
    errors.push(...checked.errors)
    remarks.push(...checked.remarks)
    if (part)
      remarks.push({ level: "warn", message: `${file}: names no kind; read as a part of a KubeletConfiguration` })
    if (known.name === "kubelet") {
      for (const field of Object.keys(values)) {
        if (field in kubeletFields && field !== "apiVersion" && field !== "kind" && !actedOn.has(field))
          remarks.push({
            level: "debug",
            message: `${place(offsetOfField(read, field))}: ${field}: is not acted on yet`
          })
      }
    }
    found[known.name] = dropNulls(values)
  }
  if (errors.length > 0) throw new CommandFailed(errors.join("\n"), "mend the configuration and start again")
  return { kubelet: found.kubelet ?? {}, chronode: found.chronode ?? {}, remarks }
}

const dropNulls = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))

/** Kubelet's bounds: pkg/kubelet/apis/config/validation/validation.go. Types are right already. */
const rangeProblems = (
  name: "kubelet" | "chronode",
  values: BoundedFields & ChronodeConfiguration
): ReadonlyArray<readonly [field: string, message: string]> => {
  const problems: Array<readonly [string, string]> = []
  const below = (field: string, value: number | undefined | null, least: number): void => {
    if (typeof value === "number" && value < least) problems.push([field, `must be at least ${least}, not ${value}`])
  }
  if (name === "chronode") {
    below("stream.replicas", values.stream?.replicas, 1)
    for (const field of ["stream", "retention"] as const) {
      const bytes = values[field]?.maxBytes
      if (typeof bytes === "string" && parseBytes(bytes) === undefined)
        problems.push([`${field}.maxBytes`, "must be a number of bytes such as 512Mi"])
    }
    return problems
  }
  for (const [i, address] of (values.clusterDNS ?? []).entries()) {
    if (isIP(address) === 0) problems.push([`clusterDNS.${i}`, `must be an IP address, not '${address}'`])
  }
  problems.push(...cgroupProblems(values))
  for (const [i, pattern] of (values.allowedUnsafeSysctls ?? []).entries()) {
    const wrong = allowlistProblem([pattern])
    if (wrong !== undefined) problems.push([`allowedUnsafeSysctls.${i}`, wrong])
  }
  const ids = values.userNamespaces?.idsPerPod
  if (typeof ids === "number" && (ids < idsUnit || ids % idsUnit !== 0 || ids > maxIdsPerPod))
    problems.push(["userNamespaces.idsPerPod", `must be a multiple of ${idsUnit}, at most ${maxIdsPerPod}, not ${ids}`])
  below("registryPullQPS", values.registryPullQPS, 0)
  below("registryBurst", values.registryBurst, 0)
  below("maxPods", values.maxPods, 0)
  below("maxParallelImagePulls", values.maxParallelImagePulls, 1)
  if (values.serializeImagePulls === true && (values.maxParallelImagePulls ?? 1) > 1)
    problems.push(["maxParallelImagePulls", "must be 1 (or absent) where serializeImagePulls is true"])
  below("containerLogMaxFiles", values.containerLogMaxFiles, 2)
  below("containerLogMaxWorkers", values.containerLogMaxWorkers, 1)
  problems.push(...verificationProblems(values))
  const size = values.containerLogMaxSize
  if (typeof size === "string" && size !== "" && Result.isFailure(parseQuantity(size)))
    problems.push(["containerLogMaxSize", `must be a number of bytes such as 10Mi, not '${size}'`])
  const monitor = values.containerLogMonitorInterval
  if (typeof monitor === "string" && lengthOf(monitor) < 3000)
    problems.push(["containerLogMonitorInterval", `must be at least 3s, not ${monitor}`])
  const period = values.crashLoopBackOff?.maxContainerRestartPeriod
  if (typeof period === "string") {
    const millis = lengthOf(period)
    if (millis < 1000 || millis > 300_000)
      problems.push(["crashLoopBackOff.maxContainerRestartPeriod", `must be from 1s to 300s, not ${period}`])
  }
  for (const field of ["fileCheckFrequency", "runtimeRequestTimeout"] as const) {
    const text = values[field]
    if (typeof text === "string" && lengthOf(text) < 0) problems.push([field, `must not be negative: ${text}`])
  }
  return problems
}

/** `pkg/kubelet/images/pullmanager/image_pull_policies.go` getAllowlistImagePattern, and validation.go. */
const verificationProblems = ({
  imagePullCredentialsVerificationPolicy: policy,
  preloadedImagesVerificationAllowlist: allowlist = []
}: BoundedFields): ReadonlyArray<readonly [field: string, message: string]> => {
  const field = "preloadedImagesVerificationAllowlist"
  const isListed = policy === "NeverVerifyAllowlistedImages"
  if (!isListed && allowlist.length > 0)
    return [[field, "needs imagePullCredentialsVerificationPolicy NeverVerifyAllowlistedImages"]]
  return allowlist.flatMap((entry, i) => {
    const name = entry.endsWith("/*") ? entry.slice(0, -2) : entry
    const isName = !("problem" in parseReference(name)) && (entry !== name || repositoryOf(name) === name)
    const what = "must be an image's full name without tag and digest, or end with /*"
    return isName ? [] : [[`${field}.${i}`, `${what}, not '${entry}'`] as const]
  })
}
