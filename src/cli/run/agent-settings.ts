/** Flags over configuration file over defaults, to the options of the agent. */
import { Result } from "effect"
import type { Verification } from "../../actors/image/verification.ts"
import type { LogRotationPolicy } from "../../actors/log/settings.ts"
import { quantityOf, value } from "../../actors/pod/resources/quantity.ts"
import type { Configuration } from "../configuration/configuration.ts"
import { UsageError } from "../exit.ts"
import { withDefaults } from "../kubelet-configuration/defaults.ts"
import type { KubeletConfiguration } from "../kubelet-configuration/shape.ts"
import type { NatsConnectionFlags, NatsTarget } from "../nats-flags.ts"
import type { ResolveNats } from "../neighbours.ts"
import type { ProxyFlags } from "../proxy/settings.ts"
import { parseBytes } from "../sizes.ts"
import { lengthOf, parseLength } from "../times.ts"
import {
  type AgentOptions,
  agentDefaults,
  type Durability,
  type LogFormat,
  type LogLevel,
  type PodOptions,
  type Recording,
  type RetentionOptions,
  type StreamOptions
} from "./agent-options.ts"
import { apiListeners, apiOptions } from "./api-settings.ts"
import type { CredentialProviderPaths } from "./credential-providers.ts"

/** As `chronode run` was given them. Absent: not given. */
export interface RunFlags extends NatsConnectionFlags, ProxyFlags {
  readonly manifests?: string
  readonly config?: string
  readonly cri?: string
  readonly dataDir?: string
  readonly nodeName?: string
  readonly podLogsDir?: string
  readonly containerLogsDir?: string
  readonly cgroupRoot?: string
  readonly apiPort?: string
  readonly tokenAuthFile?: string
  readonly authorizationPolicyFile?: string
  readonly authenticationKubeconfig?: string
  readonly registryConfig?: string
  readonly imageCredentialProviderConfig?: string
  readonly imageCredentialProviderBinDir?: string
  readonly recording?: Recording
  readonly durability?: Durability
  readonly streamMaxAge?: string
  readonly streamMaxBytes?: string
  readonly streamReplicas?: string
  readonly retentionMaxAge?: string
  readonly retentionMaxBytes?: string
  readonly otlp?: string
  readonly logFormat?: LogFormat
  readonly logLevel?: LogLevel
}

/** Milliseconds; also where the feature gate KubeletCrashLoopBackOffMax is off. */
const defaultRestartPeriod = 300_000
export const restartPeriodOf = ({ crashLoopBackOff }: KubeletConfiguration): number =>
  crashLoopBackOff.maxContainerRestartPeriod ?? defaultRestartPeriod
const defaultIdsPerPod = 65_536

/** RFC 1123 subdomain, as a Node's name must be. */
const nodeNamePattern = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/u

/** @param hostname this host's name @throws UsageError */
export const agentOptions = (
  flags: RunFlags,
  configuration: Configuration,
  hostname: string,
  resolveNats: ResolveNats
): AgentOptions => {
  const { chronode } = configuration
  const kubelet = kubeletConfiguration(flags, configuration)
  const manifests = kubelet.staticPodPath || undefined
  if (manifests === undefined && (flags.services ?? chronode.services) === undefined)
    throw new UsageError(
      "--manifests DIR is missing (and no configuration names a directory of manifests), and so is --services DIR"
    )
  const nodeName = flags.nodeName ?? chronode.nodeName ?? hostname.toLowerCase()
  if (!nodeNamePattern.test(nodeName))
    throw new UsageError(`--node-name: '${nodeName}' is no node name (lower case letters, digits, '-' and '.')`)
  const { podLogsDir } = kubelet
  return {
    nodeName,
    dataDir: flags.dataDir ?? chronode.dataDir ?? agentDefaults.dataDir,
    podLogsDir,
    containerLogsDir:
      flags.containerLogsDir ??
      chronode.containerLogsDir ??
      (podLogsDir === agentDefaults.podLogsDir ? agentDefaults.containerLogsDir : undefined),
    logRotation: logRotationOf(kubelet),
    manifests,
    fileCheckFrequency: kubelet.fileCheckFrequency,
    cri: kubelet.containerRuntimeEndpoint,
    runtimeRequestTimeout: kubelet.runtimeRequestTimeout,
    nats: natsOf(flags, configuration, resolveNats),
    recording: flags.recording ?? chronode.recording ?? agentDefaults.recording,
    durability: flags.durability ?? chronode.durability ?? agentDefaults.durability,
    stream: streamOptions(flags, configuration),
    retention: retentionOptions(flags, configuration),
    kubelet,
    api: apiOptions(flags, chronode),
    pods: podOptions(kubelet),
    registry: {
      config: (flags.registryConfig ?? chronode.registryConfig) || undefined,
      providers: [],
      verification: {
        policy: kubelet.imagePullCredentialsVerificationPolicy as Verification["policy"],
        allowlist: kubelet.preloadedImagesVerificationAllowlist
      }
    },
    proxy: undefined,
    otel: undefined,
    logFormat: flags.logFormat ?? chronode.log?.format ?? agentDefaults.logFormat,
    logLevel: flags.logLevel ?? chronode.log?.level ?? agentDefaults.logLevel,
    remarks: configuration.remarks,
    configurationFile: flags.config,
    notHonoured: configuration.notHonoured,
    reload: undefined
  }
}

/** A path is taken for a unix socket, as kubelet does. */
export const socketOf = (endpoint: string): string => {
  if (endpoint.startsWith("/")) return `unix://${endpoint}`
  if (/^unix:\/\/\/./u.test(endpoint)) return endpoint
  throw new UsageError(`--cri: '${endpoint}' is no unix socket; write unix:///run/containerd/containerd.sock`)
}

/** What the file says of kubelet's fields, with all defaults; flags and the file's own part count over it. */
const kubeletConfiguration = (flags: RunFlags, { kubelet, chronode }: Configuration): KubeletConfiguration => {
  const told = withDefaults(kubelet)
  return {
    ...told,
    staticPodPath: flags.manifests ?? chronode.manifests ?? told.staticPodPath,
    podLogsDir: flags.podLogsDir ?? chronode.podLogsDir ?? told.podLogsDir,
    containerRuntimeEndpoint: socketOf(flags.cri ?? chronode.cri ?? told.containerRuntimeEndpoint),
    cgroupRoot: flags.cgroupRoot ?? told.cgroupRoot,
    ...apiListeners(flags, chronode, told)
  }
}

const natsOf = (flags: RunFlags, { chronode }: Configuration, resolveNats: ResolveNats): NatsTarget | undefined => {
  const told = chronode.nats ?? {}
  if (flags.nats === false || (flags.nats === undefined && told.enabled === false)) return undefined
  const target = resolveNats({
    nats: typeof flags.nats === "string" ? flags.nats : told.servers?.join(","),
    creds: flags.creds ?? told.creds,
    nkey: flags.nkey ?? told.nkey,
    tlsCa: flags.tlsCa ?? told.tlsCA,
    tlsCert: flags.tlsCert ?? told.tlsCert,
    tlsKey: flags.tlsKey ?? told.tlsKey
  })
  if (Result.isFailure(target)) throw new UsageError(target.failure.message)
  return target.success
}

/** Seconds of a flag that is a length of time. */
const secondsFlag = (flag: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const length = parseLength(text)
  if (length === undefined) throw new UsageError(`${flag}: '${text}' is no length of time; write 7d, 12h or 0`)
  return Math.round(length / 1000)
}

const bytesFlag = (flag: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const bytes = text === "-1" ? -1 : parseBytes(text)
  if (bytes === undefined) throw new UsageError(`${flag}: '${text}' is no number of bytes; write 512Mi, 1Gi or 0`)
  return bytes
}

const seconds = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Math.round(lengthOf(text) / 1000)
const bytes = (value: string | number | undefined): number | undefined =>
  typeof value === "string" ? parseBytes(value) : value

const streamOptions = (flags: RunFlags, { chronode }: Configuration): StreamOptions => {
  const replicas = flags.streamReplicas === undefined ? undefined : Number(flags.streamReplicas)
  if (replicas !== undefined && !(Number.isInteger(replicas) && replicas >= 1 && replicas <= 5))
    throw new UsageError(`--stream-replicas: '${flags.streamReplicas}' is no number from 1 to 5`)
  const told = chronode.stream
  return {
    maxAgeSeconds:
      secondsFlag("--stream-max-age", flags.streamMaxAge) ??
      seconds(told?.maxAge) ??
      agentDefaults.stream.maxAgeSeconds,
    maxBytes:
      bytesFlag("--stream-max-bytes", flags.streamMaxBytes) ?? bytes(told?.maxBytes) ?? agentDefaults.stream.maxBytes,
    replicas: replicas ?? told?.replicas ?? agentDefaults.stream.replicas
  }
}

const retentionOptions = (flags: RunFlags, { chronode }: Configuration): RetentionOptions => {
  const maxBytes = bytesFlag("--retention-max-bytes", flags.retentionMaxBytes)
  if (maxBytes === -1) throw new UsageError("--retention-max-bytes: write 0 for no limit")
  const told = chronode.retention
  return {
    maxAgeSeconds:
      secondsFlag("--retention-max-age", flags.retentionMaxAge) ??
      seconds(told?.maxAge) ??
      agentDefaults.retention.maxAgeSeconds,
    maxBytes: maxBytes ?? bytes(told?.maxBytes) ?? agentDefaults.retention.maxBytes
  }
}

export const logRotationOf = (kubelet: KubeletConfiguration): LogRotationPolicy => {
  const bytes = value(quantityOf(kubelet.containerLogMaxSize))
  return {
    // As with kubelet, a negative size switches rotation off.
    maxSizeBytes: bytes < 0 ? undefined : bytes,
    maxFiles: kubelet.containerLogMaxFiles,
    maxWorkers: kubelet.containerLogMaxWorkers,
    monitorInterval: kubelet.containerLogMonitorInterval
  }
}

/** Where credential providers are configured. */
export const credentialProviderPaths = (flags: RunFlags, { chronode }: Configuration): CredentialProviderPaths => ({
  config: (flags.imageCredentialProviderConfig ?? chronode.imageCredentialProviderConfig) || undefined,
  binDir: (flags.imageCredentialProviderBinDir ?? chronode.imageCredentialProviderBinDir) || undefined
})

const podOptions = (kubelet: KubeletConfiguration): PodOptions => ({
  clusterDNS: kubelet.clusterDNS,
  clusterDomain: kubelet.clusterDomain,
  resolvConf: kubelet.resolvConf,
  cgroupDriver: kubelet.cgroupDriver,
  cgroupRoot: kubelet.cgroupRoot,
  cgroupsPerQOS: kubelet.cgroupsPerQOS,
  podPidsLimit: kubelet.podPidsLimit,
  cpuCFSQuota: kubelet.cpuCFSQuota,
  cpuCFSQuotaPeriod: kubelet.cpuCFSQuotaPeriod,
  singleProcessOOMKill: kubelet.singleProcessOOMKill,
  maxPods: kubelet.maxPods,
  maxParallelImagePulls: kubelet.serializeImagePulls ? 1 : (kubelet.maxParallelImagePulls ?? Number.MAX_SAFE_INTEGER),
  registryPullQPS: kubelet.registryPullQPS,
  registryBurst: kubelet.registryBurst,
  seccompDefault: kubelet.seccompDefault,
  allowedUnsafeSysctls: kubelet.allowedUnsafeSysctls,
  idsPerPod: kubelet.userNamespaces?.idsPerPod ?? defaultIdsPerPod
})
