/** A cgroup's sample in the words of kubelet's summary (`pkg/kubelet/stats/helper.go`). Pure. */
import type { BriefSample, InterfaceCounters } from "../../adapters/cgroupfs/port.ts"
import type {
  CpuStats,
  InterfaceStats,
  IoStats,
  MemoryStats,
  NetworkStats,
  SwapStats
} from "../../events/stats-summary.ts"

export const timeOf = (at: number): string => new Date(at).toISOString()

/** `nanoCores`: at the moment, undefined where it is not known yet. */
export const cpuStats = ({ at, cpu }: BriefSample, nanoCores: number | undefined): CpuStats | undefined =>
  cpu === undefined
    ? undefined
    : {
        time: timeOf(at),
        ...(nanoCores === undefined ? {} : { usageNanoCores: nanoCores }),
        usageCoreNanoSeconds: cpu.usage,
        ...(cpu.pressure === undefined ? {} : { psi: cpu.pressure })
      }

/** `limit`: instead of the cgroup's own; of the node it is what memory there is. */
export const memoryStats = (
  { at, memory }: BriefSample,
  limit: number | undefined = memory?.limit
): MemoryStats | undefined =>
  memory === undefined
    ? undefined
    : {
        time: timeOf(at),
        ...(limit === undefined ? {} : { availableBytes: Math.max(0, limit - memory.workingSet) }),
        usageBytes: memory.usage,
        workingSetBytes: memory.workingSet,
        rssBytes: memory.rss,
        pageFaults: memory.pageFaults,
        majorPageFaults: memory.majorPageFaults,
        ...(memory.pressure === undefined ? {} : { psi: memory.pressure })
      }

export const swapStats = ({ at, memory }: BriefSample): SwapStats | undefined =>
  memory?.swap === undefined ? undefined : { time: timeOf(at), swapUsageBytes: memory.swap }

export const ioStats = ({ at, io }: BriefSample): IoStats | undefined =>
  io?.pressure === undefined ? undefined : { time: timeOf(at), psi: io.pressure }

/** Interfaces that cAdvisor passes over (`container/libcontainer/handler.go` isIgnoredDevice). */
const passedOver = ["lo", "veth", "docker"]
/** Whose counters stand for the whole (defaultNetworkInterfaceName). */
const defaultInterface = "eth0"

export const interfaceStats = ({ name, rxBytes, rxErrors, txBytes, txErrors }: InterfaceCounters): InterfaceStats => ({
  name,
  rxBytes,
  rxErrors,
  txBytes,
  txErrors
})

export const networkStats = (at: number, counters: ReadonlyArray<InterfaceCounters>): NetworkStats | undefined => {
  const interfaces = counters
    .filter(({ name }) => !passedOver.some((prefix) => name.startsWith(prefix)))
    .map(interfaceStats)
  if (interfaces.length === 0) return undefined
  const first = interfaces.find(({ name }) => name === defaultInterface)
  return { time: timeOf(at), ...(first ?? { name: "" }), interfaces }
}
