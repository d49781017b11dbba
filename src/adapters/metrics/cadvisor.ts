/**
 * `/metrics/cadvisor`: what the node, its pods and their containers use, under cAdvisor's names
 * (github.com/google/cadvisor `metrics/prometheus.go`, `prometheus_machine.go`) and with the labels that kubelet leaves of them
 * (`pkg/kubelet/server/server.go` containerPrometheusLabelsFunc): container, id, image, name, namespace, pod. As with
 * containerd under kubelet, a pod's cgroup and its sandbox have no `container`.
 */
import type { ContainerStats, PodStats } from "../../events/stats-summary.ts"
import type { CgroupSample, ContainerSample, InterfaceCounters } from "../cgroupfs/port.ts"
import { type FamilyType, familyHead, labelText, numberText } from "./registry.ts"
import type { CpuSpec, Machine, Usage } from "./usage.ts"

/** A cgroup with what is told of it. */
interface Subject {
  readonly labels: string
  readonly sample: CgroupSample
  readonly of: ContainerSample | undefined
  readonly summary: ContainerStats | undefined
  readonly spec: CpuSpec | undefined
  /** Bytes of memory that it may have; 0: no limit. */
  readonly memoryLimit: number
}

/** One value, or several with further labels as text. */
type Values = number | undefined | ReadonlyArray<readonly [labels: string, value: number]>

interface ContainerFamily {
  readonly name: string
  readonly type: FamilyType
  readonly help: string
  readonly of: (subject: Subject, deviceName: DeviceName) => Values
  /** Values that are no reading of the kernel have no time of their own. */
  readonly untimed?: true
}

/** `259:0` → `/dev/nvme0n1` */
export type DeviceName = (device: string) => string

const seconds = (nanoseconds: number): number => nanoseconds / 1e9
const fromMicroseconds = (microseconds: number): number => microseconds / 1e6

const family =
  (prefix: string, type: FamilyType) =>
  (name: string, help: string, of: ContainerFamily["of"], untimed?: true): ContainerFamily => ({
    name: `container_${prefix}${name}`,
    type,
    help,
    of,
    ...(untimed === undefined ? {} : { untimed })
  })

const cpu = family("cpu_", "counter")
const memory = family("memory_", "gauge")
const memoryCounter = family("memory_", "counter")
const fsCounter = family("fs_", "counter")
const fs = family("fs_", "gauge")
const network = family("network_", "counter")
const spec = family("spec_", "gauge")
const gauge = family("", "gauge")

const throttling =
  (read: (cpu: NonNullable<CgroupSample["cpu"]>) => number): ContainerFamily["of"] =>
  ({ sample }) =>
    // Without a quota there are no periods.
    sample.cpu === undefined || sample.cpu.periods === 0 ? undefined : read(sample.cpu)

const faults: ContainerFamily["of"] = ({ sample, of }) => {
  if (sample.memory === undefined) return undefined
  const { pageFaults, majorPageFaults } = sample.memory
  const inScope = (scope: string): ReadonlyArray<readonly [string, number]> => [
    [`failure_type="pgfault",scope="${scope}"`, pageFaults],
    [`failure_type="pgmajfault",scope="${scope}"`, majorPageFaults]
  ]
  // A container has no cgroups below it: its own faults are all of them.
  return of !== undefined && of.container !== ""
    ? [...inScope("container"), ...inScope("hierarchy")]
    : inScope("hierarchy")
}

const disk =
  (read: "readBytes" | "writeBytes" | "reads" | "writes"): ContainerFamily["of"] =>
  ({ sample }, deviceName) =>
    sample.io?.devices.map((counters) => [labelText({ device: deviceName(counters.device) }), counters[read]] as const)

const layer =
  (read: "usedBytes" | "capacityBytes" | "inodes" | "inodesFree"): ContainerFamily["of"] =>
  ({ summary }) => {
    const value = summary?.rootfs?.[read]
    return value === undefined ? undefined : [['device=""', value]]
  }

const interfaces =
  (read: Exclude<keyof InterfaceCounters, "name">): ContainerFamily["of"] =>
  ({ of }) =>
    of?.network?.map((counters) => [labelText({ interface: counters.name }), counters[read]] as const)

const pressure = (what: "cpu" | "memory" | "io", who: string): ReadonlyArray<ContainerFamily> => {
  const of =
    (share: "some" | "full"): ContainerFamily["of"] =>
    ({ sample }) => {
      const total = sample[what]?.pressure?.[share].total
      return total === undefined ? undefined : fromMicroseconds(total)
    }
  const make = family(`pressure_${what}_`, "counter")
  return [
    make("stalled_seconds_total", `Time in which no task got on for want of ${who}, in seconds.`, of("full")),
    make("waiting_seconds_total", `Time in which some task waited for ${who}, in seconds.`, of("some"))
  ]
}

const families: ReadonlyArray<ContainerFamily> = [
  gauge("last_seen", "When the cgroup was last looked at, seconds since the epoch.", ({ sample }) =>
    Math.floor(sample.at / 1000)
  ),
  gauge(
    "start_time_seconds",
    "When the container started, seconds since the epoch.",
    ({ of }) => (of === undefined || of.startedAt <= 0 ? undefined : of.startedAt / 1000),
    true
  ),
  cpu("usage_seconds_total", "Time of processors that was used, in seconds.", ({ sample }) =>
    sample.cpu === undefined ? undefined : [['cpu="total"', seconds(sample.cpu.usage)]]
  ),
  cpu("user_seconds_total", "Time of processors that was used outside of the kernel, in seconds.", ({ sample }) =>
    sample.cpu === undefined ? undefined : seconds(sample.cpu.user)
  ),
  cpu("system_seconds_total", "Time of processors that was used in the kernel, in seconds.", ({ sample }) =>
    sample.cpu === undefined ? undefined : seconds(sample.cpu.system)
  ),
  cpu(
    "cfs_periods_total",
    "Periods of the CPU quota that went by.",
    throttling(({ periods }) => periods)
  ),
  cpu(
    "cfs_throttled_periods_total",
    "Periods of the CPU quota in which it was used up.",
    throttling(({ throttledPeriods }) => throttledPeriods)
  ),
  cpu(
    "cfs_throttled_seconds_total",
    "How long tasks had to stand still for the CPU quota, in seconds.",
    throttling(({ throttled }) => seconds(throttled))
  ),
  memory("usage_bytes", "Memory in use, with the page cache.", ({ sample }) => sample.memory?.usage),
  memory(
    "working_set_bytes",
    "Memory in use without the file pages that are not active.",
    ({ sample }) => sample.memory?.workingSet
  ),
  memory("rss", "Anonymous memory, in bytes.", ({ sample }) => sample.memory?.rss),
  memory("cache", "Page cache, in bytes.", ({ sample }) => sample.memory?.cache),
  memory("mapped_file", "Files that are mapped into memory, in bytes.", ({ sample }) => sample.memory?.mappedFile),
  memory("swap", "Memory that is swapped out, in bytes.", ({ sample }) => sample.memory?.swap),
  memory("max_usage_bytes", "The most memory that was in use at once.", ({ sample }) => sample.memory?.peak),
  memoryCounter("failcnt", "How often the memory limit was in the way.", ({ sample }) => sample.memory?.failures),
  memoryCounter("failures_total", "Page faults, by kind.", faults),
  family("", "counter")(
    "oom_events_total",
    "Processes that the kernel killed for want of memory.",
    ({ sample }) => sample.memory?.oomKills
  ),
  ...pressure("cpu", "a processor"),
  ...pressure("memory", "memory"),
  ...pressure("io", "a disk"),
  fsCounter("reads_bytes_total", "Bytes that were read from a disk.", disk("readBytes")),
  fsCounter("writes_bytes_total", "Bytes that were written to a disk.", disk("writeBytes")),
  fsCounter("reads_total", "Reads from a disk.", disk("reads")),
  fsCounter("writes_total", "Writes to a disk.", disk("writes")),
  fs("usage_bytes", "Bytes that the container's own layer takes.", layer("usedBytes")),
  fs("limit_bytes", "Bytes of the file system that holds the container's own layer.", layer("capacityBytes")),
  fs("inodes_total", "Inodes of the file system that holds the container's own layer.", layer("inodes")),
  fs("inodes_free", "Inodes of it that are free.", layer("inodesFree")),
  network("receive_bytes_total", "Bytes that came in.", interfaces("rxBytes")),
  network("receive_packets_total", "Packets that came in.", interfaces("rxPackets")),
  network("receive_packets_dropped_total", "Packets that came in and were dropped.", interfaces("rxDropped")),
  network("receive_errors_total", "Errors of receiving.", interfaces("rxErrors")),
  network("transmit_bytes_total", "Bytes that went out.", interfaces("txBytes")),
  network("transmit_packets_total", "Packets that went out.", interfaces("txPackets")),
  network("transmit_packets_dropped_total", "Packets that were dropped instead of going out.", interfaces("txDropped")),
  network("transmit_errors_total", "Errors of sending.", interfaces("txErrors")),
  gauge("threads", "Processes and threads.", ({ sample }) => sample.pids?.current),
  gauge("threads_max", "Processes and threads that it may have; 0: no limit.", ({ sample }) =>
    sample.pids === undefined ? undefined : (sample.pids.limit ?? 0)
  ),
  spec("cpu_shares", "Shares of CPU time that it has against others.", ({ spec: s }) => s?.shares, true),
  spec("cpu_period", "Period of its CPU quota, in microseconds.", ({ spec: s }) => s?.period, true),
  spec(
    "cpu_quota",
    "Time of processors that it may use in a period, in microseconds.",
    ({ spec: s }) => s?.quota,
    true
  ),
  spec(
    "memory_limit_bytes",
    "Memory that it may have; 0: no limit.",
    ({ memoryLimit, sample }) => (sample.memory === undefined ? undefined : memoryLimit),
    true
  )
]

/** Name, type and help of all that is told, for documentation. */
export const cadvisorFamilies = (): ReadonlyArray<Pick<ContainerFamily, "name" | "type" | "help">> => [
  ...families,
  ...machineFamilies.map(({ name, help }) => ({ name, type: "gauge" as const, help })),
  { name: "cadvisor_version_info", type: "gauge", help: versionHelp },
  { name: "container_scrape_error", type: "gauge", help: scrapeHelp }
]

const identity = (container: string, id: string, image: string, name: string, namespace: string, pod: string): string =>
  labelText({ container, id, image, name, namespace, pod })

export interface CadvisorOptions {
  readonly machine: Machine
  readonly deviceName: DeviceName
  /** CPU settings of a container or, without its name, of a pod. */
  readonly specOf: (container: ContainerSample) => CpuSpec | undefined
}

const subjectsOf = (
  { summary, containers, node }: Usage,
  { machine, specOf }: CadvisorOptions
): ReadonlyArray<Subject> => {
  const pods = new Map<string, PodStats>(summary.pods.map((pod) => [pod.podRef.uid, pod]))
  const root: Subject = {
    labels: identity("", "/", "", "", "", ""),
    sample: node,
    of: undefined,
    summary: undefined,
    spec: undefined,
    memoryLimit: machine.memory
  }
  return [
    root,
    ...containers.map((of): Subject => {
      const container = of.container === "POD" ? "" : of.container
      return {
        labels: identity(container, of.path, of.image, of.containerId, of.namespace, of.pod),
        sample: of.sample,
        of,
        summary: container === "" ? undefined : pods.get(of.podUid)?.containers.find(({ name }) => name === container),
        spec: of.container === "POD" ? undefined : specOf(of),
        memoryLimit: of.sample.memory?.limit ?? 0
      }
    })
  ]
}

const machineFamilies: ReadonlyArray<{
  readonly name: string
  readonly help: string
  readonly of: (machine: Machine) => number
}> = [
  { name: "machine_cpu_cores", help: "Logical processors.", of: ({ cpus }) => cpus },
  { name: "machine_memory_bytes", help: "Memory of the machine.", of: (machine) => machine.memory },
  { name: "machine_swap_bytes", help: "Swap space of the machine.", of: ({ swap }) => swap }
]
const versionHelp = "The machine, as labels."
const scrapeHelp = "1 where the figures could not be read, else 0."

const machineText = (machine: Machine): string => {
  const labels = labelText({
    boot_id: machine.bootId,
    machine_id: machine.machineId,
    system_uuid: machine.systemUuid
  })
  const version = labelText({
    cadvisorRevision: "",
    cadvisorVersion: "",
    dockerVersion: "",
    kernelVersion: machine.kernel,
    osVersion: machine.os
  })
  const sizes = machineFamilies
    .map(({ name, help, of }) => `${familyHead(name, "gauge", help)}${name}{${labels}} ${numberText(of(machine))}\n`)
    .join("")
  const info = "cadvisor_version_info"
  return `${familyHead(info, "gauge", versionHelp)}${info}{${version}} 1\n${sizes}`
}

const scrapeError = (isFailed: boolean): string =>
  `${familyHead("container_scrape_error", "gauge", scrapeHelp)}container_scrape_error ${isFailed ? 1 : 0}\n`

/** @param usage undefined: it could not be had */
export const cadvisorText = (usage: Usage | undefined, options: CadvisorOptions): string => {
  let text = machineText(options.machine)
  if (usage === undefined) return text + scrapeError(true)
  const subjects = subjectsOf(usage, options)
  for (const { name, type, help, of, untimed } of families) {
    let lines = ""
    for (const subject of subjects) {
      const values = of(subject, options.deviceName)
      if (values === undefined) continue
      const end = untimed === undefined ? ` ${subject.sample.at}\n` : "\n"
      if (typeof values === "number") lines += `${name}{${subject.labels}} ${numberText(values)}${end}`
      else for (const [more, value] of values) lines += `${name}{${subject.labels},${more}} ${numberText(value)}${end}`
    }
    if (lines !== "") text += familyHead(name, type, help) + lines
  }
  return text + scrapeError(false)
}
