/**
 * Control groups of pods: where they are and what stands in them (`pkg/kubelet/cm`: cgroup_manager_linux.go,
 * helpers_linux.go, pod_container_manager_linux.go). A name is a list of components below the root; a driver turns it
 * into a path.
 */
import { maxShares, minShares } from "../../../adapters/cgroupfs/port.ts"
import { allContainers, type PolicyContainer, type PolicyPod, type PolicyPodSpec } from "../spec-extension.ts"
import { type QosClass, qosClass } from "./qos.ts"
import { milliValue, quantityOf, value, zero } from "./quantity.ts"
import { hugePagePrefix, podLimits, podRequests, resourceList } from "./resource-list.ts"

export { maxShares, minShares, sharesToWeight, weightToShares } from "../../../adapters/cgroupfs/port.ts"

export type CgroupDriver = "cgroupfs" | "systemd"
export type CgroupVersion = "v1" | "v2"
export type CgroupName = ReadonlyArray<string>

/** The tier of all pods, below the node's root. */
export const podsTier = "kubepods"
const slice = ".slice"
const podPrefix = "pod"

/** systemd reads `-` as a step down, so that it is written `_` inside a component. */
const systemdComponent = (component: string): string => component.replaceAll("-", "_")

/** Path of a name: `/kubepods/burstable/pod…` or `/kubepods.slice/kubepods-burstable.slice/…`. */
export const cgroupPath = (name: CgroupName, driver: CgroupDriver): string => {
  if (driver === "cgroupfs") return `/${name.join("/")}`
  const parts = name.map(systemdComponent)
  return `/${parts.map((_, depth) => parts.slice(0, depth + 1).join("-") + slice).join("/")}`
}

/** Last part of a path; `/` for the root. */
export const cgroupBasename = (name: CgroupName, driver: CgroupDriver): string =>
  cgroupPath(name, driver).split("/").at(-1) || "/"

/** The name that a path stands for. systemd's `_` is read as `-`, which a uid may hold. */
export const parseCgroupPath = (path: string, driver: CgroupDriver): CgroupName => {
  const parts = path.split("/").filter((part) => part !== "")
  if (driver === "cgroupfs") return parts
  const last = parts.at(-1)
  if (last === undefined) return []
  const bare = last.endsWith(slice) ? last.slice(0, -slice.length) : last
  return bare.split("-").map((part) => part.replaceAll("_", "-"))
}

/** `root`: the configured cgroup root, e.g. `/` or `/node`; Guaranteed pods sit in the tier of all pods itself. */
export const qosCgroupName = (qos: QosClass, root: CgroupName = [podsTier]): CgroupName =>
  qos === "Guaranteed" ? root : [...root, qos.toLowerCase()]

export const podCgroupName = (pod: PolicyPod, root: CgroupName = [podsTier]): CgroupName => [
  ...qosCgroupName(qosClass(pod.spec), root),
  `${podPrefix}${pod.metadata.uid}`
]

/** The uid of the pod that a path is the cgroup of; `undefined` for any other path. */
export const podUidOfCgroup = (
  path: string,
  driver: CgroupDriver,
  root: CgroupName = [podsTier]
): string | undefined => {
  const name = parseCgroupPath(path, driver)
  const parents = (["Guaranteed", "Burstable", "BestEffort"] as const).map((qos) => qosCgroupName(qos, root))
  const parent = name.slice(0, -1).join("/")
  const [before, uid, ...more] = (name.at(-1) ?? "").split(podPrefix)
  const own = before === "" && uid !== undefined && uid !== "" && more.length === 0
  return own && parents.some((candidate) => candidate.join("/") === parent) ? uid : undefined
}

// CPU in the kernel's terms.

/** Shares of one CPU. */
const sharesPerCpu = 1024
/** Microseconds; the kernel refuses quotas below 1 ms. */
export const defaultQuotaPeriod = 100_000
const minQuota = 1000

/** Thousandths of a CPU. */
export const leastCpuLimit = (minQuota * 1000) / defaultQuotaPeriod

export const milliCpuToShares = (milliCpu: number): number =>
  Math.min(Math.max(Math.trunc((milliCpu * sharesPerCpu) / 1000), minShares), maxShares)

/** Microseconds per period; 0: no limit. */
export const milliCpuToQuota = (milliCpu: number, period: number = defaultQuotaPeriod): number =>
  milliCpu === 0 ? 0 : Math.max(Math.trunc((milliCpu * period) / 1000), minQuota)
export const quotaToMilliCpu = (quota: number, period: number): number => Math.trunc((quota * 1000) / period)

/** Bytes by page size in bytes, of the resources named `hugepages-<size>`; equal sizes add up. */
export const hugePageLimits = (
  resources: Readonly<Record<string, string>> | undefined
): ReadonlyMap<number, number> => {
  const limits = new Map<number, number>()
  for (const [name, quantity] of resourceList(resources)) {
    if (!name.startsWith(hugePagePrefix)) continue
    const pageSize = value(quantityOf(name.slice(hugePagePrefix.length)))
    if (pageSize > 0) limits.set(pageSize, (limits.get(pageSize) ?? 0) + value(quantity))
  }
  return limits
}

/** Settings of one cgroup; what is absent is left as it is. */
export interface CgroupSettings {
  readonly cpuShares?: number
  /** Microseconds; -1: no limit. */
  readonly cpuQuota?: number
  readonly cpuPeriod?: number
  /** Bytes. */
  readonly memoryLimit?: number
  readonly hugePageLimits?: ReadonlyMap<number, number>
}

export interface PodCgroupOptions {
  /** kubelet's cpuCFSQuota. */
  readonly enforceCpuLimits?: boolean
  /** Microseconds. */
  readonly quotaPeriod?: number
}

const declares = (resource: "cpu" | "memory") => (container: PolicyContainer) =>
  quantityOf(container.resources?.limits?.[resource]).nano !== 0n

/** A limit of the pod holds only when every container (or the pod itself) declares one. */
const limitedThroughout = (spec: PolicyPodSpec, resource: "cpu" | "memory"): boolean =>
  quantityOf(spec.resources?.limits?.[resource]).nano !== 0n || allContainers(spec).every(declares(resource))

/**
 * Settings of a pod's cgroup. Guaranteed: shares, quota and memory. Burstable: shares, and quota or memory where all
 * containers declare the limit. BestEffort: the least shares.
 */
export const podCgroupSettings = (pod: PolicyPod, options: PodCgroupOptions = {}): CgroupSettings => {
  const { spec } = pod
  const { enforceCpuLimits = true, quotaPeriod = defaultQuotaPeriod } = options
  const requests = podRequests(spec)
  const limits = podLimits(spec)
  const pages = new Map<number, number>()
  for (const [name, quantity] of limits) {
    if (!name.startsWith(hugePagePrefix)) continue
    for (const [size, bytes] of hugePageLimits({ [name]: String(value(quantity)) })) pages.set(size, bytes)
  }
  const qos = qosClass(spec)
  if (qos === "BestEffort") return { cpuShares: minShares, hugePageLimits: pages }

  const cpuLimit = milliValue(limits.get("cpu") ?? zero)
  const cpuShares = milliCpuToShares(milliValue(requests.get("cpu") ?? zero))
  const quota = enforceCpuLimits ? milliCpuToQuota(cpuLimit, quotaPeriod) : -1
  const whole = qos === "Guaranteed"
  return {
    cpuShares,
    ...(whole || limitedThroughout(spec, "cpu") ? { cpuQuota: quota, cpuPeriod: quotaPeriod } : {}),
    ...(whole || limitedThroughout(spec, "memory") ? { memoryLimit: value(limits.get("memory") ?? zero) } : {}),
    hugePageLimits: pages
  }
}

/** Shares of the tiers below `kubepods`: Burstable has what its pods ask for together, BestEffort the least. */
export const tierShares = (
  pods: ReadonlyArray<PolicyPod>
): { readonly burstable: number; readonly bestEffort: number } => {
  const milli = pods
    .filter((pod) => qosClass(pod.spec) === "Burstable")
    .reduce((sum, pod) => sum + milliValue(podRequests(pod.spec).get("cpu") ?? zero), 0)
  return { burstable: milliCpuToShares(milli), bestEffort: minShares }
}
