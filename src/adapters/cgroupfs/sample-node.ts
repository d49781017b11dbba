/** What the whole node uses: the root cgroup, and /proc for what it does not have. */
import * as fs from "node:fs"
import { diskStats, pressure, scanner, threadsOf } from "./parse.ts"
import type { PassFiles } from "./pass-files.ts"
import type { CgroupSample } from "./port.ts"

/** /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal in ticks of USER_HZ. */
const tick = 10_000_000
const kibibyte = 1024
const meminfo = scanner(
  ["MemTotal", "MemFree", "Cached", "Active(file)", "Inactive(file)", "SwapTotal", "SwapFree", "AnonPages", "Mapped"],
  ":"
)
const vmstat = scanner(["pgfault", "pgmajfault", "oom_kill"])
const known = (value: number | undefined): number => Math.max(0, value ?? 0)

const cpuOf = (files: PassFiles): CgroupSample["cpu"] => {
  const line = files.text("/proc/stat", true)?.split("\n", 1)[0]
  if (line?.startsWith("cpu ") !== true) return undefined
  const ticks = line.trim().split(/\s+/u).slice(1).map(Number)
  const at = (i: number): number => (Number.isFinite(ticks[i]) ? ticks[i]! * tick : 0)
  const user = at(0) + at(1)
  const system = at(2) + at(5) + at(6)
  return { usage: user + system, user, system, periods: 0, throttledPeriods: 0, throttled: 0 }
}

/** As the root cgroup would have it (fs2/memory.go rootStatsFromMeminfo): anonymous pages and those of files. */
const memoryOf = (files: PassFiles): CgroupSample["memory"] => {
  const text = files.text("/proc/meminfo", true)
  if (text === undefined) return undefined
  const [, , cached, , inactiveFile, swapTotal, swapFree, anon, mapped] = [...meminfo(text)].map(
    (n) => known(n) * kibibyte
  )
  const [faults, majorFaults, oomKills] = vmstat(files.text("/proc/vmstat", true) ?? "")
  const usage = known(anon) + known(cached)
  return {
    usage,
    workingSet: Math.max(0, usage - known(inactiveFile)),
    rss: known(anon),
    cache: known(cached),
    mappedFile: known(mapped),
    swap: Math.max(0, known(swapTotal) - known(swapFree)),
    pageFaults: known(faults),
    majorPageFaults: known(majorFaults),
    failures: 0,
    ...(oomKills === undefined || oomKills < 0 ? {} : { oomKills })
  }
}

/** Whole disks; what is in memory or in a file of another disk would be counted twice. */
const disks = (): ReadonlySet<string> => {
  try {
    return new Set(fs.readdirSync("/sys/block").filter((name) => !/^(?:loop|ram|zram|dm-|md|sr)\d/u.test(name)))
  } catch {
    return new Set()
  }
}

const pidsOf = (files: PassFiles): CgroupSample["pids"] => {
  const current = threadsOf(files.text("/proc/loadavg", true) ?? "")
  if (current === undefined) return undefined
  // Kubelet's MaxPID is the smaller of both (pkg/kubelet/stats/pidlimit).
  const limits = ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"].flatMap((file) => {
    const value = Number.parseInt(files.text(file, true) ?? "", 10)
    return Number.isFinite(value) ? [value] : []
  })
  return { current, ...(limits.length === 0 ? {} : { limit: Math.min(...limits) }) }
}

/** `root`: the root cgroup's sample where it has files. */
export const sampleNode = (files: PassFiles, root: CgroupSample | undefined, at: number): CgroupSample => {
  const stalls = (resource: "cpu" | "memory" | "io") => {
    if (!files.read(`/proc/pressure/${resource}`, true)) return {}
    const stats = pressure(files.bytes, files.length)
    return stats === undefined ? {} : { pressure: stats }
  }
  const cpu = root?.cpu ?? cpuOf(files)
  const ofProc = memoryOf(files)
  const memory = root?.memory ?? ofProc
  const pids = pidsOf(files)
  const names = disks()
  const diskText = files.text("/proc/diskstats", true)
  const devices = diskText === undefined ? undefined : diskStats(diskText, (name) => names.has(name))
  return {
    at,
    ...(cpu === undefined ? {} : { cpu: { ...cpu, ...stalls("cpu") } }),
    ...(memory === undefined
      ? {}
      : {
          memory: {
            ...withoutLimit(memory),
            // Of the root cgroup alone the kernel does not count them.
            swap: ofProc?.swap ?? memory.swap,
            ...(ofProc?.oomKills === undefined ? {} : { oomKills: ofProc.oomKills }),
            ...stalls("memory")
          }
        }),
    ...(pids === undefined ? {} : { pids }),
    ...(devices === undefined ? {} : { io: { devices, ...stalls("io") } })
  }
}

const withoutLimit = ({ limit: _, ...memory }: NonNullable<CgroupSample["memory"]>) => memory
