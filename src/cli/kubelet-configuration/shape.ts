/**
 * A KubeletConfiguration (kubelet.config.k8s.io/v1beta1) with all of its fields and their defaults filled in: what the parts of the
 * agent read their settings from. Names are the file's own.
 *
 * Lengths of time are **milliseconds** (a fraction where the file says less); what the file gives in seconds is in seconds here too, and
 * its name says so. Amounts and thresholds are text, as written: `100Mi`, `10%`. Lists and maps are never absent; empty text is "not
 * given". What may be `undefined` has no default.
 */

/** Milliseconds. */
type Millis = number
/** By resource, signal or option. */
type Texts = Readonly<Record<string, string>>

export interface KubeletAuthentication {
  readonly x509: { readonly clientCAFile: string }
  readonly webhook: { readonly enabled: boolean; readonly cacheTTL: Millis }
  readonly anonymous: { readonly enabled: boolean }
}

export interface KubeletAuthorization {
  /** `AlwaysAllow` or `Webhook`. */
  readonly mode: string
  readonly webhook: { readonly cacheAuthorizedTTL: Millis; readonly cacheUnauthorizedTTL: Millis }
}

export interface KubeletLogging {
  readonly format: string
  readonly flushFrequency: Millis
  readonly verbosity: number
  readonly vmodule: ReadonlyArray<{ readonly filePattern: string; readonly verbosity: number }>
  readonly options: {
    readonly text: { readonly splitStream: boolean; readonly infoBufferSize: string }
    readonly json: { readonly splitStream: boolean; readonly infoBufferSize: string }
  }
}

export interface KubeletTaint {
  readonly key: string
  readonly value?: string
  readonly effect: string
  readonly timeAdded?: string
}

export interface KubeletConfiguration {
  readonly enableServer: boolean
  readonly staticPodPath: string
  readonly podLogsDir: string
  readonly syncFrequency: Millis
  readonly fileCheckFrequency: Millis
  readonly httpCheckFrequency: Millis
  readonly staticPodURL: string
  /** Values are secrets: never in an event or a message. */
  readonly staticPodURLHeader: Readonly<Record<string, ReadonlyArray<string>>>
  readonly address: string
  readonly port: number
  /** 0: off. */
  readonly readOnlyPort: number
  readonly tlsCertFile: string
  readonly tlsPrivateKeyFile: string
  readonly tlsCipherSuites: ReadonlyArray<string>
  /** `VersionTLS12`, `VersionTLS13`; empty: the library's. */
  readonly tlsMinVersion: string
  readonly tlsCurvePreferences: ReadonlyArray<string>
  readonly rotateCertificates: boolean
  readonly serverTLSBootstrap: boolean
  readonly authentication: KubeletAuthentication
  readonly authorization: KubeletAuthorization
  /** A second; 0: no limit. */
  readonly registryPullQPS: number
  readonly registryBurst: number
  readonly imagePullCredentialsVerificationPolicy: string
  readonly preloadedImagesVerificationAllowlist: ReadonlyArray<string>
  readonly eventRecordQPS: number
  readonly eventBurst: number
  readonly enableDebuggingHandlers: boolean
  readonly enableContentionProfiling: boolean
  /** 0: off. */
  readonly healthzPort: number
  readonly healthzBindAddress: string
  readonly oomScoreAdj: number
  readonly clusterDomain: string
  readonly clusterDNS: ReadonlyArray<string>
  readonly streamingConnectionIdleTimeout: Millis
  readonly nodeStatusUpdateFrequency: Millis
  readonly nodeStatusReportFrequency: Millis
  readonly nodeLeaseDurationSeconds: number
  readonly imageMinimumGCAge: Millis
  /** 0: images do not go for their age alone. */
  readonly imageMaximumGCAge: Millis
  readonly imageGCHighThresholdPercent: number
  readonly imageGCLowThresholdPercent: number
  readonly volumeStatsAggPeriod: Millis
  readonly kubeletCgroups: string
  readonly systemCgroups: string
  readonly cgroupRoot: string
  readonly cgroupsPerQOS: boolean
  readonly cgroupDriver: "cgroupfs" | "systemd"
  readonly cpuManagerPolicy: string
  /** Undefined: kubelet's default, which is off on cgroup v2. */
  readonly singleProcessOOMKill: boolean | undefined
  readonly cpuManagerPolicyOptions: Texts
  readonly cpuManagerReconcilePeriod: Millis
  readonly memoryManagerPolicy: string
  readonly topologyManagerPolicy: string
  readonly topologyManagerScope: string
  readonly topologyManagerPolicyOptions: Texts
  readonly qosReserved: Texts
  readonly runtimeRequestTimeout: Millis
  readonly hairpinMode: string
  readonly maxPods: number
  readonly podCIDR: string
  /** -1: no limit. */
  readonly podPidsLimit: number
  readonly resolvConf: string
  readonly runOnce: boolean
  readonly cpuCFSQuota: boolean
  readonly cpuCFSQuotaPeriod: Millis
  readonly nodeStatusMaxImages: number
  readonly maxOpenFiles: number
  readonly contentType: string
  readonly kubeAPIQPS: number
  readonly kubeAPIBurst: number
  readonly serializeImagePulls: boolean
  /** Undefined: no limit, where images are not pulled one by one. */
  readonly maxParallelImagePulls: number | undefined
  /** By signal: `memory.available: 100Mi`, `nodefs.available: 10%`. The defaults are there only where the file has no such map at all. */
  readonly evictionHard: Texts
  readonly evictionSoft: Texts
  /** By signal, Go's lengths of time: `1m30s`. */
  readonly evictionSoftGracePeriod: Texts
  readonly evictionPressureTransitionPeriod: Millis
  /** Seconds. */
  readonly evictionMaxPodGracePeriod: number
  readonly evictionMinimumReclaim: Texts
  readonly mergeDefaultEvictionSettings: boolean
  /** 0: no such limit. */
  readonly podsPerCore: number
  readonly enableControllerAttachDetach: boolean
  readonly protectKernelDefaults: boolean
  readonly makeIPTablesUtilChains: boolean
  readonly iptablesMasqueradeBit: number
  readonly iptablesDropBit: number
  readonly featureGates: Readonly<Record<string, boolean>>
  readonly failSwapOn: boolean
  /** `NoSwap`, `LimitedSwap`; empty: NoSwap. */
  readonly memorySwap: { readonly swapBehavior: string }
  readonly containerLogMaxSize: string
  readonly containerLogMaxFiles: number
  readonly containerLogMaxWorkers: number
  readonly containerLogMonitorInterval: Millis
  readonly configMapAndSecretChangeDetectionStrategy: string
  readonly systemReserved: Texts
  readonly kubeReserved: Texts
  readonly reservedSystemCPUs: string
  readonly showHiddenMetricsForVersion: string
  readonly systemReservedCgroup: string
  readonly kubeReservedCgroup: string
  readonly enforceNodeAllocatable: ReadonlyArray<string>
  readonly allowedUnsafeSysctls: ReadonlyArray<string>
  readonly volumePluginDir: string
  readonly providerID: string
  readonly kernelMemcgNotification: boolean
  readonly logging: KubeletLogging
  readonly enableSystemLogHandler: boolean
  readonly enableSystemLogQuery: boolean | undefined
  readonly shutdownGracePeriod: Millis
  readonly shutdownGracePeriodCriticalPods: Millis
  readonly shutdownGracePeriodByPodPriority: ReadonlyArray<{
    readonly priority: number
    readonly shutdownGracePeriodSeconds: number
  }>
  /** Undefined: feature gate KubeletCrashLoopBackOffMax is off. */
  readonly crashLoopBackOff: { readonly maxContainerRestartPeriod: Millis | undefined }
  readonly reservedMemory: ReadonlyArray<{ readonly numaNode: number; readonly limits: Texts }>
  readonly enableProfilingHandler: boolean
  readonly enableDebugFlagsHandler: boolean
  readonly seccompDefault: boolean
  readonly memoryThrottlingFactor: number | undefined
  readonly memoryReservationPolicy: string
  readonly registerWithTaints: ReadonlyArray<KubeletTaint>
  readonly registerNode: boolean
  readonly tracing:
    | { readonly endpoint: string | undefined; readonly samplingRatePerMillion: number | undefined }
    | undefined
  readonly localStorageCapacityIsolation: boolean
  readonly containerRuntimeEndpoint: string
  readonly imageServiceEndpoint: string
  readonly failCgroupV1: boolean
  readonly userNamespaces: { readonly idsPerPod: number | undefined } | undefined
}
