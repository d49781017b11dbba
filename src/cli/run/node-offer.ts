/** What a node has, what of it is for pods, and what is wrong with that. Pure. */
import { Result } from "effect"
import { parseThresholds } from "../../actors/eviction/rules/settings.ts"
import {
  type Amounts,
  enforcedAllocatable,
  overReserved,
  overReservedParts,
  type Reserved,
  reservation
} from "../../actors/node/allocatable.ts"
import { capacityAndAllocatable } from "../../actors/node/status/machine.ts"
import { type ReservedTier, reservedTierValues } from "../../actors/node/tiers.ts"
import type { NodeOffer } from "../../actors/pod/admission/node-room.ts"
import { quantityOf, quantityText } from "../../actors/pod/resources/quantity.ts"
import type { KubeletConfiguration } from "../kubelet-configuration/shape.ts"

/** Facts of the host that this is made of. */
export interface Machine {
  readonly cpus: number
  /** Bytes. */
  readonly memoryCapacity: number
  readonly architecture: string
  /** Bytes by resource: `hugepages-2Mi`. */
  readonly hugePages: Readonly<Record<string, number>>
  readonly maxPids: number
  /** Bytes of the file system that holds the pods' directories; absent: it could not be asked. */
  readonly storage?: number
}

/** Fields that count. */
export type Reservations = Pick<
  KubeletConfiguration,
  | "kubeReserved"
  | "systemReserved"
  | "reservedSystemCPUs"
  | "kubeReservedCgroup"
  | "systemReservedCgroup"
  | "evictionHard"
  | "enforceNodeAllocatable"
  | "cgroupsPerQOS"
  | "maxPods"
  | "podsPerCore"
  | "localStorageCapacityIsolation"
>

export interface NodeResources {
  /** `cpu`, `memory`, `ephemeral-storage`, `hugepages-2Mi`, `pods`. */
  readonly capacity: Amounts
  /** What of that pods may ask for: without what is reserved, and what eviction wants to keep free. */
  readonly allocatable: Amounts
  /** What the kernel limits all pods together to. */
  readonly enforced: Amounts
  /** Cgroups beside those of pods that are to be limited to what is reserved for them. */
  readonly reservedTiers: ReadonlyArray<ReservedTier>
}

/** The kernel knows no more (NR_CPUS of the largest machines). */
const maxProcessors = 8192

/** Processors of a list that has been checked: `0-3,5` has five. */
const processorsOf = (list: string): number =>
  new Set(
    list.split(",").flatMap((part) => {
      const [first, last = first] = part.split("-").map(Number) as [number, number?]
      const length = Math.max(0, Math.min(last, maxProcessors - 1) - first + 1)
      return Array.from({ length }, (_, i) => first + i)
    })
  ).size

/** Processors that are named count in place of amounts of them (`cmd/kubelet/app/server.go`). */
const reservedAmounts = ({ kubeReserved, systemReserved, reservedSystemCPUs }: Reservations) => {
  if (reservedSystemCPUs === "") return { kubeReserved, systemReserved }
  const { cpu: _, ...rest } = kubeReserved
  return { kubeReserved: rest, systemReserved: { ...systemReserved, cpu: String(processorsOf(reservedSystemCPUs)) } }
}

const reservedOf = (told: Reservations): Reserved => {
  const { evictionHard } = told
  const hardOnly = {
    enforceNodeAllocatable: [],
    evictionSoft: {},
    evictionSoftGracePeriod: {},
    evictionMinimumReclaim: {}
  }
  const thresholds = parseThresholds({ ...hardOnly, evictionHard })
  return { ...reservedAmounts(told), thresholds: Result.getOrElse(thresholds, () => []) }
}

const bytesText = (bytes: number): string => quantityText({ ...quantityOf(String(bytes)), format: "BinarySI" })

const describe = (told: Reservations, machine: Machine) => {
  const { storage, hugePages, cpus, memoryCapacity } = machine
  const counted = {
    cores: cpus,
    memory: memoryCapacity,
    maxPods: told.maxPods,
    podsPerCore: told.podsPerCore,
    before: Object.fromEntries(Object.entries(hugePages).map(([name, bytes]) => [name, bytesText(bytes)])),
    ...(storage === undefined || !told.localStorageCapacityIsolation
      ? {}
      : { storage: { "ephemeral-storage": bytesText(storage) } })
  }
  const { capacity } = capacityAndAllocatable(counted)
  return capacityAndAllocatable({ ...counted, reserved: reservation(capacity, reservedOf(told)) })
}

const reservedTier = (
  told: Reservations,
  tier: ReservedTier["tier"],
  path: string,
  amounts: Amounts
): ReadonlyArray<ReservedTier> => {
  const isCompressibleOnly = told.enforceNodeAllocatable.includes(`${tier}-compressible`)
  const isAsked = isCompressibleOnly || told.enforceNodeAllocatable.includes(tier)
  return isAsked && path !== "" ? [{ tier, path, values: reservedTierValues(amounts, isCompressibleOnly) }] : []
}

export const nodeResources = (told: Reservations, machine: Machine): NodeResources => {
  const { capacity, allocatable } = describe(told, machine)
  const { cpu, memory } = capacity as { readonly cpu: string; readonly memory: string }
  const limited = told.enforceNodeAllocatable.includes("pods") && told.cgroupsPerQOS
  const hasPids = [told.kubeReserved.pid, told.systemReserved.pid].some((text) => text !== undefined)
  return {
    capacity,
    allocatable,
    enforced: limited
      ? enforcedAllocatable({ cpu, memory, ...(hasPids ? { pid: String(machine.maxPids) } : {}) }, reservedOf(told))
      : { cpu, memory },
    reservedTiers: [
      ...reservedTier(told, "system-reserved", told.systemReservedCgroup, told.systemReserved),
      ...reservedTier(told, "kube-reserved", told.kubeReservedCgroup, told.kubeReserved)
    ]
  }
}

/**
 * What of the machine the configuration does not allow, in kubelet's words (`validation_linux.go`, `container_manager_linux.go`).
 *
 * @param swaps text of /proc/swaps: a heading, and a line for each
 */
export const hostProblem = (
  told: Pick<KubeletConfiguration, "failCgroupV1" | "failSwapOn" | "singleProcessOOMKill">,
  cgroupVersion: "v1" | "v2" | "none",
  swaps: string
): string | undefined => {
  const isCgroup1 = cgroupVersion === "v1"
  if (told.failCgroupV1 && isCgroup1)
    return "kubelet is configured to not run on a host using cgroup v1. cgroup v1 support is in maintenance mode (failCgroupV1)"
  if (isCgroup1 && told.singleProcessOOMKill === false)
    return "invalid configuration: singleProcessOOMKill must not be explicitly set to false when using cgroup v1"
  if (told.failSwapOn && swaps.trim().split("\n").length > 1)
    return "running with swap on is not supported, please disable swap or set --fail-swap-on flag to false (failSwapOn)"
  return undefined
}

/** What keeps the agent from starting, in kubelet's words and then in figures; undefined: nothing. */
export const reservationProblem = (told: Reservations, machine: Machine): string | undefined => {
  const { capacity } = describe(told, machine)
  const { pods, ...kept } = { ...capacity, pid: String(machine.maxPids) } as Record<string, string>
  const reserved = reservedOf(told)
  const problem = overReserved(kept, reserved)
  return problem === undefined ? undefined : `${problem} (${overReservedParts(kept, reserved).join("; ")})`
}

export const nodeOffer = (
  nodeName: string,
  machine: Pick<Machine, "architecture">,
  { allocatable }: Pick<NodeResources, "allocatable">
): NodeOffer => {
  const { pods, ...amounts } = allocatable
  return {
    allocatable: amounts,
    maxPods: Number(pods),
    labels: {
      "kubernetes.io/arch": machine.architecture,
      "kubernetes.io/hostname": nodeName,
      "kubernetes.io/os": "linux"
    }
  }
}
