/** Facts of the machine that cAdvisor tells as labels, and names of its disks. What cannot be read is empty. */
import { readFileSync } from "node:fs"
import type { Machine } from "./usage.ts"

/** Names that are remembered. */
const maxDevices = 1_000

const text = (path: string): string => {
  try {
    return readFileSync(path, "utf8").trim()
  } catch {
    return ""
  }
}

const unquoted = (value: string): string => value.replace(/^"(.*)"$/u, "$1")

/** @param known what the agent knows already */
export const readMachine = (known: Pick<Machine, "bootId" | "kernel" | "cpus" | "memory">): Machine => ({
  ...known,
  machineId: text("/etc/machine-id"),
  systemUuid: text("/sys/class/dmi/id/product_uuid"),
  os: unquoted(/^PRETTY_NAME=(.*)$/mu.exec(text("/etc/os-release"))?.[1] ?? ""),
  swap: Number(/^SwapTotal:\s+(\d+) kB/mu.exec(text("/proc/meminfo"))?.[1] ?? 0) * 1024
})

/** `259:0` → `/dev/nvme0n1`; itself where the kernel does not tell. */
export const makeDeviceName = (): ((device: string) => string) => {
  const names = new Map<string, string>()
  return (device) => {
    const known = names.get(device)
    if (known !== undefined) return known
    if (names.size >= maxDevices) names.clear()
    const found = /^\d+:\d+$/u.test(device)
      ? /^DEVNAME=(.+)$/mu.exec(text(`/sys/dev/block/${device}/uevent`))?.[1]
      : undefined
    const name = found === undefined ? device : `/dev/${found}`
    names.set(device, name)
    return name
  }
}
