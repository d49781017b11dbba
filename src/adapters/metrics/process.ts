/** What Prometheus' clients tell of their own process, and what program it is. */
import { readdirSync, readFileSync } from "node:fs"
import process from "node:process"
import type { Labels, Registry } from "./registry.ts"

const openFiles = (): number => {
  try {
    return readdirSync("/proc/self/fd").length
  } catch {
    return Number.NaN
  }
}

const text = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

const maxFiles = (): number => {
  const soft = /^Max open files\s+(\S+)/mu.exec(text("/proc/self/limits"))?.[1]
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft ?? Number.NaN)
}

const virtualMemory = (): number => Number(/^VmSize:\s+(\d+) kB/mu.exec(text("/proc/self/status"))?.[1]) * 1024

/** @param build labels of the metric that tells of the program: `version`, `runtime` */
export const addProcessMetrics = (registry: Registry, build: Labels): void => {
  const gauge = (name: string, help: string, look: () => number): void =>
    registry.lookedUp({ name, help }, "gauge", look)
  registry.lookedUp({ name: "chronode_build_info", help: "The program, as labels.", series: [build] }, "gauge", () => 1)
  registry.lookedUp(
    { name: "process_cpu_seconds_total", help: "Time of processors that this process took, in seconds." },
    "counter",
    () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    }
  )
  gauge("process_resident_memory_bytes", "Memory that this process holds.", () => process.memoryUsage.rss())
  gauge("process_virtual_memory_bytes", "Addresses that this process has taken.", virtualMemory)
  const startSeconds = Date.now() / 1000 - process.uptime()
  gauge("process_start_time_seconds", "When this process began, seconds since the epoch.", () => startSeconds)
  gauge("process_open_fds", "Open files of this process.", openFiles)
  gauge("process_max_fds", "Files that this process may have open.", maxFiles)
}
