/** Requests and limits as the runtime is told them (`pkg/kubelet/kuberuntime/kuberuntime_container_linux.go`). */

import type { LinuxContainerResources } from "../../../adapters/cri/port.ts"
import type { ResourceRequirements } from "../../../events/pod-spec.ts"
import { criticalPriority } from "../../../events/system-priorities.ts"
import type { PolicyContainer, PolicyPod } from "../spec-extension.ts"
import { type CgroupVersion, defaultQuotaPeriod, hugePageLimits, milliCpuToQuota, milliCpuToShares } from "./cgroup.ts"
import { oomScoreAdj } from "./oom-score.ts"
import { type QosClass, qosClass } from "./qos.ts"
import { compare, isZero, milliValue, quantityOf, value, zero } from "./quantity.ts"
import { podLimits, podRequests } from "./resource-list.ts"

export type SwapBehavior = "NoSwap" | "LimitedSwap"

/** What of the node bears on resources. */
export interface ResourceEnvironment {
  readonly cgroupVersion: CgroupVersion
  /** Bytes. */
  readonly memoryCapacity: number
  /** Page sizes of the node as cgroup files name them: `2MB`, `1GB`. */
  readonly hugePageSizes: ReadonlyArray<string>
  /** Whether the kernel accounts for swap; without it no swap limit is set at all. */
  readonly swapAccounting: boolean
  readonly swapBehavior?: SwapBehavior
  /** Bytes. */
  readonly swapCapacity?: number
  /** kubelet's cpuCFSQuota; on where absent. */
  readonly enforceCpuLimits?: boolean
  /** Microseconds. */
  readonly quotaPeriod?: number
  /** kubelet's singleProcessOOMKill, cgroup v2: kill one process, not the whole container. */
  readonly singleProcessOomKill?: boolean
}

const withoutAbsent = <A extends object>(fields: { readonly [K in keyof A]?: A[K] | undefined }): A =>
  Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== undefined)) as A

/** Shares, quota and memory of one set of requests and limits. An absent request defaults to the limit. */
const calculate = (
  amounts: { readonly cpuRequest?: string; readonly cpuLimit?: string; readonly memoryLimit?: string },
  env: Pick<ResourceEnvironment, "cgroupVersion" | "enforceCpuLimits" | "quotaPeriod" | "singleProcessOomKill">
): LinuxContainerResources => {
  const limit = quantityOf(amounts.cpuLimit)
  const request = amounts.cpuRequest === undefined && !isZero(limit) ? limit : quantityOf(amounts.cpuRequest)
  const memory = value(quantityOf(amounts.memoryLimit))
  const period = env.quotaPeriod ?? defaultQuotaPeriod
  const enforced = env.enforceCpuLimits !== false
  const quota = milliCpuToQuota(milliValue(limit), period)
  const group = env.cgroupVersion === "v2" && env.singleProcessOomKill !== true
  return withoutAbsent<LinuxContainerResources>({
    cpuPeriod: enforced ? period : undefined,
    cpuQuota: enforced && quota !== 0 ? quota : undefined,
    cpuShares: milliCpuToShares(milliValue(request)),
    memoryLimitInBytes: memory === 0 ? undefined : memory,
    unified: group ? { "memory.oom.group": "1" } : undefined
  })
}

export { calculate as calculateLinuxResources }

/** `2097152` → `2MB`, as cgroup files name page sizes (binary thousands under decimal names). */
export const pageSizeName = (bytes: number): string => {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"]
  let size = bytes
  let unit = 0
  while (size >= 1024 && size % 1024 === 0 && unit < units.length - 1) {
    size /= 1024
    unit += 1
  }
  return `${size}${units[unit]}`
}

/** A limit for every page size of the node; sizes that the pod does not ask for are forbidden (0). */
export const containerHugePageLimits = (
  container: ResourceRequirements | undefined,
  pod: ResourceRequirements | undefined,
  sizes: ReadonlyArray<string>
): NonNullable<LinuxContainerResources["hugepageLimits"]> => {
  const asked = new Map<string, number>()
  for (const limits of [pod?.limits, container?.limits])
    for (const [bytes, limit] of hugePageLimits(limits)) asked.set(pageSizeName(bytes), limit)
  return sizes.map((pageSize) => ({ pageSize, limit: asked.get(pageSize) ?? 0 }))
}

/** Whether a container may swap (KEP-2400): only Burstable, not critical, and only what it does not hold in full. */
export const swapBehaviorOf = (input: {
  readonly configured: SwapBehavior | undefined
  readonly swapAccounting: boolean
  readonly cgroupVersion: CgroupVersion | undefined
  readonly critical: boolean
  readonly qos: QosClass | undefined
  readonly memory: ResourceRequirements | undefined
}): SwapBehavior => {
  const request = quantityOf(input.memory?.requests?.memory)
  const limit = quantityOf(input.memory?.limits?.memory)
  const may =
    input.configured === "LimitedSwap" &&
    input.swapAccounting &&
    input.cgroupVersion === "v2" &&
    !input.critical &&
    input.qos === "Burstable" &&
    !isZero(request) &&
    compare(request, limit) !== 0
  return may ? "LimitedSwap" : "NoSwap"
}

const swap = (
  pod: PolicyPod,
  container: PolicyContainer,
  env: ResourceEnvironment,
  memoryLimit: number | undefined
): LinuxContainerResources => {
  if (!env.swapAccounting) return {}
  if (env.cgroupVersion === "v1")
    // v1 counts memory and swap together: the memory limit again means no swap.
    return memoryLimit === undefined ? {} : { memorySwapLimitInBytes: memoryLimit }
  const behavior = swapBehaviorOf({
    configured: env.swapBehavior,
    swapAccounting: env.swapAccounting,
    cgroupVersion: env.cgroupVersion,
    critical: (pod.spec.priority ?? 0) >= criticalPriority,
    qos: qosClass(pod.spec),
    memory: container.resources
  })
  const request = value(quantityOf(container.resources?.requests?.memory))
  // In proportion to its share of the node's memory.
  const limit =
    behavior === "NoSwap" ? 0n : (BigInt(request) * BigInt(env.swapCapacity ?? 0)) / BigInt(env.memoryCapacity)
  return { unified: { "memory.swap.max": String(limit) } }
}

/** Resources of one container. Limits of the pod as a whole stand in where the container has none. */
export const containerResources = (
  pod: PolicyPod,
  container: PolicyContainer,
  env: ResourceEnvironment
): LinuxContainerResources => {
  const own = container.resources
  const whole = pod.spec.resources
  const cpuRequest = own?.requests?.cpu
  const cpuLimit = own?.limits?.cpu ?? whole?.limits?.cpu
  const memoryLimit = own?.limits?.memory ?? whole?.limits?.memory
  const base = calculate(
    withoutAbsent<{ cpuRequest?: string; cpuLimit?: string; memoryLimit?: string }>({
      cpuRequest,
      cpuLimit,
      memoryLimit
    }),
    env
  )
  const swapping = swap(pod, container, env, base.memoryLimitInBytes)
  const unified = { ...base.unified, ...swapping.unified }
  return {
    ...base,
    ...swapping,
    oomScoreAdj: oomScoreAdj(pod, container, env.memoryCapacity),
    hugepageLimits: containerHugePageLimits(own, whole, env.hugePageSizes),
    ...(Object.keys(unified).length === 0 ? {} : { unified })
  }
}

/** Sum over the pod's containers, without overhead: what the sandbox is told (KEP-4113). */
export const sandboxResources = (pod: PolicyPod, env: ResourceEnvironment): LinuxContainerResources => {
  const requests = podRequests(pod.spec, { excludeOverhead: true })
  const limits = podLimits(pod.spec, { excludeOverhead: true })
  return calculate(
    amountsOf(
      milliValue(requests.get("cpu") ?? zero),
      milliValue(limits.get("cpu") ?? zero),
      value(limits.get("memory") ?? zero)
    ),
    env
  )
}

/** Absent overhead is an empty message, as kubelet sends it. */
export const overheadResources = (pod: PolicyPod, env: ResourceEnvironment): LinuxContainerResources => {
  if (pod.spec.overhead === undefined) return {}
  const cpu = milliValue(quantityOf(pod.spec.overhead.cpu))
  return calculate(amountsOf(cpu, cpu, value(quantityOf(pod.spec.overhead.memory))), env)
}

const amountsOf = (cpuRequest: number, cpuLimit: number, memoryLimit: number) => ({
  cpuRequest: `${cpuRequest}m`,
  cpuLimit: `${cpuLimit}m`,
  memoryLimit: String(memoryLimit)
})
