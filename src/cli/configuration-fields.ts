/**
 * The fields of a configuration file and their types. KubeletConfiguration: kubelet.config.k8s.io/v1beta1,
 * staging/src/k8s.io/kubelet/config/v1beta1/types.go; a file written for kubelet is taken as it is.
 */

import { verificationPolicies } from "../actors/image/verification.ts"
import { proxyModes } from "../adapters/dataplane/port.ts"

export type FieldType =
  | "string"
  | "boolean"
  | "integer"
  | "number"
  /** Go's duration as text: `1m30s`. */
  | "duration"
  /** The same, or nanoseconds as a number. */
  | "durationOrInteger"
  /** A number of bytes: a quantity as text, or a number. */
  | "bytes"
  | "strings"
  | "textMap"
  | "booleanMap"
  | "stringsMap"
  | { readonly one: ReadonlyArray<string> }
  | { readonly fields: Fields }
  | { readonly list: Fields }
export type Fields = Readonly<Record<string, FieldType>>

export const typeMeta: Fields = { apiVersion: "string", kind: "string" }

const names = (type: FieldType, list: string): Fields =>
  Object.fromEntries(list.split(/\s+/u).map((name) => [name, type]))

/** component-base's logging (staging/src/k8s.io/component-base/logs/api/v1/types.go), as both components have it. */
export const loggingFields: Fields = {
  format: "string",
  flushFrequency: "durationOrInteger",
  verbosity: "integer",
  vmodule: { list: { filePattern: "string", verbosity: "integer" } },
  options: {
    fields: {
      text: { fields: { splitStream: "boolean", infoBufferSize: "bytes" } },
      json: { fields: { splitStream: "boolean", infoBufferSize: "bytes" } }
    }
  }
}

/** Fields that Chronode acts on now; all others of a KubeletConfiguration are checked and left alone. */
export const actedOn: ReadonlySet<string> = new Set([
  "clusterDNS",
  "clusterDomain",
  "resolvConf",
  "cgroupDriver",
  "cgroupRoot",
  "cgroupsPerQOS",
  "enforceNodeAllocatable",
  "kubeReserved",
  "systemReserved",
  "podPidsLimit",
  "cpuCFSQuota",
  "cpuCFSQuotaPeriod",
  "singleProcessOOMKill",
  "maxPods",
  "staticPodPath",
  "containerRuntimeEndpoint",
  "podLogsDir",
  "containerLogMaxSize",
  "containerLogMaxFiles",
  "containerLogMaxWorkers",
  "containerLogMonitorInterval",
  "crashLoopBackOff",
  "serializeImagePulls",
  "maxParallelImagePulls",
  "registryPullQPS",
  "registryBurst",
  "imagePullCredentialsVerificationPolicy",
  "preloadedImagesVerificationAllowlist",
  "fileCheckFrequency",
  "runtimeRequestTimeout",
  "seccompDefault",
  "allowedUnsafeSysctls",
  "userNamespaces"
])

export const kubeletFields: Fields = {
  ...typeMeta,
  ...names(
    "boolean",
    `enableServer enableDebuggingHandlers enableContentionProfiling enableProfilingHandler enableDebugFlagsHandler
     enableSystemLogHandler enableSystemLogQuery rotateCertificates serverTLSBootstrap cgroupsPerQOS cpuCFSQuota runOnce
     serializeImagePulls protectKernelDefaults enableControllerAttachDetach makeIPTablesUtilChains failSwapOn failCgroupV1
     mergeDefaultEvictionSettings kernelMemcgNotification localStorageCapacityIsolation seccompDefault registerNode
     singleProcessOOMKill`
  ),
  ...names(
    "integer",
    `port readOnlyPort registryPullQPS registryBurst eventRecordQPS eventBurst healthzPort oomScoreAdj
     nodeLeaseDurationSeconds imageGCHighThresholdPercent imageGCLowThresholdPercent maxPods podPidsLimit podsPerCore
     nodeStatusMaxImages maxOpenFiles kubeAPIQPS kubeAPIBurst maxParallelImagePulls evictionMaxPodGracePeriod
     iptablesMasqueradeBit iptablesDropBit containerLogMaxFiles containerLogMaxWorkers`
  ),
  ...names(
    "duration",
    `syncFrequency fileCheckFrequency httpCheckFrequency streamingConnectionIdleTimeout nodeStatusUpdateFrequency
     nodeStatusReportFrequency imageMinimumGCAge imageMaximumGCAge volumeStatsAggPeriod cpuManagerReconcilePeriod
     runtimeRequestTimeout cpuCFSQuotaPeriod evictionPressureTransitionPeriod containerLogMonitorInterval
     shutdownGracePeriod shutdownGracePeriodCriticalPods`
  ),
  ...names(
    "string",
    `staticPodPath podLogsDir staticPodURL address tlsCertFile tlsPrivateKeyFile tlsMinVersion
     healthzBindAddress clusterDomain kubeletCgroups systemCgroups cgroupRoot
     cpuManagerPolicy memoryManagerPolicy memoryReservationPolicy topologyManagerPolicy topologyManagerScope hairpinMode
     podCIDR resolvConf contentType containerLogMaxSize configMapAndSecretChangeDetectionStrategy systemReservedCgroup
     kubeReservedCgroup showHiddenMetricsForVersion reservedSystemCPUs volumePluginDir providerID
     containerRuntimeEndpoint imageServiceEndpoint`
  ),
  ...names(
    "strings",
    `tlsCipherSuites tlsCurvePreferences clusterDNS allowedUnsafeSysctls enforceNodeAllocatable
     preloadedImagesVerificationAllowlist`
  ),
  ...names(
    "textMap",
    `cpuManagerPolicyOptions topologyManagerPolicyOptions qosReserved evictionHard evictionSoft evictionSoftGracePeriod
     evictionMinimumReclaim systemReserved kubeReserved`
  ),
  cgroupDriver: { one: ["cgroupfs", "systemd"] },
  imagePullCredentialsVerificationPolicy: { one: ["", ...verificationPolicies] },
  featureGates: "booleanMap",
  staticPodURLHeader: "stringsMap",
  memoryThrottlingFactor: "number",
  crashLoopBackOff: { fields: { maxContainerRestartPeriod: "duration" } },
  memorySwap: { fields: { swapBehavior: "string" } },
  userNamespaces: { fields: { idsPerPod: "integer" } },
  authentication: {
    fields: {
      x509: { fields: { clientCAFile: "string" } },
      webhook: { fields: { enabled: "boolean", cacheTTL: "duration" } },
      anonymous: { fields: { enabled: "boolean" } }
    }
  },
  authorization: {
    fields: {
      mode: "string",
      webhook: { fields: { cacheAuthorizedTTL: "duration", cacheUnauthorizedTTL: "duration" } }
    }
  },
  logging: { fields: loggingFields },
  tracing: { fields: { endpoint: "string", samplingRatePerMillion: "integer" } },
  shutdownGracePeriodByPodPriority: { list: { priority: "integer", shutdownGracePeriodSeconds: "integer" } },
  reservedMemory: { list: { numaNode: "integer", limits: "textMap" } },
  registerWithTaints: { list: { key: "string", value: "string", effect: "string", timeAdded: "string" } }
}

/** Chronode's own settings: what the flags of `chronode run` say, in a file. */
export const chronodeFields: Fields = {
  ...typeMeta,
  manifests: "string",
  cri: "string",
  dataDir: "string",
  nodeName: "string",
  podLogsDir: "string",
  containerLogsDir: "string",
  registryConfig: "string",
  imageCredentialProviderConfig: "string",
  imageCredentialProviderBinDir: "string",
  services: "string",
  proxyConfig: "string",
  proxyMode: { one: proxyModes },
  proxyModeFallback: { one: proxyModes },
  healthzBindAddress: "string",
  metricsBindAddress: "string",
  dataplaneName: "string",
  serviceClusterIpRange: "string",
  serviceNodePortRange: "string",
  zone: "string",
  recording: { one: ["events", "inputs"] },
  durability: { one: ["always", "interval"] },
  nats: {
    fields: {
      enabled: "boolean",
      servers: "strings",
      creds: "string",
      nkey: "string",
      tlsCA: "string",
      tlsCert: "string",
      tlsKey: "string"
    }
  },
  stream: { fields: { maxAge: "duration", maxBytes: "bytes", replicas: "integer" } },
  retention: { fields: { maxAge: "duration", maxBytes: "bytes" } },
  log: { fields: { format: { one: ["text", "json"] }, level: { one: ["trace", "debug", "info", "warn", "error"] } } }
}
