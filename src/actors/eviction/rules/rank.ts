/** Which pod goes first (`helpers.go` rankMemoryPressure, rankDiskPressureFunc, rankPIDPressure). */
import type { Candidate, DiskUsage } from "./candidate.ts"
import type { FsLayout } from "./container-fs.ts"
import { resourceOf } from "./signals.ts"

/** Below 0: the first is evicted before the second. */
export type Comparator = (a: Candidate, b: Candidate) => number

/** Parts of a pod's use of disks that count for a file system. */
export type DiskPart = "root" | "logs" | "volumes"
export type DiskResource = "ephemeral-storage" | "inodes"

const trueFirst = (a: boolean, b: boolean): number => (a === b ? 0 : a ? -1 : 1)

/** One of which there are no figures goes first. */
const measured =
  (compare: Comparator): Comparator =>
  (a, b) =>
    a.usage === undefined || b.usage === undefined
      ? trueFirst(a.usage === undefined, b.usage === undefined)
      : compare(a, b)

const memoryOf = ({ usage }: Candidate): number => usage?.memory ?? 0

const partOf = (usage: DiskUsage | undefined, resource: DiskResource): number =>
  usage === undefined ? 0 : usage[resource === "inodes" ? 1 : 0]

export const diskOf = ({ usage }: Candidate, parts: ReadonlyArray<DiskPart>, resource: DiskResource): number =>
  parts.reduce((total, part) => total + partOf(usage?.[part], resource), 0)

export const byPriority: Comparator = (a, b) => a.priority - b.priority

export const byMemoryExcess: Comparator = measured((a, b) =>
  trueFirst(memoryOf(a) > (a.memoryRequest ?? 0), memoryOf(b) > (b.memoryRequest ?? 0))
)
/** What is used over what was requested. */
export const byMemory: Comparator = measured(
  (a, b) => memoryOf(b) - (b.memoryRequest ?? 0) - (memoryOf(a) - (a.memoryRequest ?? 0))
)

/** Nobody requests inodes. */
const diskRequest = (candidate: Candidate, resource: DiskResource): number =>
  resource === "inodes" ? 0 : (candidate.storageRequest ?? 0)

export const byDiskExcess = (parts: ReadonlyArray<DiskPart>, resource: DiskResource): Comparator =>
  measured((a, b) =>
    trueFirst(
      diskOf(a, parts, resource) > diskRequest(a, resource),
      diskOf(b, parts, resource) > diskRequest(b, resource)
    )
  )
/** Over the request of bytes, also where inodes are counted, as upstream does. */
export const byDisk = (parts: ReadonlyArray<DiskPart>, resource: DiskResource): Comparator =>
  measured(
    (a, b) =>
      diskOf(b, parts, resource) - (b.storageRequest ?? 0) - (diskOf(a, parts, resource) - (a.storageRequest ?? 0))
  )

export const byProcesses: Comparator = measured((a, b) => (b.usage?.processes ?? 0) - (a.usage?.processes ?? 0))

/** One comparator after another, as long as they find no difference. */
export const ordered = <C extends Candidate>(
  candidates: ReadonlyArray<C>,
  comparators: ReadonlyArray<Comparator>
): ReadonlyArray<C> =>
  [...candidates].sort((a, b) => {
    for (const compare of comparators) {
      const result = compare(a, b)
      if (result !== 0) return result
    }
    return 0
  })

/** What of a pod is on the file system of a signal. */
export const partsOn = (
  signal: string,
  { dedicatedImageFs, separateContainerFs }: FsLayout
): ReadonlyArray<DiskPart> => {
  if (!dedicatedImageFs) return ["root", "logs", "volumes"]
  if (signal.startsWith("imagefs.")) return separateContainerFs && signal.endsWith("inodesFree") ? [] : ["root"]
  if (signal.startsWith("nodefs.")) return separateContainerFs ? ["root", "logs", "volumes"] : ["logs", "volumes"]
  return separateContainerFs ? ["root", "logs", "volumes"] : ["root"]
}

/** Where nothing tells two pods apart: by name, so that the order is the same whoever asks. */
export const byName: Comparator = (a, b) => {
  const [one, other] = [`${a.namespace}/${a.name}/${a.uid}`, `${b.namespace}/${b.name}/${b.uid}`]
  return one < other ? -1 : one > other ? 1 : 0
}

/** The order for a signal; `undefined`: there is none. */
export const comparatorsFor = (signal: string, layout: FsLayout): ReadonlyArray<Comparator> | undefined => {
  const resource = resourceOf(signal)
  switch (resource) {
    case undefined:
      return undefined
    case "memory":
      return [byMemoryExcess, byPriority, byMemory, byName]
    case "pids":
      return [byPriority, byProcesses, byName]
    default: {
      const parts = partsOn(signal, layout)
      return [byDiskExcess(parts, resource), byPriority, byDisk(parts, resource), byName]
    }
  }
}

/** What a pod uses and requests of a signal's resource: what its rank follows from. `used` absent: not measured. */
export const figuresFor = (
  candidate: Candidate,
  signal: string,
  layout: FsLayout
): { readonly used?: number; readonly requested: number } => {
  const resource = resourceOf(signal)
  const requested =
    resource === "memory"
      ? (candidate.memoryRequest ?? 0)
      : resource === "ephemeral-storage"
        ? (candidate.storageRequest ?? 0)
        : 0
  if (candidate.usage === undefined) return { requested }
  const used =
    resource === "memory"
      ? memoryOf(candidate)
      : resource === "pids"
        ? (candidate.usage.processes ?? 0)
        : diskOf(candidate, partsOn(signal, layout), resource === "inodes" ? "inodes" : "ephemeral-storage")
  return { used, requested }
}
