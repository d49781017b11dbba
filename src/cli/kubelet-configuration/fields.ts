/**
 * The fields of a KubeletConfiguration, their types, and what counts as "not given"
 * (staging/src/k8s.io/kubelet/config/v1beta1/types.go at 1.36). Paths of nested fields are written with dots.
 */
import { type Fields, type FieldType, loggingFields, typeMeta } from "../configuration/fields.ts"

export interface KubeletField {
  readonly type: FieldType
  /**
   * `value`: Go's zero (0, "", false, no entries) is the same as absent, and is not written in JSON. `pointer`: only absence is; what is
   * there is written. `always`: as `value`, and written even if zero (lengths of time are structs in Go).
   */
  readonly nature: "value" | "pointer" | "always"
}

const value = (type: FieldType): KubeletField => ({ type, nature: "value" })
const pointer = (type: FieldType): KubeletField => ({ type, nature: "pointer" })
const always = (type: FieldType): KubeletField => ({ type, nature: "always" })

/** In the order of kubelet's own type. */
export const kubeletFieldTable = {
  enableServer: pointer("boolean"),
  staticPodPath: value("string"),
  podLogsDir: value("string"),
  syncFrequency: always("duration"),
  fileCheckFrequency: always("duration"),
  httpCheckFrequency: always("duration"),
  staticPodURL: value("string"),
  staticPodURLHeader: value("stringsMap"),
  address: value("string"),
  port: value("integer"),
  readOnlyPort: value("integer"),
  tlsCertFile: value("string"),
  tlsPrivateKeyFile: value("string"),
  tlsCipherSuites: value("strings"),
  tlsMinVersion: value("string"),
  tlsCurvePreferences: value("strings"),
  rotateCertificates: value("boolean"),
  serverTLSBootstrap: value("boolean"),
  "authentication.x509.clientCAFile": value("string"),
  "authentication.webhook.enabled": pointer("boolean"),
  "authentication.webhook.cacheTTL": always("duration"),
  "authentication.anonymous.enabled": pointer("boolean"),
  "authorization.mode": value("string"),
  "authorization.webhook.cacheAuthorizedTTL": always("duration"),
  "authorization.webhook.cacheUnauthorizedTTL": always("duration"),
  registryPullQPS: pointer("integer"),
  registryBurst: value("integer"),
  imagePullCredentialsVerificationPolicy: value("string"),
  preloadedImagesVerificationAllowlist: value("strings"),
  eventRecordQPS: pointer("integer"),
  eventBurst: value("integer"),
  enableDebuggingHandlers: pointer("boolean"),
  enableContentionProfiling: value("boolean"),
  healthzPort: pointer("integer"),
  healthzBindAddress: value("string"),
  oomScoreAdj: pointer("integer"),
  clusterDomain: value("string"),
  clusterDNS: value("strings"),
  streamingConnectionIdleTimeout: always("duration"),
  nodeStatusUpdateFrequency: always("duration"),
  nodeStatusReportFrequency: always("duration"),
  nodeLeaseDurationSeconds: value("integer"),
  imageMinimumGCAge: always("duration"),
  imageMaximumGCAge: always("duration"),
  imageGCHighThresholdPercent: pointer("integer"),
  imageGCLowThresholdPercent: pointer("integer"),
  volumeStatsAggPeriod: always("duration"),
  kubeletCgroups: value("string"),
  systemCgroups: value("string"),
  cgroupRoot: value("string"),
  cgroupsPerQOS: pointer("boolean"),
  cgroupDriver: value({ one: ["cgroupfs", "systemd"] }),
  cpuManagerPolicy: value("string"),
  singleProcessOOMKill: pointer("boolean"),
  cpuManagerPolicyOptions: value("textMap"),
  cpuManagerReconcilePeriod: always("duration"),
  memoryManagerPolicy: value("string"),
  topologyManagerPolicy: value("string"),
  topologyManagerScope: value("string"),
  topologyManagerPolicyOptions: value("textMap"),
  qosReserved: value("textMap"),
  runtimeRequestTimeout: always("duration"),
  hairpinMode: value("string"),
  maxPods: value("integer"),
  podCIDR: value("string"),
  podPidsLimit: pointer("integer"),
  resolvConf: pointer("string"),
  runOnce: value("boolean"),
  cpuCFSQuota: pointer("boolean"),
  cpuCFSQuotaPeriod: pointer("duration"),
  nodeStatusMaxImages: pointer("integer"),
  maxOpenFiles: value("integer"),
  contentType: value("string"),
  kubeAPIQPS: pointer("integer"),
  kubeAPIBurst: value("integer"),
  serializeImagePulls: pointer("boolean"),
  maxParallelImagePulls: pointer("integer"),
  evictionHard: pointer("textMap"),
  evictionSoft: value("textMap"),
  evictionSoftGracePeriod: value("textMap"),
  evictionPressureTransitionPeriod: always("duration"),
  evictionMaxPodGracePeriod: value("integer"),
  evictionMinimumReclaim: value("textMap"),
  mergeDefaultEvictionSettings: pointer("boolean"),
  podsPerCore: value("integer"),
  enableControllerAttachDetach: pointer("boolean"),
  protectKernelDefaults: value("boolean"),
  makeIPTablesUtilChains: pointer("boolean"),
  iptablesMasqueradeBit: pointer("integer"),
  iptablesDropBit: pointer("integer"),
  featureGates: value("booleanMap"),
  failSwapOn: pointer("boolean"),
  "memorySwap.swapBehavior": value("string"),
  containerLogMaxSize: value("string"),
  containerLogMaxFiles: pointer("integer"),
  containerLogMaxWorkers: pointer("integer"),
  containerLogMonitorInterval: pointer("duration"),
  configMapAndSecretChangeDetectionStrategy: value("string"),
  systemReserved: value("textMap"),
  kubeReserved: value("textMap"),
  reservedSystemCPUs: value("string"),
  showHiddenMetricsForVersion: value("string"),
  systemReservedCgroup: value("string"),
  kubeReservedCgroup: value("string"),
  enforceNodeAllocatable: pointer("strings"),
  allowedUnsafeSysctls: value("strings"),
  volumePluginDir: value("string"),
  providerID: value("string"),
  kernelMemcgNotification: value("boolean"),
  "logging.format": value("string"),
  "logging.flushFrequency": always("durationOrInteger"),
  "logging.verbosity": always("integer"),
  "logging.vmodule": value(loggingFields.vmodule as FieldType),
  "logging.options.text.splitStream": value("boolean"),
  "logging.options.text.infoBufferSize": always("bytes"),
  "logging.options.json.splitStream": value("boolean"),
  "logging.options.json.infoBufferSize": always("bytes"),
  enableSystemLogHandler: pointer("boolean"),
  enableSystemLogQuery: pointer("boolean"),
  shutdownGracePeriod: always("duration"),
  shutdownGracePeriodCriticalPods: always("duration"),
  shutdownGracePeriodByPodPriority: value({ list: { priority: "integer", shutdownGracePeriodSeconds: "integer" } }),
  "crashLoopBackOff.maxContainerRestartPeriod": pointer("duration"),
  reservedMemory: value({ list: { numaNode: "integer", limits: "textMap" } }),
  enableProfilingHandler: pointer("boolean"),
  enableDebugFlagsHandler: pointer("boolean"),
  seccompDefault: pointer("boolean"),
  memoryThrottlingFactor: pointer("number"),
  memoryReservationPolicy: value("string"),
  registerWithTaints: value({ list: { key: "string", value: "string", effect: "string", timeAdded: "string" } }),
  registerNode: pointer("boolean"),
  "tracing.endpoint": pointer("string"),
  "tracing.samplingRatePerMillion": pointer("integer"),
  localStorageCapacityIsolation: pointer("boolean"),
  containerRuntimeEndpoint: always("string"),
  imageServiceEndpoint: value("string"),
  failCgroupV1: pointer("boolean"),
  "userNamespaces.idsPerPod": pointer("integer")
} satisfies Readonly<Record<string, KubeletField>>

export type KubeletFieldPath = keyof typeof kubeletFieldTable

export const kubeletFieldPaths = Object.keys(kubeletFieldTable) as ReadonlyArray<KubeletFieldPath>

export const kubeletField = (path: KubeletFieldPath): KubeletField => kubeletFieldTable[path]

/** Groups that Go has as structs: written even if nothing is in them. */
export const groups: ReadonlyArray<string> = [
  "authentication.x509",
  "authentication.webhook",
  "authentication.anonymous",
  "authorization.webhook",
  "memorySwap",
  "logging.options.text",
  "logging.options.json",
  "crashLoopBackOff"
]

/** Groups that Go has as pointers: absent where the file has none of them. */
export const pointerGroups: ReadonlyArray<string> = ["tracing", "userNamespaces"]

/** The table as a tree, for the check of types. */
export const kubeletFields: Fields = (() => {
  const root: Record<string, FieldType> = { ...typeMeta }
  for (const path of kubeletFieldPaths) {
    const parts = path.split(".")
    let fields = root
    for (const part of parts.slice(0, -1)) {
      const group = (fields[part] ?? { fields: {} }) as { fields: Record<string, FieldType> }
      fields[part] = group
      fields = group.fields
    }
    fields[parts.at(-1) as string] = kubeletField(path).type
  }
  return root
})()
