/**
 * A pod as eviction sees it: what it may use, what it uses, and what of it is limited. All that a decision needs, and no more:
 * it is recorded with the decision.
 */
import type { FsStats, PodStats } from "../../../events/stats-summary.ts"
import { isCriticalPod } from "../../pod/admission/critical.ts"
import { type QosClass, qosClass } from "../../pod/resources/qos.ts"
import { compare, quantityOf, quantityText, scaledQuantity, value, zero } from "../../pod/resources/quantity.ts"
import { podLimits, podRequests } from "../../pod/resources/resource-list.ts"
import { allContainers, type PolicyContainer, type PolicyPod } from "../../pod/spec-extension.ts"
import type { FsLayout } from "./container-fs.ts"

/** Bytes and inodes. */
export type DiskUsage = readonly [bytes: number, inodes: number]

/** What of a pod's use is measured. Absent is 0, but for the whole: there are no figures of the pod. */
export interface PodUsage {
  /** Working set, bytes. */
  readonly memory?: number
  readonly processes?: number
  /** Layers of its containers, their logs, its local volumes. */
  readonly root?: DiskUsage
  readonly logs?: DiskUsage
  readonly volumes?: DiskUsage
}

/** A container that uses more than it requests of a resource; bytes, and requests as quantities. */
export interface ContainerExcess {
  readonly name: string
  readonly memory?: number
  readonly memoryRequest?: string
  /** Layer and logs. */
  readonly disk?: number
  readonly diskRequest?: string
}

/** A limit of local storage. */
export interface StorageLimit {
  readonly of: "emptyDir" | "pod" | "container"
  /** Of the volume or container; empty: the pod. */
  readonly name: string
  readonly limit: string
  /** Bytes. */
  readonly used: number
}

export interface Candidate {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly qosClass: QosClass
  readonly priority: number
  /** It is never evicted. */
  readonly critical?: boolean
  /** Bytes; absent: none. */
  readonly memoryRequest?: number
  readonly storageRequest?: number
  /** Of the pod as a whole (KEP-2837), as a quantity. */
  readonly podMemoryRequest?: string
  /** Absent: there are no figures of it. */
  readonly usage?: PodUsage
  readonly containers?: ReadonlyArray<ContainerExcess>
  readonly limits?: ReadonlyArray<StorageLimit>
}

const sum = (stats: ReadonlyArray<FsStats | null | undefined>): DiskUsage => [
  stats.reduce((total, fs) => total + (fs?.usedBytes ?? 0), 0),
  stats.reduce((total, fs) => total + (fs?.inodesUsed ?? 0), 0)
]

const isNothing = ([bytes, inodes]: DiskUsage): boolean => bytes === 0 && inodes === 0

const containersOf = (stats: PodStats) => stats.containers ?? []

/** What lies on the node's own disk: host paths, and what comes and goes with the pod (`helpers.go` localVolumeNames). */
const localVolumes = (pod: PolicyPod): ReadonlySet<string> =>
  new Set(
    (pod.spec.volumes ?? [])
      .filter(
        ({ hostPath, emptyDir, configMap, secret, downwardAPI, projected }) =>
          hostPath !== undefined ||
          (emptyDir !== undefined && emptyDir.medium !== "Memory" && !emptyDir.medium?.startsWith("HugePages")) ||
          [configMap, secret, downwardAPI, projected].some((source) => source !== undefined)
      )
      .map(({ name }) => name)
  )

const usageOf = (pod: PolicyPod, stats: PodStats): PodUsage => {
  const local = localVolumes(pod)
  const containers = containersOf(stats)
  const root = sum(containers.map(({ rootfs }) => rootfs))
  const logs = sum(containers.map((c) => c.logs))
  const volumes = sum((stats.volume ?? []).filter(({ name }) => local.has(name)))
  const memory = stats.memory?.workingSetBytes
  const processes = stats.process_stats?.process_count
  return {
    ...(memory === undefined ? {} : { memory }),
    ...(processes === undefined ? {} : { processes }),
    ...(isNothing(root) ? {} : { root }),
    ...(isNothing(logs) ? {} : { logs }),
    ...(isNothing(volumes) ? {} : { volumes })
  }
}

const request = (container: PolicyContainer, resource: string): string =>
  quantityText(quantityOf(container.resources?.requests?.[resource]))

const exceeds = (used: number | undefined, requested: string): used is number =>
  used !== undefined && compare(scaledQuantity(BigInt(used)), quantityOf(requested)) > 0

/** Ephemeral containers have no requests and are blamed for nothing. */
const excesses = (pod: PolicyPod, stats: PodStats): ReadonlyArray<ContainerExcess> => {
  const known = new Map(allContainers(pod.spec).map((container) => [container.name, container]))
  return containersOf(stats).flatMap(({ name, memory, rootfs, logs }) => {
    const container = known.get(name)
    if (container === undefined) return []
    const used = memory?.workingSetBytes
    const disk =
      rootfs?.usedBytes === undefined || logs?.usedBytes === undefined ? undefined : rootfs.usedBytes + logs.usedBytes
    const memoryRequest = request(container, "memory")
    const diskRequest = request(container, "ephemeral-storage")
    const isMemory = exceeds(used, memoryRequest)
    const isDisk = exceeds(disk, diskRequest)
    if (!isMemory && !isDisk) return []
    return [{ name, ...(isMemory ? { memory: used, memoryRequest } : {}), ...(isDisk ? { disk, diskRequest } : {}) }]
  })
}

/** In the order in which they are looked at (`eviction_manager.go` localStorageEviction). */
const storageLimits = (pod: PolicyPod, stats: PodStats, layout: FsLayout): ReadonlyArray<StorageLimit> => {
  const volumes = new Map((stats.volume ?? []).map(({ name, usedBytes }) => [name, usedBytes ?? 0]))
  const found: Array<StorageLimit> = []
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const limit = emptyDir?.sizeLimit
    const used = volumes.get(name)
    if (limit === undefined || used === undefined || quantityOf(limit).nano <= 0n) continue
    found.push({ of: "emptyDir", name, limit: quantityText(quantityOf(limit)), used })
  }
  const whole = podLimits(pod.spec).get("ephemeral-storage")
  if (whole !== undefined) {
    found.push({ of: "pod", name: "", limit: quantityText(whole), used: stats["ephemeral-storage"]?.usedBytes ?? 0 })
  }
  for (const { name, rootfs, logs } of containersOf(stats)) {
    const container = pod.spec.containers.find((c) => c.name === name)
    const limit = quantityOf(container?.resources?.limits?.["ephemeral-storage"])
    if (limit.nano === 0n) continue
    const used = (logs?.usedBytes ?? 0) + (layout.dedicatedImageFs ? 0 : (rootfs?.usedBytes ?? 0))
    found.push({ of: "container", name, limit: quantityText(limit), used })
  }
  return found
}

/** `stats` absent: there are no figures of the pod (yet). */
export const candidateOf = (pod: PolicyPod, stats: PodStats | undefined, layout: FsLayout): Candidate => {
  const { namespace, name, uid } = pod.metadata
  const requests = podRequests(pod.spec)
  const memoryRequest = value(requests.get("memory") ?? zero)
  const storageRequest = value(requests.get("ephemeral-storage") ?? zero)
  const podMemoryRequest = pod.spec.resources?.requests?.memory
  const containers = stats === undefined ? [] : excesses(pod, stats)
  const limits = stats === undefined ? [] : storageLimits(pod, stats, layout)
  return {
    namespace,
    name,
    uid,
    qosClass: qosClass(pod.spec),
    priority: pod.spec.priority ?? 0,
    ...(isCriticalPod(pod) ? { critical: true } : {}),
    ...(memoryRequest === 0 ? {} : { memoryRequest }),
    ...(storageRequest === 0 ? {} : { storageRequest }),
    ...(podMemoryRequest === undefined ? {} : { podMemoryRequest: quantityText(quantityOf(podMemoryRequest)) }),
    ...(stats === undefined ? {} : { usage: usageOf(pod, stats) }),
    ...(containers.length === 0 ? {} : { containers }),
    ...(limits.length === 0 ? {} : { limits })
  }
}
