/**
 * Bounds of a KubeletConfiguration's fields, in kubelet's words and order (`pkg/kubelet/apis/config/validation/validation.go`,
 * `validation_reserved_memory.go`). Types are right already, and defaults are in. Also fields that nothing here acts on are judged: a
 * file that kubelet would refuse is refused.
 */
import { posix } from "node:path"
import { idsUnit, maxIdsPerPod } from "../../actors/pod/security/user-namespace.ts"
import { gateProblem, isGateOn } from "./gates.ts"
import type { KubeletConfiguration } from "./shape.ts"
import { images, pulls, verification } from "./validation-images.ts"
import { allocatable, reservedCpus, reservedMemoryProblems } from "./validation-reserved.ts"
import { type FieldProblem, isWithin, only, quoted, type Rule, struct, when } from "./validation-rule.ts"
import { tracingProblems } from "./validation-tracing.ts"

const isPort = (port: number): boolean => port >= 1 && port <= 65_535
const second = 1000
const topologyPolicies = ["none", "best-effort", "restricted", "single-numa-node"]
const topologyScopes = ["container", "pod"]
const hairpinModes = ["none", "hairpin-veth", "promiscuous-bridge"]

const counts: Rule = (c) => [
  when(c.nodeLeaseDurationSeconds <= 0, "nodeLeaseDurationSeconds", "nodeLeaseDurationSeconds must be greater than 0"),
  when(
    c.systemCgroups !== "" && c.cgroupRoot === "",
    "systemCgroups",
    "systemCgroups (--system-cgroups) was specified and cgroupRoot (--cgroup-root) was not specified"
  ),
  when(c.eventBurst < 0, "eventBurst", `eventBurst (--event-burst) ${c.eventBurst} must not be a negative number`),
  when(
    c.eventRecordQPS < 0,
    "eventRecordQPS",
    `eventRecordQPS (--event-qps) ${c.eventRecordQPS} must not be a negative number`
  ),
  when(
    c.healthzPort !== 0 && !isPort(c.healthzPort),
    "healthzPort",
    `healthzPort (--healthz-port) ${c.healthzPort} must be between 1 and 65535, inclusive`
  )
]

const quotaPeriod: Rule = ({ cpuCFSQuotaPeriod: period, featureGates }) => {
  const isCustom = isGateOn(featureGates, "CustomCPUCFSQuotaPeriod")
  const name = `cpuCFSQuotaPeriod (--cpu-cfs-quota-period) ${struct(period)}`
  return [
    when(!isCustom && period !== 100, "cpuCFSQuotaPeriod", `${name} requires feature gate CustomCPUCFSQuotaPeriod`),
    when(
      isCustom && !isWithin(period, 1, second),
      "cpuCFSQuotaPeriod",
      `${name} must be between 1ms and 1sec, inclusive`
    )
  ]
}

const negative =
  (field: keyof KubeletConfiguration & string, flag: string): Rule =>
  (c) => [when((c[field] as number) < 0, field, `${field} (${flag}) ${c[field]} must not be a negative number`)]
const bit =
  (field: "iptablesDropBit" | "iptablesMasqueradeBit", flag: string): Rule =>
  (c) => [when(!isWithin(c[field], 0, 31), field, `${field} (${flag}) ${c[field]} must be between 0 and 31, inclusive`)]

const statusImages: Rule = ({ nodeStatusMaxImages: most }) => [
  when(most < -1, "nodeStatusMaxImages", `nodeStatusMaxImages (--node-status-max-images) ${most} must be -1 or greater`)
]

const oomScore: Rule = ({ oomScoreAdj: score }) => [
  when(
    !isWithin(score, -1000, 1000),
    "oomScoreAdj",
    `oomScoreAdj (--oom-score-adj) ${score} must be between -1000 and 1000, inclusive`
  )
]

const ports: Rule = ({ port, readOnlyPort }) => [
  when(!isPort(port), "port", `port (--port) ${port} must be between 1 and 65535, inclusive`),
  when(
    readOnlyPort !== 0 && !isPort(readOnlyPort),
    "readOnlyPort",
    `readOnlyPort (--read-only-port) ${readOnlyPort} must be between 0 and 65535, inclusive`
  )
]

const bootstrap: Rule = ({ serverTLSBootstrap, featureGates }) => [
  when(
    serverTLSBootstrap && !isGateOn(featureGates, "RotateKubeletServerCertificate"),
    "serverTLSBootstrap",
    "serverTLSBootstrap true requires feature gate RotateKubeletServerCertificate"
  )
]

const taintEffects = ["", "NoSchedule", "PreferNoSchedule", "NoExecute"]
/** A name, behind an optional DNS name and "/" (IsQualifiedName). */
const qualifiedName = /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/u
const labelValue = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/u

const taints: Rule = ({ registerWithTaints }) =>
  registerWithTaints.flatMap(({ key = "", value = "", effect = "", timeAdded }, i) => {
    const isRight = qualifiedName.test(key) && labelValue.test(value) && taintEffects.includes(effect)
    const added = timeAdded === undefined ? "<nil>" : timeAdded.replace("T", " ").replace("Z", " +0000 UTC")
    return [
      !isRight && ([`registerWithTaints.${i}`, `invalid taint: {${key} ${value} ${effect} ${added}}`] as const),
      when(timeAdded !== undefined, `registerWithTaints.${i}.timeAdded`, "taint.TimeAdded is not nil")
    ]
  })

const topology: Rule = ({ topologyManagerPolicy: policy, topologyManagerScope: scope }) => [
  when(
    !topologyPolicies.includes(policy),
    "topologyManagerPolicy",
    `topologyManagerPolicy (--topology-manager-policy) ${quoted(policy)} must be one of: [${topologyPolicies.map(quoted).join(" ")}]`
  ),
  when(
    !topologyScopes.includes(scope),
    "topologyManagerScope",
    `topologyManagerScope (--topology-manager-scope) ${quoted(scope)} must be one of: "container", or "pod"`
  )
]

const isPartOfSecond = (millis: number): boolean => millis < 0 || (millis > 0 && millis < second)

const shutdown: Rule = (c) => {
  const { shutdownGracePeriod: whole, shutdownGracePeriodCriticalPods: critical } = c
  const isGraceful = isGateOn(c.featureGates, "GracefulNodeShutdown")
  const isByPriority = isGateOn(c.featureGates, "GracefulNodeShutdownBasedOnPodPriority")
  const hasPriorities = c.shutdownGracePeriodByPodPriority.length > 0
  const isAsked = whole > 0 || critical > 0
  const period = `shutdownGracePeriod ${struct(whole)}`
  const criticalPeriod = `shutdownGracePeriodCriticalPods ${struct(critical)}`
  const tooShort = "must be either zero or otherwise >= 1 sec"
  return [
    when(isGraceful && critical > whole, "shutdownGracePeriodCriticalPods", `${criticalPeriod} must be <= ${period}`),
    when(isGraceful && isPartOfSecond(whole), "shutdownGracePeriod", `${period} ${tooShort}`),
    when(isGraceful && isPartOfSecond(critical), "shutdownGracePeriodCriticalPods", `${criticalPeriod} ${tooShort}`),
    when(
      isAsked && !isGraceful,
      whole > 0 ? "shutdownGracePeriod" : "shutdownGracePeriodCriticalPods",
      "specifying shutdownGracePeriod or shutdownGracePeriodCriticalPods requires feature gate GracefulNodeShutdown"
    ),
    when(
      isByPriority && hasPriorities && isAsked,
      "shutdownGracePeriodByPodPriority",
      "Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time"
    ),
    when(
      !isByPriority && hasPriorities,
      "shutdownGracePeriodByPodPriority",
      "Specifying shutdownGracePeriodByPodPriority requires feature gate GracefulNodeShutdownBasedOnPodPriority"
    )
  ]
}

const swap: Rule = ({ memorySwap: { swapBehavior }, featureGates }) => {
  const isSwap = isGateOn(featureGates, "NodeSwap")
  const field = "memorySwap.swapBehavior"
  return [
    when(
      isSwap && !["", "LimitedSwap", "NoSwap"].includes(swapBehavior),
      field,
      `${field} ${quoted(swapBehavior)} must be one of: "", "LimitedSwap" or "NoSwap"`
    ),
    when(!isSwap && swapBehavior !== "", field, `${field} cannot be set when NodeSwap feature flag is disabled`)
  ]
}

const restarts: Rule = ({ crashLoopBackOff: { maxContainerRestartPeriod: period }, featureGates }) => {
  if (!isGateOn(featureGates, "KubeletCrashLoopBackOffMax")) return []
  const field = "crashLoopBackOff.maxContainerRestartPeriod"
  const name = "CrashLoopBackOff.MaxContainerRestartPeriod"
  if (period === undefined)
    return [when(true, field, `FeatureGate KubeletCrashLoopBackOffMax is enabled, ${name} must be set`)]
  const message = `${name} (got: ${period / second} seconds) must be set between 1s and 300s`
  return [when(!isWithin(period, second, 300 * second), field, message)]
}

const hairpin: Rule = ({ hairpinMode }) => [
  when(
    !hairpinModes.includes(hairpinMode),
    "hairpinMode",
    `option ${quoted(hairpinMode)} specified for hairpinMode (--hairpin-mode). Valid options are "none", "hairpin-veth" or "promiscuous-bridge"`
  )
]

const userNamespaces: Rule = ({ userNamespaces: told }) => {
  const ids = told?.idsPerPod
  const field = "userNamespaces.idsPerPod"
  if (ids === undefined) return []
  if (ids < idsUnit) return [when(true, field, `${field} must not be less than ${idsUnit}`)]
  if (ids % idsUnit !== 0) return [when(true, field, `${field} must be a multiple of ${idsUnit}`)]
  return [when(ids > maxIdsPerPod, field, `${field} must not be more than ${maxIdsPerPod}`)]
}

const logging: Rule = ({ logging: { format } }) => [
  !["text", "json"].includes(format) &&
    (["logging.format", `logging.format: Invalid value: ${quoted(format)}: Unsupported log format`] as const)
]

const tracing: Rule = ({ tracing: told, featureGates }) =>
  isGateOn(featureGates, "KubeletTracing")
    ? tracingProblems(told)
    : [
        when(
          told !== undefined,
          "tracing",
          "tracing should not be configured if KubeletTracing feature flag is disabled."
        )
      ]

const memoryQos: Rule = ({ memoryThrottlingFactor: factor, memoryReservationPolicy: policy, featureGates }) => {
  const isOn = isGateOn(featureGates, "MemoryQoS")
  return [
    when(
      isOn && factor === undefined,
      "memoryThrottlingFactor",
      "memoryThrottlingFactor is required when MemoryQoS feature flag is enabled"
    ),
    when(
      factor !== undefined && (factor <= 0 || factor > 1),
      "memoryThrottlingFactor",
      `memoryThrottlingFactor ${factor} must be greater than 0 and less than or equal to 1.0`
    ),
    when(
      policy === "TieredReservation" && !isOn,
      "memoryReservationPolicy",
      `memoryReservationPolicy ${quoted(policy)} requires MemoryQoS feature gate to be enabled`
    ),
    when(
      !["None", "TieredReservation"].includes(policy),
      "memoryReservationPolicy",
      `option ${quoted(policy)} specified for memoryReservationPolicy. Valid options are "None" or "TieredReservation"`
    )
  ]
}

const logs: Rule = (c) => {
  const { podLogsDir: dir } = c
  // Go's filepath.Clean keeps no slash at the end.
  const clean = posix.normalize(dir).replace(/(?<=.)\/$/u, "")
  return [
    when(
      c.containerRuntimeEndpoint === "",
      "containerRuntimeEndpoint",
      "the containerRuntimeEndpoint was not specified or empty"
    ),
    when(
      c.enableSystemLogQuery === true && !c.enableSystemLogHandler,
      "enableSystemLogQuery",
      "enableSystemLogHandler is required for enableSystemLogQuery"
    ),
    when(c.containerLogMaxFiles <= 1, "containerLogMaxFiles", "containerLogMaxFiles must be greater than 1"),
    when(
      c.containerLogMaxWorkers < 1,
      "containerLogMaxWorkers",
      "containerLogMaxWorkers must be greater than or equal to 1"
    ),
    when(
      c.containerLogMonitorInterval < 3 * second,
      "containerLogMonitorInterval",
      "containerLogMonitorInterval must be a positive time duration greater than or equal to 3s"
    ),
    when(dir === "", "podLogsDir", "podLogsDir was not specified"),
    when(!dir.startsWith("/"), "podLogsDir", `pod logs path ${quoted(dir)} must be absolute path`),
    when(dir === "" || clean !== dir, "podLogsDir", `pod logs path ${quoted(dir)} must be normalized`),
    when(!/^[\x00-\x7f]*$/u.test(dir), "podLogsDir", `pod logs path ${quoted(dir)} mut contains ASCII characters only`)
  ]
}

const rules: ReadonlyArray<Rule> = [
  counts,
  quotaPeriod,
  images,
  bit("iptablesDropBit", "--iptables-drop-bit"),
  bit("iptablesMasqueradeBit", "--iptables-masquerade-bit"),
  negative("kubeAPIBurst", "--kube-api-burst"),
  negative("kubeAPIQPS", "--kube-api-qps"),
  statusImages,
  negative("maxOpenFiles", "--max-open-files"),
  negative("maxPods", "--max-pods"),
  oomScore,
  negative("podsPerCore", "--pods-per-core"),
  ports,
  negative("registryBurst", "--registry-burst"),
  negative("registryPullQPS", "--registry-qps"),
  pulls,
  bootstrap,
  taints,
  topology,
  shutdown,
  swap,
  restarts,
  allocatable,
  hairpin,
  reservedCpus,
  (c) => reservedMemoryProblems(c.reservedMemory),
  userNamespaces,
  logging,
  tracing,
  memoryQos,
  logs,
  verification
]

/** What is wrong with it, in kubelet's words; where a feature gate cannot be set as it is, only that. */
export const kubeletProblems = (configuration: KubeletConfiguration): ReadonlyArray<FieldProblem> => {
  const gate = gateProblem(configuration.featureGates)
  if (gate !== undefined) return [[`featureGates.${gate[0]}`, gate[1]]]
  return rules.flatMap((rule) => only(rule(configuration)))
}
