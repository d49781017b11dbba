/**
 * Everything that the agent is told from outside: flags over configuration file over defaults. A plain record, so that
 * tests and other programs can start an agent without a command line.
 */
import type { Verification } from "../../actors/image/verification.ts"
import type { LogRotationPolicy } from "../../actors/log/settings.ts"
import type { ConntrackLimits } from "../../actors/proxy/conntrack-limits.ts"
import type { ProviderSettings } from "../../adapters/credentials/port.ts"
import type { DataplaneSettings, ProxyMode } from "../../adapters/dataplane/port.ts"
import type { KubeletConfiguration } from "../kubelet-configuration/shape.ts"
import type { NatsTarget } from "../nats-flags.ts"
import type { OtelOptions } from "./otel-settings.ts"

export const logLevels = ["trace", "debug", "info", "warn", "error"] as const
export type LogLevel = (typeof logLevels)[number]
export const logFormats = ["text", "json"] as const
export type LogFormat = (typeof logFormats)[number]
export const durabilities = ["always", "interval"] as const
export type Durability = (typeof durabilities)[number]
export const recordings = ["events", "inputs"] as const
export type Recording = (typeof recordings)[number]
export const cgroupDrivers = ["cgroupfs", "systemd"] as const
export type CgroupDriver = (typeof cgroupDrivers)[number]

/** What the node's stream is created with, if it does not exist. An existing one is left as it is. */
export interface StreamOptions {
  /** Seconds; 0: for ever. */
  readonly maxAgeSeconds: number
  /** Bytes; -1: no limit. */
  readonly maxBytes: number
  readonly replicas: number
}

/** How much of what has been published the journal keeps. */
export interface RetentionOptions {
  /** Seconds; 0: for ever. */
  readonly maxAgeSeconds: number
  /** Bytes; 0: no limit. */
  readonly maxBytes: number
}

/** Settings of the container runtime, images and pods, under kubelet's names. Lengths of time are milliseconds. */
export interface PodOptions {
  readonly clusterDNS: ReadonlyArray<string>
  readonly clusterDomain: string
  /** Empty: pods get no name servers from the host. */
  readonly resolvConf: string
  /** Counts only where the runtime does not tell its own (containerd before 2.0). */
  readonly cgroupDriver: CgroupDriver
  readonly cgroupRoot: string
  /** False: the runtime's own place for cgroups; the agent makes none. */
  readonly cgroupsPerQOS: boolean
  /** Processes and threads of one pod; -1: no limit. */
  readonly podPidsLimit: number
  readonly cpuCFSQuota: boolean
  /** Milliseconds. */
  readonly cpuCFSQuotaPeriod: number
  /** Undefined: kubelet's default, which is off on cgroup v2. */
  readonly singleProcessOOMKill: boolean | undefined
  /** Pods that the node takes. */
  readonly maxPods: number
  /** Pulls of different images at one time. */
  readonly maxParallelImagePulls: number
  /** Pulls that may begin in a second, on average and at once. 0 a second: no limit. */
  readonly registryPullQPS: number
  readonly registryBurst: number
  /** kubelet's seccompDefault: containers that name no seccomp profile get the runtime's. */
  readonly seccompDefault: boolean
  /** Kernel parameters beside the safe ones, as names and prefixes with `*`. */
  readonly allowedUnsafeSysctls: ReadonlyArray<string>
  /** Ids of each pod's user namespace. */
  readonly idsPerPod: number
}

/** With which credentials the node pulls images, beside the pods' own. */
export interface RegistryOptions {
  /** A file of docker's: by its path; `none`; undefined: the first of the usual places. */
  readonly config: string | undefined
  readonly providers: ReadonlyArray<ProviderSettings>
  /** Who may have an image that is on the node already. */
  readonly verification: Verification
}

/** What differs by the proxy's mode. Lengths of time are milliseconds. */
export interface ProxyModeOptions {
  readonly dataplane: DataplaneSettings
  /** How often all is compared with the kernel. */
  readonly syncPeriod: number
  /** Least time from one change of the kernel to the next; 0: each change at once. */
  readonly minSyncPeriod: number
  /** On which of the node's addresses node ports are answered: CIDRs, or `primary` alone; empty: on all. */
  readonly nodePortAddresses: ReadonlyArray<string>
  /** Settings that are not the defaults, by their name in KubeProxyConfiguration, as text. */
  readonly settings: Readonly<Record<string, string>>
}

/** How Services are put into the kernel. */
export interface ProxyOptions {
  /** Directory of Services and EndpointSlices. */
  readonly services: string
  /** From where Services without a cluster IP get theirs: at most one CIDR of each family. */
  readonly serviceClusterIpRange: ReadonlyArray<string>
  /** From where node ports come that nobody gave; both ends are in it. */
  readonly serviceNodePortRange: { readonly first: number; readonly last: number }
  /** Of this node, for hints of endpoints (label topology.kubernetes.io/zone); absent: it is in none. */
  readonly zone?: string
  readonly mode: ProxyMode
  /** Taken where the kernel cannot do `mode`; undefined: Services wait until it can. */
  readonly fallback: ProxyMode | undefined
  readonly modes: Readonly<Record<ProxyMode, ProxyModeOptions>>
  readonly conntrack: ConntrackLimits
  /** `0.0.0.0:10256`; undefined: not served. */
  readonly healthzBindAddress: string | undefined
  readonly metricsBindAddress: string | undefined
}

/** What the node's HTTP API is told beside kubelet's own settings. */
export interface ApiOptions {
  /** Static tokens, as of the API server's `--token-auth-file`. */
  readonly tokenAuthFile: string | undefined
  /** A NodeApiPolicy: who may do what. */
  readonly authorizationPolicyFile: string | undefined
  /** Of the API server that is asked for tokens and rights. */
  readonly authenticationKubeconfig: string | undefined
}

export interface AgentOptions {
  readonly nodeName: string
  readonly dataDir: string
  readonly podLogsDir: string
  /** Where a link to each container's log is made; undefined: nowhere. */
  readonly containerLogsDir: string | undefined
  readonly logRotation: LogRotationPolicy
  /** Directory of manifests; undefined: no pods are run, and no container runtime is needed. */
  readonly manifests: string | undefined
  /** How often the directory is read again, whatever the watch said; milliseconds. */
  readonly fileCheckFrequency: number
  /** `unix:///run/containerd/containerd.sock` */
  readonly cri: string
  /** Deadline of a call to the runtime; milliseconds. */
  readonly runtimeRequestTimeout: number
  /** Undefined: events are not published (`--no-nats`). */
  readonly nats: NatsTarget | undefined
  readonly recording: Recording
  readonly durability: Durability
  readonly stream: StreamOptions
  readonly retention: RetentionOptions
  /** All of kubelet's configuration, with its defaults, and with what flags say over it: what readers of a setting look at. */
  readonly kubelet: KubeletConfiguration
  readonly api: ApiOptions
  readonly pods: PodOptions
  readonly registry: RegistryOptions
  /** Undefined: no Services are served (no `--services`). */
  readonly proxy: ProxyOptions | undefined
  /** Undefined: no collector is told anything. */
  readonly otel: OtelOptions | undefined
  readonly logFormat: LogFormat
  readonly logLevel: LogLevel
  /** What is to be said of the configuration once the log is open: fields that are unknown or not acted on. */
  readonly remarks: ReadonlyArray<Remark>
  /** Undefined: there is none. */
  readonly configurationFile: string | undefined
  /** Fields that the file sets and that are not acted on. */
  readonly notHonoured: ReadonlyArray<string>
  /** What the options would be if the file were read now; throws what is wrong with it, a line for each problem. Undefined: it is not read again. */
  readonly reload: (() => AgentOptions) | undefined
}

export interface Remark {
  readonly level: "debug" | "warn"
  readonly message: string
}

/** Defaults of what is not in a KubeletConfiguration: those are in kubelet-configuration/defaults.ts. */
export const agentDefaults = {
  dataDir: "/var/lib/chronode",
  podLogsDir: "/var/log/pods",
  cri: "unix:///run/containerd/containerd.sock",
  /** Only beside the default of podLogsDir. */
  containerLogsDir: "/var/log/containers",
  recording: "events",
  durability: "always",
  stream: { maxAgeSeconds: 7 * 86_400, maxBytes: 512 * 1024 ** 2, replicas: 1 },
  retention: { maxAgeSeconds: 7 * 86_400, maxBytes: 1024 ** 3 },
  logFormat: "text",
  logLevel: "info"
} as const
