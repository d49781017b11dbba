/**
 * Slices by systemd, which owns the tree where it runs: a cgroup is a transient unit, asked for over D-Bus with systemd's
 * own `busctl` (opencontainers/cgroups, systemd: v1.go, v2.go, common.go). What systemd has no property for is written to
 * the kernel's files afterwards, as there.
 */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { isDirectory, lineage } from "./files.ts"
import { CgroupError, type CgroupValues, sharesToWeight } from "./port.ts"

/** The directory that systemd has where it is the init system (sd_booted(3)). */
const bootedMark = "/run/systemd/system"
export const isSystemdBooted = (): boolean => existsSync(bootedMark)

export const notBooted =
  "the cgroup driver systemd needs systemd as the init system, which this host has not (no /run/systemd/system)"

const slice = ".slice"
export const isSlice = (cgroup: string): boolean => cgroup.endsWith(slice)
/** `/kubepods.slice/kubepods-burstable.slice` → `kubepods-burstable.slice` */
export const unitOf = (cgroup: string): string => cgroup.split("/").at(-1) ?? ""

/** Name, D-Bus signature and values of one property, as busctl takes them. */
type Property = readonly [name: string, signature: string, ...values: ReadonlyArray<string>]

const infinity = "18446744073709551615"
const flag = (name: string, value: boolean): Property => [name, "b", value ? "true" : "false"]
const amount = (name: string, value: number): Property => [name, "t", value < 0 ? infinity : String(value)]

/** systemd keeps whole steps of 10 ms per second; what lies between goes up. */
const quotaStep = 10_000
const perSecond = (quota: number, period: number): string =>
  quota <= 0 ? infinity : String(Math.ceil((quota * 1_000_000) / period / quotaStep) * quotaStep)

const defaultPeriod = 100_000

/** What of the values systemd is told, so that it does not set them back at its next look. */
export const valueProperties = (values: CgroupValues, version: "v1" | "v2"): ReadonlyArray<Property> => {
  const { cpuShares, cpuQuota, cpuPeriod, memoryLimit, pidsLimit } = values
  const found: Array<Property> = []
  if (cpuShares !== undefined) {
    found.push(version === "v2" ? amount("CPUWeight", sharesToWeight(cpuShares)) : amount("CPUShares", cpuShares))
  }
  if (cpuPeriod !== undefined) found.push(amount("CPUQuotaPeriodUSec", cpuPeriod))
  if (cpuQuota !== undefined) found.push(["CPUQuotaPerSecUSec", "t", perSecond(cpuQuota, cpuPeriod ?? defaultPeriod)])
  if (memoryLimit !== undefined) found.push(amount(version === "v2" ? "MemoryMax" : "MemoryLimit", memoryLimit))
  if (pidsLimit !== undefined) found.push(amount("TasksMax", pidsLimit))
  return found
}

const newSlice = (unit: string, parent: string, version: "v1" | "v2"): ReadonlyArray<Property> => [
  ["Description", "s", `Pods of this node: ${unit}`],
  ...(parent === "" ? [] : [["Wants", "as", "1", parent] as Property]),
  flag("DefaultDependencies", false),
  flag("MemoryAccounting", true),
  flag("CPUAccounting", true),
  flag(version === "v2" ? "IOAccounting" : "BlockIOAccounting", true),
  flag("TasksAccounting", true)
]

const flat = (properties: ReadonlyArray<Property>): ReadonlyArray<string> => [
  String(properties.length),
  ...properties.flat()
]

const manager = [
  "--system",
  "call",
  "org.freedesktop.systemd1",
  "/org/freedesktop/systemd1",
  "org.freedesktop.systemd1.Manager"
]

/** Arguments of busctl that start a slice below `parent` (a unit, empty for the root). */
export const startCall = (unit: string, parent: string, version: "v1" | "v2"): ReadonlyArray<string> => [
  ...manager,
  "StartTransientUnit",
  "ssa(sv)a(sa(sv))",
  unit,
  "replace",
  ...flat(newSlice(unit, parent, version)),
  "0"
]
/** … that set properties until the next boot. */
export const setCall = (unit: string, properties: ReadonlyArray<Property>): ReadonlyArray<string> => [
  ...manager,
  "SetUnitProperties",
  "sba(sv)",
  unit,
  "true",
  ...flat(properties)
]
export const stopCall = (unit: string): ReadonlyArray<string> => [...manager, "StopUnit", "ss", unit, "replace"]

/** Milliseconds that one call to systemd may take, and that a started unit may take to have its cgroup. */
const callTimeout = 30_000
const appearPause = 20

const busctl = (operation: string, unit: string, args: ReadonlyArray<string>, ignored: RegExp): Promise<void> =>
  new Promise((done, fail) => {
    execFile("busctl", [...args], { timeout: callTimeout }, (error, _, stderr) => {
      if (error === null || ignored.test(stderr)) return done()
      const message = `systemd: ${stderr.trim() === "" ? error.message : stderr.trim()}`
      fail(new CgroupError({ reason: "Failed", operation, path: unit, message }))
    })
  })

export interface Slices {
  /** Starts what of the slice and of those above it has no cgroup yet; answers whether the slice itself was started. */
  readonly start: (cgroup: string) => Promise<boolean>
  readonly set: (cgroup: string, values: CgroupValues) => Promise<void>
  readonly stop: (cgroup: string) => Promise<void>
}

/** `point`: a hierarchy in which systemd makes every cgroup. */
export const systemdSlices = (version: "v1" | "v2", point: string): Slices => {
  const appear = async (cgroup: string): Promise<void> => {
    for (const until = Date.now() + callTimeout; Date.now() < until; ) {
      if (await isDirectory(`${point}${cgroup}`)) return
      await new Promise((done) => setTimeout(done, appearPause))
    }
    const message = "systemd started the slice, and it has no cgroup"
    throw new CgroupError({ reason: "Failed", operation: "make", path: cgroup, message })
  }
  return {
    start: async (cgroup) => {
      let isNew = false
      let parent = ""
      for (const step of lineage(cgroup)) {
        const unit = unitOf(step)
        isNew = !(await isDirectory(`${point}${step}`))
        if (isNew) {
          await busctl("make", unit, startCall(unit, parent, version), /UnitExists|already (loaded|exists)/iu)
          await appear(step)
        }
        parent = unit
      }
      return isNew
    },
    set: async (cgroup, values) => {
      const properties = valueProperties(values, version)
      if (properties.length > 0) await busctl("set", unitOf(cgroup), setCall(unitOf(cgroup), properties), /$^/u)
    },
    stop: (cgroup) => busctl("remove", unitOf(cgroup), stopCall(unitOf(cgroup)), /not loaded|NoSuchUnit/iu)
  }
}
