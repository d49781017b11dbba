/**
 * What the agent does with each field of a KubeletConfiguration. docs/kubelet-configuration.md is made of this table, and `chronode
 * doctor --config` and the agent's start name the fields of a file that are not acted on.
 */
import { at, type Written } from "./codec.ts"
import { isSet } from "./defaults.ts"
import { kubeletFieldPaths } from "./fields.ts"
import type { KubeletConfiguration } from "./shape.ts"

/** `partly`: `how` says what of it. `later`: not acted on yet. `none`: has no meaning for this agent. */
export type Status = "honoured" | "partly" | "later" | "none"

export interface Support {
  readonly status: Status
  /** How it is acted on, or why it is not. */
  readonly how: string
}

const honoured = (how: string): Support => ({ status: "honoured", how })
const partly = (how: string): Support => ({ status: "partly", how })
const later = (how: string): Support => ({ status: "later", how })
const none = (how: string): Support => ({ status: "none", how })

const noApiServer = "there is no API server here"
const cpuManager = "containers get no processors of their own yet"
const memoryManager = "containers are not bound to memory nodes yet"
const goOnly = "of Go's runtime"

/** Every field, in the order of kubelet's own type. */
export const support: Readonly<Record<keyof KubeletConfiguration, Support>> = {
  enableServer: honoured(
    "whether anything listens on `port`, `readOnlyPort` and `healthzPort`; the local socket is there in any case"
  ),
  staticPodPath: honoured("the directory of manifests; `--manifests` wins over it"),
  podLogsDir: honoured("`--pod-logs-dir` wins over it"),
  syncFrequency: none("a pod acts on what it is told; nothing is gone through again at an interval"),
  fileCheckFrequency: honoured("beside a watch: how often the directory of manifests is read in any case"),
  httpCheckFrequency: later("there are no manifests from a URL yet"),
  staticPodURL: later("there are no manifests from a URL yet"),
  staticPodURLHeader: later("there are no manifests from a URL yet"),
  address: honoured("where `port` and `readOnlyPort` listen"),
  port: honoured("of the HTTP API, with TLS"),
  readOnlyPort: honoured("of the HTTP API without TLS and without anything that changes or enters a pod; 0: off"),
  tlsCertFile: honoured("read again when it changes; empty: a certificate is made"),
  tlsPrivateKeyFile: honoured("with tlsCertFile"),
  tlsCipherSuites: honoured("of TLS 1.2, under Go's names"),
  tlsMinVersion: honoured("`VersionTLS12` or `VersionTLS13`"),
  tlsCurvePreferences: later("the library's order counts"),
  rotateCertificates: none(noApiServer),
  serverTLSBootstrap: none(noApiServer),
  authentication: honoured(
    "client certificates (x509), tokens of `--token-auth-file`, a webhook where `--authentication-kubeconfig` says whom to ask; anonymous requests where they are let in"
  ),
  authorization: honoured(
    "by rules of `--authorization-policy-file` and by the webhook; `AlwaysAllow` for all who are authenticated"
  ),
  registryPullQPS: honoured("pulls that may begin in a second; 0: no limit"),
  registryBurst: honoured("pulls that may begin at once"),
  imagePullCredentialsVerificationPolicy: honoured("who may have an image that is on the node already"),
  preloadedImagesVerificationAllowlist: honoured("images that everybody may have, with NeverVerifyAllowlistedImages"),
  eventRecordQPS: none(`${noApiServer} that events could be too many for`),
  eventBurst: none(`${noApiServer} that events could be too many for`),
  enableDebuggingHandlers: honoured("false: no logs, exec, attach, port-forward and run over HTTP"),
  enableContentionProfiling: none(goOnly),
  healthzPort: honoured("of `/healthz` without TLS; 0: off"),
  healthzBindAddress: honoured("where healthzPort listens"),
  oomScoreAdj: none("the agent's own is set by what starts it (OOMScoreAdjust= of systemd)"),
  clusterDomain: honoured("of pods' names and search paths"),
  clusterDNS: honoured("name servers of pods with dnsPolicy ClusterFirst"),
  streamingConnectionIdleTimeout: honoured(
    "after which an exec, attach or port-forward that nothing goes through is ended"
  ),
  nodeStatusUpdateFrequency: honoured("how often the node's conditions are looked at"),
  nodeStatusReportFrequency: none(noApiServer),
  nodeLeaseDurationSeconds: none(noApiServer),
  imageMinimumGCAge: honoured("images that are younger stay"),
  imageMaximumGCAge: honoured("images that nobody used for longer go; 0: never for that"),
  imageGCHighThresholdPercent: honoured("how full the images' file system is when images go"),
  imageGCLowThresholdPercent: honoured("how full it may be afterwards"),
  volumeStatsAggPeriod: honoured("how old the sizes of volumes may be"),
  kubeletCgroups: partly("the agent is not moved into it; statistics tell what it uses"),
  systemCgroups: later("processes outside of pods are not moved"),
  cgroupRoot: honoured("`--cgroup-root` wins over it"),
  cgroupsPerQOS: honoured("false: the runtime's own place for cgroups; the agent makes none"),
  cgroupDriver: partly("counts only where the runtime does not tell its own (containerd before 2.0)"),
  cpuManagerPolicy: later(cpuManager),
  singleProcessOOMKill: honoured("on cgroup v2: the kernel kills one process, and not all of the container"),
  cpuManagerPolicyOptions: later(cpuManager),
  cpuManagerReconcilePeriod: later(cpuManager),
  memoryManagerPolicy: later(memoryManager),
  topologyManagerPolicy: later(memoryManager),
  topologyManagerScope: later(memoryManager),
  topologyManagerPolicyOptions: later(memoryManager),
  qosReserved: later("memory is not reserved for better classes of pods"),
  runtimeRequestTimeout: honoured("deadline of calls to the runtime, but for pulls and waits"),
  hairpinMode: none("of the network plugin's bridge"),
  maxPods: honoured("pods that the node takes"),
  podCIDR: none("addresses are given by the network plugin"),
  podPidsLimit: honoured("processes and threads of one pod; -1: no limit"),
  resolvConf: honoured("the node's own, which pods get theirs from; empty: none"),
  runOnce: none("was removed from kubelet"),
  cpuCFSQuota: honoured("whether limits of processors are kept by the kernel"),
  cpuCFSQuotaPeriod: honoured("period of those limits"),
  nodeStatusMaxImages: none(`${noApiServer}; chronode get node tells at most 50`),
  maxOpenFiles: none("the agent's own is set by what starts it (LimitNOFILE= of systemd)"),
  contentType: none(noApiServer),
  kubeAPIQPS: none(noApiServer),
  kubeAPIBurst: none(noApiServer),
  serializeImagePulls: honoured("one pull after the other"),
  maxParallelImagePulls: honoured("pulls at one time"),
  evictionHard: honoured("below which pods are evicted at once; also kept back from what pods may ask for"),
  evictionSoft: honoured("below which pods are evicted after evictionSoftGracePeriod"),
  evictionSoftGracePeriod: honoured("how long a soft threshold has to be met"),
  evictionPressureTransitionPeriod: honoured("how long a condition stays after the pressure is over"),
  evictionMaxPodGracePeriod: honoured("seconds that a pod evicted for a soft threshold has at most"),
  evictionMinimumReclaim: honoured("what has to be free beyond the threshold before the pressure counts as over"),
  mergeDefaultEvictionSettings: honoured("evictionHard is over kubelet's defaults, and not instead of them"),
  podsPerCore: honoured("with maxPods the lower of both; 0: no such limit"),
  enableControllerAttachDetach: none(noApiServer),
  protectKernelDefaults: later("the kernel's settings are left as they are, and are not looked at"),
  makeIPTablesUtilChains: none("the proxy makes the chains that it needs"),
  iptablesMasqueradeBit: none("of the proxy: iptables.masqueradeBit there"),
  iptablesDropBit: none("was removed from kubelet"),
  featureGates: partly("decide what the file may say, as with kubelet; Chronode itself has none"),
  failSwapOn: honoured("true: the agent does not start where swap is on"),
  memorySwap: honoured(
    "LimitedSwap, on cgroup v2: containers of Burstable pods get swap in proportion to their memory request"
  ),
  containerLogMaxSize: honoured("size from which a container's log is rotated; negative: never"),
  containerLogMaxFiles: honoured("files of one container's log"),
  containerLogMaxWorkers: honoured("rotations at one time"),
  containerLogMonitorInterval: honoured("how often sizes of logs are looked at"),
  configMapAndSecretChangeDetectionStrategy: none(
    "ConfigMaps and Secrets are files in the directory of manifests, which is watched"
  ),
  systemReserved: honoured("kept back from pods; with enforceNodeAllocatable the limit of systemReservedCgroup"),
  kubeReserved: honoured("kept back from pods; with enforceNodeAllocatable the limit of kubeReservedCgroup"),
  reservedSystemCPUs: partly(
    "as many processors are kept back, in place of cpu in systemReserved and kubeReserved; pods are not kept off these ones"
  ),
  showHiddenMetricsForVersion: none("no metric is hidden"),
  systemReservedCgroup: honoured(
    "has to be there; another than kubelet the agent goes on where it is not: QosCgroupFailed, and it is tried again"
  ),
  kubeReservedCgroup: honoured("the same"),
  enforceNodeAllocatable: honoured(
    "`pods`, `system-reserved`, `kube-reserved`, their `-compressible` forms, or `none`. What names no cgroup is warned of and left out, where kubelet does not start"
  ),
  allowedUnsafeSysctls: honoured("kernel parameters that pods may set beside the safe ones"),
  volumePluginDir: later("there are no FlexVolumes"),
  providerID: none(noApiServer),
  kernelMemcgNotification: none("memory that gets short is noticed at once wherever the kernel tells"),
  logging: none("the agent's log is `--log-format` and `--log-level`"),
  enableSystemLogHandler: honoured("whether `/logs/` answers"),
  enableSystemLogQuery: later("`/logs/?query=` is not there"),
  shutdownGracePeriod: honoured("how long a shutdown of the machine waits for pods"),
  shutdownGracePeriodCriticalPods: honoured("what of that is for critical pods"),
  shutdownGracePeriodByPodPriority: honoured("the same by priority, in place of the two"),
  crashLoopBackOff: honoured("longest pause between two restarts"),
  reservedMemory: later(memoryManager),
  enableProfilingHandler: none(goOnly),
  enableDebugFlagsHandler: none(goOnly),
  seccompDefault: honoured("containers that name no seccomp profile get the runtime's"),
  memoryThrottlingFactor: later("of the feature MemoryQoS, which is not there"),
  memoryReservationPolicy: later("of the feature MemoryQoS, which is not there"),
  registerWithTaints: none(`${noApiServer}; pods of a directory ignore taints`),
  registerNode: none(noApiServer),
  tracing: later("traces go to where `otel` of the ChronodeConfiguration says, over HTTP"),
  localStorageCapacityIsolation: honoured("false: no limits of local storage, and none of it among what the node has"),
  containerRuntimeEndpoint: honoured("`--cri` wins over it"),
  imageServiceEndpoint: later("images are those of containerRuntimeEndpoint"),
  failCgroupV1: honoured("true: the agent does not start on cgroup v1"),
  userNamespaces: honoured("idsPerPod: ids of each pod's user namespace")
}

/** Fields that a file sets to something other than kubelet's default, and that are not acted on. */
export const notHonoured = (
  written: Written
): ReadonlyArray<{ readonly field: string; readonly path: string } & Support> =>
  (Object.entries(support) as ReadonlyArray<[keyof KubeletConfiguration, Support]>).flatMap(([field, how]) => {
    if (how.status === "honoured" || how.status === "partly") return []
    const paths = kubeletFieldPaths.filter((path) => path === field || path.startsWith(`${field}.`))
    const path = paths.find((one) => at(written, one) !== undefined && isSet(written, one))
    return path === undefined ? [] : [{ field, path, ...how }]
  })
