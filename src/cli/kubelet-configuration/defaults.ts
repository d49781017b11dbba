/** Defaults of a KubeletConfiguration: kubelet's (`pkg/kubelet/apis/config/v1beta1/defaults.go`), and where Chronode's are others. */
import { defaultEvictionHard } from "../../actors/eviction/rules/settings.ts"
import { canonical } from "../../actors/kernel/json.ts"
import { at, decode, isZero, type Written, withField } from "./codec.ts"
import { type KubeletFieldPath, kubeletField } from "./fields.ts"
import { isGateOn } from "./gates.ts"
import type { KubeletConfiguration } from "./shape.ts"

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** In the units of the shape. What is not here has no default but Go's zero. */
export const kubeletDefaults: Readonly<Partial<Record<KubeletFieldPath, unknown>>> = {
  enableServer: true,
  podLogsDir: "/var/log/pods",
  syncFrequency: minute,
  fileCheckFrequency: 20 * second,
  httpCheckFrequency: 20 * second,
  address: "0.0.0.0",
  port: 10_250,
  "authentication.webhook.enabled": true,
  "authentication.webhook.cacheTTL": 2 * minute,
  "authentication.anonymous.enabled": false,
  "authorization.mode": "Webhook",
  "authorization.webhook.cacheAuthorizedTTL": 5 * minute,
  "authorization.webhook.cacheUnauthorizedTTL": 30 * second,
  registryPullQPS: 5,
  registryBurst: 10,
  imagePullCredentialsVerificationPolicy: "NeverVerifyPreloadedImages",
  eventRecordQPS: 50,
  eventBurst: 100,
  enableDebuggingHandlers: true,
  healthzPort: 10_248,
  healthzBindAddress: "127.0.0.1",
  oomScoreAdj: -999,
  streamingConnectionIdleTimeout: 4 * hour,
  nodeStatusUpdateFrequency: 10 * second,
  nodeStatusReportFrequency: 5 * minute,
  nodeLeaseDurationSeconds: 40,
  imageMinimumGCAge: 2 * minute,
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  volumeStatsAggPeriod: minute,
  cgroupsPerQOS: true,
  cgroupDriver: "cgroupfs",
  cpuManagerPolicy: "none",
  cpuManagerReconcilePeriod: 10 * second,
  memoryManagerPolicy: "None",
  topologyManagerPolicy: "none",
  topologyManagerScope: "container",
  runtimeRequestTimeout: 2 * minute,
  hairpinMode: "promiscuous-bridge",
  maxPods: 110,
  podPidsLimit: -1,
  resolvConf: "/etc/resolv.conf",
  cpuCFSQuota: true,
  cpuCFSQuotaPeriod: 100,
  nodeStatusMaxImages: 50,
  maxOpenFiles: 1_000_000,
  contentType: "application/vnd.kubernetes.protobuf",
  kubeAPIQPS: 50,
  kubeAPIBurst: 100,
  serializeImagePulls: true,
  evictionPressureTransitionPeriod: 5 * minute,
  mergeDefaultEvictionSettings: false,
  enableControllerAttachDetach: true,
  makeIPTablesUtilChains: true,
  iptablesMasqueradeBit: 14,
  iptablesDropBit: 15,
  failSwapOn: true,
  containerLogMaxSize: "10Mi",
  containerLogMaxFiles: 5,
  containerLogMaxWorkers: 1,
  containerLogMonitorInterval: 10 * second,
  configMapAndSecretChangeDetectionStrategy: "Watch",
  enforceNodeAllocatable: ["pods"],
  volumePluginDir: "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/",
  "logging.format": "text",
  "logging.flushFrequency": 5 * second,
  enableSystemLogHandler: true,
  "crashLoopBackOff.maxContainerRestartPeriod": 5 * minute,
  enableProfilingHandler: true,
  enableDebugFlagsHandler: true,
  seccompDefault: false,
  memoryThrottlingFactor: 0.9,
  memoryReservationPolicy: "None",
  registerNode: true,
  localStorageCapacityIsolation: true,
  containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
  failCgroupV1: true
}

/** Whether the file says nothing of a field, in kubelet's sense: Go's zero is nothing but for pointers. */
export const isUnset = (decoded: KubeletConfiguration, path: KubeletFieldPath): boolean => {
  const value = at(decoded, path)
  return kubeletField(path).nature === "pointer" ? value === undefined : isZero(value)
}

/** Whether the file says something of a field that is another than its default. */
export const isSet = (written: Written, path: KubeletFieldPath): boolean => {
  const decoded = decode(written)
  const otherwise = kubeletDefaults[path]
  const value = at(decoded, path)
  return !isUnset(decoded, path) && !(isZero(value) && isZero(otherwise)) && canonical(value) !== canonical(otherwise)
}

/** Kubelet's defaults, and nothing else. @param decoded of `decode` */
export const withKubeletDefaults = (decoded: KubeletConfiguration): KubeletConfiguration => {
  let filled = decoded
  for (const [path, otherwise] of Object.entries(kubeletDefaults) as ReadonlyArray<[KubeletFieldPath, unknown]>) {
    if (isUnset(decoded, path)) filled = withField(filled, path, otherwise)
  }
  // A frequency of updates that was given is that of the reports too.
  if (decoded.nodeStatusReportFrequency === 0 && decoded.nodeStatusUpdateFrequency !== 0)
    filled = { ...filled, nodeStatusReportFrequency: decoded.nodeStatusUpdateFrequency }
  if (decoded.serializeImagePulls === undefined && (decoded.maxParallelImagePulls ?? 1) > 1)
    filled = { ...filled, serializeImagePulls: false }
  if (!isGateOn(decoded.featureGates, "KubeletEnsureSecretPulledImages"))
    filled = { ...filled, imagePullCredentialsVerificationPolicy: decoded.imagePullCredentialsVerificationPolicy }
  if (decoded.featureGates.KubeletCrashLoopBackOffMax === false)
    filled = { ...filled, crashLoopBackOff: decoded.crashLoopBackOff }
  return filled
}

/** A default of Chronode that is another than kubelet's. */
export interface OwnDefault {
  readonly field: KubeletFieldPath
  /** For people. */
  readonly ours: string
  readonly why: string
  /** @param decoded what the file says @param isNamed the file says that it is a KubeletConfiguration */
  readonly value: (decoded: KubeletConfiguration, isNamed: boolean) => unknown
}

/** Pulls at one time where nobody says. */
export const parallelPulls = 5

/** Every default that is another than kubelet's, where the file does not say. docs/kubelet-configuration.md lists them. */
export const ownDefaults: ReadonlyArray<OwnDefault> = [
  {
    field: "enableServer",
    ours: "true where the file is a `kind: KubeletConfiguration`, else false",
    why: "an agent that was told nothing opens no ports",
    value: (_, isNamed) => isNamed
  },
  {
    field: "address",
    ours: "127.0.0.1",
    why: "nothing listens beyond this machine unless it is told to",
    value: () => "127.0.0.1"
  },
  {
    field: "serializeImagePulls",
    ours: "false",
    why: "a registry that hangs must not hold up other images",
    value: (decoded) => decoded.maxParallelImagePulls === 1
  },
  {
    field: "maxParallelImagePulls",
    ours: String(parallelPulls),
    why: "so that many pulls do not take the whole line; 1 where serializeImagePulls is true",
    value: (decoded) => (decoded.serializeImagePulls === true ? 1 : parallelPulls)
  },
  {
    field: "enforceNodeAllocatable",
    ours: "[pods], or [] where cgroupsPerQOS is false",
    why: "kubelet refuses cgroupsPerQOS: false until this is emptied too",
    value: (decoded) => (decoded.cgroupsPerQOS === false ? [] : ["pods"])
  },
  { field: "failSwapOn", ours: "false", why: "swap on the node is no reason not to run", value: () => false },
  { field: "registerNode", ours: "false", why: "there is no API server here", value: () => false },
  { field: "failCgroupV1", ours: "false", why: "cgroup v1 is served too", value: () => false }
]

/** With all defaults: kubelet's, but for `ownDefaults`; and hard thresholds of eviction where the file has none. */
export const withDefaults = (written: Written): KubeletConfiguration => {
  const decoded = decode(written)
  const isNamed = written.kind === "KubeletConfiguration"
  let filled = withKubeletDefaults(decoded)
  for (const { field, value } of ownDefaults)
    if (isUnset(decoded, field)) filled = withField(filled, field, value(decoded, isNamed))
  const { evictionHard, mergeDefaultEvictionSettings } = filled
  return {
    ...filled,
    evictionHard:
      decoded.evictionHard === undefined
        ? defaultEvictionHard
        : mergeDefaultEvictionSettings
          ? { ...defaultEvictionHard, ...evictionHard }
          : evictionHard
  }
}
