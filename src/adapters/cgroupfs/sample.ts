/**
 * What one cgroup uses, by the kernel's files: of each controller from v1's hierarchy of it, or else from v2's. Which figure is
 * which follows cAdvisor (container/libcontainer/handler.go, on opencontainers/cgroups fs and fs2), whose names kubelet uses.
 */
import type { PsiStats } from "../../events/stats-summary.ts"
import type { StatisticsPoints } from "./hierarchies.ts"
import { blkio, count, ioStat, limit, pressure, scanner } from "./parse.ts"
import type { PassFiles } from "./pass-files.ts"
import type { BriefSample, CgroupSample, IoCounters } from "./port.ts"

type Cpu = NonNullable<CgroupSample["cpu"]>
type Memory = NonNullable<CgroupSample["memory"]>
type Pids = NonNullable<CgroupSample["pids"]>
type InUse = Omit<Memory, "swap" | "limit" | "peak" | "failures" | "oomKills" | "pressure">

/** Nanoseconds of a tick of USER_HZ, which is 100 wherever Linux tells times to programs; and of a microsecond. */
const tick = 10_000_000
const microsecond = 1_000

const cpuacctStat = scanner(["user", "system"])
const cpuStatV1 = scanner(["nr_periods", "nr_throttled", "throttled_time"])
const cpuStatV2 = scanner(["usage_usec", "user_usec", "system_usec", "nr_periods", "nr_throttled", "throttled_usec"])
const memoryStatV1 = scanner([
  "total_cache",
  "total_rss",
  "total_mapped_file",
  "total_swap",
  "total_pgfault",
  "total_pgmajfault",
  "total_inactive_file"
])
const memoryStatV2 = scanner(["anon", "file", "file_mapped", "inactive_file", "pgfault", "pgmajfault"])
const oomControl = scanner(["oom_kill"])
const memoryEvents = scanner(["max", "oom_kill"])

const known = (value: number): number => Math.max(0, value)

const noShare = { total: 0, avg10: 0, avg60: 0, avg300: 0 }
const noStalls: PsiStats = { some: noShare, full: noShare }
const isNone = (stats: PsiStats | undefined): boolean => stats !== undefined && stats.some.total === 0

export class Sampler {
  readonly #files: PassFiles
  readonly #points: StatisticsPoints
  readonly #hasPressure: boolean
  /** Whether there are figures of v2's controllers. */
  readonly #isUnifiedUsed: boolean
  /** Whether the cgroup before had figures of pressure. */
  #hadPressure = false
  /** Whether the root has figures of a device. */
  #hasDevices = true
  /** Files that this kernel does not have although their controller is there: peak, swap. Asked for once. */
  readonly #lacking = new Set<string>()

  constructor(files: PassFiles, points: StatisticsPoints) {
    this.#files = files
    this.#points = points
    this.#isUnifiedUsed =
      points.unified !== undefined &&
      (points.v1.size === 0 || ["memory", "pids", "io"].some((name) => points.unifiedControllers.has(name)))
    this.#hasPressure = points.unified !== undefined && files.read("/proc/pressure/cpu")
  }

  /**
   * Before each pass. A cgroup has figures of a device only where all above it have: where the root has none (kernels since
   * 6.10 count nothing for v1 until a limit is set) there are no files to be read below it.
   */
  begin(): void {
    const { v1, unified } = this.#points
    const point = v1.get("blkio")
    const root = point === undefined ? (unified === undefined ? undefined : this.#ioV2(unified)) : this.#ioV1(point)
    this.#hasDevices = root === undefined || root.length > 0
  }

  /**
   * Undefined: there is no such cgroup. `at`: milliseconds since the epoch. `above`: of the cgroup right above it, from the same
   * pass; where nobody in that ever waited, nobody in this one did.
   */
  sample(path: string, at: number, above?: CgroupSample): CgroupSample | undefined {
    const { v1, unified } = this.#points
    const unifiedPath = unified === undefined ? undefined : `${unified}${path}`
    // On v2 a cgroup has the controllers that its parent hands on; one that is gone has not even the list of them.
    const controllers = this.#isUnifiedUsed ? this.#files.text(`${unifiedPath}/cgroup.controllers`) : undefined
    if (v1.size === 0 && controllers === undefined) return undefined
    const enabled = new Set(controllers?.split(/\s+/u))
    const stalled = this.#hasPressure ? this.#cpuPressure(unifiedPath!, above?.cpu?.pressure) : undefined
    const stalls = (file: string, parent: PsiStats | undefined): { readonly pressure?: PsiStats } =>
      stalled === undefined ? {} : isNone(parent) ? { pressure: noStalls } : this.#pressure(`${unifiedPath}/${file}`)

    const memoryPoint = v1.get("memory")
    const memory =
      memoryPoint !== undefined
        ? this.#memoryV1(`${memoryPoint}${path}`)
        : enabled.has("memory")
          ? this.#memoryV2(unifiedPath!)
          : undefined
    const cpu =
      v1.has("cpuacct") || v1.has("cpu")
        ? this.#cpuV1(path)
        : unifiedPath === undefined
          ? undefined
          : this.#cpuV2(unifiedPath)
    const pidsPoint = v1.get("pids") ?? (enabled.has("pids") ? unified : undefined)
    const pids = pidsPoint === undefined ? undefined : this.#pids(`${pidsPoint}${path}`)
    if (memory === undefined && cpu === undefined && pids === undefined) return undefined
    const devices = this.#devices(path, enabled)
    return {
      at,
      ...(cpu === undefined ? {} : { cpu: stalled === undefined ? cpu : { ...cpu, pressure: stalled } }),
      ...(memory === undefined ? {} : { memory: { ...memory, ...stalls("memory.pressure", above?.memory?.pressure) } }),
      ...(pids === undefined ? {} : { pids }),
      ...(devices === undefined ? {} : { io: { devices, ...stalls("io.pressure", above?.io?.pressure) } })
    }
  }

  /** Undefined: there is no such cgroup. Without what costs files and says nothing of how much is used. */
  brief(path: string, at: number): BriefSample | undefined {
    const { v1, unified } = this.#points
    const accounts = v1.get("cpuacct")
    const usage =
      accounts !== undefined
        ? this.#number(`${accounts}${path}/cpuacct.usage`)
        : unified === undefined
          ? undefined
          : this.#cpuV2(`${unified}${path}`)?.usage
    const memoryPoint = v1.get("memory")
    const memory =
      memoryPoint !== undefined
        ? this.#inUseV1(`${memoryPoint}${path}`)
        : unified === undefined
          ? undefined
          : this.#inUseV2(`${unified}${path}`)
    const pidsPoint = v1.get("pids") ?? unified
    const current = pidsPoint === undefined ? undefined : this.#number(`${pidsPoint}${path}/pids.current`)
    if (usage === undefined && memory === undefined && current === undefined) return undefined
    return {
      at,
      ...(usage === undefined ? {} : { cpu: { usage } }),
      ...(memory === undefined ? {} : { memory }),
      ...(current === undefined ? {} : { pids: { current } })
    }
  }

  /**
   * A hybrid host has such a file only where the runtime made the cgroup in v2's hierarchy too: what fails costs more than a
   * look.
   */
  #cpuPressure(directory: string, above: PsiStats | undefined): PsiStats | undefined {
    const file = `${directory}/cpu.pressure`
    if ((!this.#hadPressure || isNone(above)) && !this.#files.exists(file)) return undefined
    if (isNone(above)) return noStalls
    const { pressure: stats } = this.#pressure(file)
    this.#hadPressure = stats !== undefined
    return stats
  }

  #devices(path: string, enabled: ReadonlySet<string>): ReadonlyArray<IoCounters> | undefined {
    const { v1, unified } = this.#points
    const point = v1.get("blkio")
    if (point === undefined && !enabled.has("io")) return undefined
    if (!this.#hasDevices) return []
    return point === undefined ? this.#ioV2(`${unified}${path}`) : this.#ioV1(`${point}${path}`)
  }

  #number(file: string): number | undefined {
    return this.#files.read(file) ? count(this.#files.bytes, this.#files.length) : undefined
  }

  #limit(file: string): number | undefined {
    return this.#files.read(file) ? limit(this.#files.bytes, this.#files.length) : undefined
  }

  /** A file of a cgroup that is there, which older kernels do not have. */
  #optional(directory: string, name: string): number | undefined {
    if (this.#lacking.has(name)) return undefined
    const value = this.#number(`${directory}/${name}`)
    if (value === undefined && !this.#files.exists(`${directory}/${name}`) && this.#files.exists(directory)) {
      this.#lacking.add(name)
    }
    return value
  }

  #pressure(file: string): { readonly pressure?: PsiStats } {
    if (!this.#files.read(file)) return {}
    const stalls = pressure(this.#files.bytes, this.#files.length)
    return stalls === undefined ? {} : { pressure: stalls }
  }

  #cpuV1(path: string): Cpu | undefined {
    const { v1 } = this.#points
    const accounts = v1.get("cpuacct")
    const usage = accounts === undefined ? undefined : this.#number(`${accounts}${path}/cpuacct.usage`)
    if (accounts !== undefined && usage === undefined) return undefined
    const times = accounts === undefined ? undefined : this.#files.text(`${accounts}${path}/cpuacct.stat`)
    const [user = 0, system = 0] = times === undefined ? [] : cpuacctStat(times)
    const quota = v1.has("cpu") ? this.#files.text(`${v1.get("cpu")}${path}/cpu.stat`) : undefined
    if (usage === undefined && quota === undefined) return undefined
    const [periods = 0, throttledPeriods = 0, throttled = 0] = quota === undefined ? [] : cpuStatV1(quota)
    return {
      usage: usage ?? 0,
      user: known(user) * tick,
      system: known(system) * tick,
      periods: known(periods),
      throttledPeriods: known(throttledPeriods),
      throttled: known(throttled)
    }
  }

  #cpuV2(directory: string): Cpu | undefined {
    const text = this.#files.text(`${directory}/cpu.stat`)
    if (text === undefined) return undefined
    const [usage, user, system, periods, throttledPeriods, throttled] = cpuStatV2(text)
    return {
      usage: known(usage!) * microsecond,
      user: known(user!) * microsecond,
      system: known(system!) * microsecond,
      periods: known(periods!),
      throttledPeriods: known(throttledPeriods!),
      throttled: known(throttled!) * microsecond
    }
  }

  #inUseV1(directory: string): (InUse & Pick<Memory, "swap">) | undefined {
    const usage = this.#number(`${directory}/memory.usage_in_bytes`)
    const text = usage === undefined ? undefined : this.#files.text(`${directory}/memory.stat`)
    if (usage === undefined || text === undefined) return undefined
    const [cache, rss, mappedFile, swap, pageFaults, majorPageFaults, inactiveFile] = memoryStatV1(text)
    return {
      usage,
      workingSet: known(usage - known(inactiveFile!)),
      rss: known(rss!),
      cache: known(cache!),
      mappedFile: known(mappedFile!),
      swap: known(swap!),
      pageFaults: known(pageFaults!),
      majorPageFaults: known(majorPageFaults!)
    }
  }

  #memoryV1(directory: string): Memory | undefined {
    const inUse = this.#inUseV1(directory)
    if (inUse === undefined) return undefined
    const most = this.#limit(`${directory}/memory.limit_in_bytes`)
    const peak = this.#optional(directory, "memory.max_usage_in_bytes")
    const control = this.#files.text(`${directory}/memory.oom_control`)
    const oomKills = control === undefined ? -1 : oomControl(control)[0]!
    return {
      ...inUse,
      ...(most === undefined ? {} : { limit: most }),
      ...(peak === undefined ? {} : { peak }),
      failures: this.#number(`${directory}/memory.failcnt`) ?? 0,
      ...(oomKills < 0 ? {} : { oomKills })
    }
  }

  #inUseV2(directory: string): InUse | undefined {
    const text = this.#files.text(`${directory}/memory.stat`)
    if (text === undefined) return undefined
    const [anon, file, mappedFile, inactiveFile, pageFaults, majorPageFaults] = memoryStatV2(text)
    // The root has no memory.current: then usage is what v1 says of it (fs2/memory.go rootStatsFromMeminfo).
    const usage = this.#optional(directory, "memory.current") ?? known(anon!) + known(file!)
    return {
      usage,
      workingSet: known(usage - known(inactiveFile!)),
      rss: known(anon!),
      cache: known(file!),
      mappedFile: known(mappedFile!),
      pageFaults: known(pageFaults!),
      majorPageFaults: known(majorPageFaults!)
    }
  }

  #memoryV2(directory: string): Memory | undefined {
    const inUse = this.#inUseV2(directory)
    if (inUse === undefined) return undefined
    const most = this.#limit(`${directory}/memory.max`)
    const peak = this.#optional(directory, "memory.peak")
    const swap = this.#optional(directory, "memory.swap.current")
    const events = this.#files.text(`${directory}/memory.events`)
    const [failures = 0, oomKills = -1] = events === undefined ? [] : memoryEvents(events)
    return {
      ...inUse,
      swap: swap ?? 0,
      ...(most === undefined ? {} : { limit: most }),
      ...(peak === undefined ? {} : { peak }),
      failures: known(failures),
      ...(oomKills < 0 ? {} : { oomKills })
    }
  }

  #pids(directory: string): Pids | undefined {
    const current = this.#number(`${directory}/pids.current`)
    if (current === undefined) return undefined
    const most = this.#limit(`${directory}/pids.max`)
    return { current, ...(most === undefined ? {} : { limit: most }) }
  }

  /** The throttling policy counts all of it whatever scheduler the disk has; `_recursive` with the cgroups below. */
  #ioV1(directory: string): ReadonlyArray<IoCounters> | undefined {
    const bytes = this.#files.text(`${directory}/blkio.throttle.io_service_bytes_recursive`)
    if (bytes === undefined) return undefined
    return blkio(bytes, this.#files.text(`${directory}/blkio.throttle.io_serviced_recursive`) ?? "")
  }

  #ioV2(directory: string): ReadonlyArray<IoCounters> | undefined {
    const text = this.#files.text(`${directory}/io.stat`)
    return text === undefined ? undefined : ioStat(text)
  }
}
