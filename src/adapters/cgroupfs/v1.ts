/** Cgroup v1: one directory per controller. Files and their order as in opencontainers/cgroups, fs. */
import * as path from "node:path"
import { inside, isDirectory, lineage, makeBelow, makeDirectory, readValue, writeValue } from "./files.ts"
import type { Hierarchies } from "./hierarchies.ts"
import { CgroupError, type CgroupValues } from "./port.ts"

type Controllers = Hierarchies["controllers"]

const cpusetFiles = ["cpuset.cpus", "cpuset.mems"] as const

/** A new cpuset has no processors and no memory, and takes no process: it gets its parent's. False: that has none either. */
const inheritCpuset = async (parent: string, directory: string): Promise<boolean> => {
  for (const file of cpusetFiles) {
    const own = await readValue(inside(directory, file))
    if (own !== "") continue
    const above = await readValue(inside(parent, file))
    if (above === undefined || above === "") return false
    await writeValue(inside(directory, file), above)
  }
  return true
}

/** From the top down. Answers whether the last one was made now. */
const makeLineage = async (controller: string, point: string, cgroup: string): Promise<boolean> => {
  let parent = point
  let isNew = false
  for (const step of lineage(cgroup)) {
    const directory = inside(point, step)
    isNew = await makeDirectory(directory)
    if (controller === "cpuset") await inheritCpuset(parent, directory)
    parent = directory
  }
  return isNew
}

/** What is above it is there mostly: then one step makes it. */
const makeIn = async (controller: string, point: string, cgroup: string): Promise<boolean> => {
  const directory = inside(point, cgroup)
  const isNew = await makeBelow(directory)
  if (isNew === undefined) return makeLineage(controller, point, cgroup)
  if (controller === "cpuset" && !(await inheritCpuset(path.dirname(directory), directory)))
    await makeLineage(controller, point, cgroup)
  return isNew
}

export const makeV1 = async (controllers: Controllers, cgroup: string): Promise<boolean> => {
  let isNew = false
  for (const [controller, point] of controllers) if (await makeIn(controller, point, cgroup)) isNew = true
  return isNew
}

export const existsV1 = async (controllers: Controllers, cgroup: string): Promise<boolean> => {
  for (const point of controllers.values()) if (!(await isDirectory(inside(point, cgroup)))) return false
  return true
}

const unlimited = -1

/** A value whose controller the kernel lacks cannot be kept; no limit at all is what there is then. */
const needed = (controllers: Controllers, controller: string, cgroup: string): string => {
  const point = controllers.get(controller)
  if (point !== undefined) return inside(point, cgroup)
  throw new CgroupError({
    reason: "Unsupported",
    operation: "set",
    path: cgroup,
    message: `the kernel has no cgroup controller ${controller}`
  })
}

/** The kernel refuses a period that is shorter than the quota that is set: then the quota goes first. */
const setBandwidth = async (directory: string, { cpuPeriod, cpuQuota }: CgroupValues): Promise<void> => {
  const period = inside(directory, "cpu.cfs_period_us")
  const quota = inside(directory, "cpu.cfs_quota_us")
  let isPeriodSet = cpuPeriod === undefined
  if (cpuPeriod !== undefined) {
    try {
      await writeValue(period, cpuPeriod)
      isPeriodSet = true
    } catch (error) {
      if (!(error instanceof CgroupError) || error.reason !== "Invalid" || cpuQuota === undefined) throw error
    }
  }
  // kubelet's 0 is no limit.
  if (cpuQuota !== undefined) await writeValue(quota, cpuQuota <= 0 ? unlimited : cpuQuota)
  if (!isPeriodSet) await writeValue(period, cpuPeriod!)
}

export const setV1 = async (controllers: Controllers, cgroup: string, values: CgroupValues): Promise<void> => {
  const { cpuShares, cpuQuota, cpuPeriod, memoryLimit, pidsLimit, hugePages = {} } = values
  if (memoryLimit !== undefined) {
    await writeValue(inside(needed(controllers, "memory", cgroup), "memory.limit_in_bytes"), memoryLimit)
  }
  if (cpuShares !== undefined) {
    await writeValue(inside(needed(controllers, "cpu", cgroup), "cpu.shares"), cpuShares)
  }
  if (cpuQuota !== undefined || cpuPeriod !== undefined) {
    await setBandwidth(needed(controllers, "cpu", cgroup), values)
  }
  if (pidsLimit !== undefined) {
    const file = inside(needed(controllers, "pids", cgroup), "pids.max")
    await writeValue(file, pidsLimit < 0 ? "max" : pidsLimit)
  }
  for (const [size, bytes] of Object.entries(hugePages)) {
    // Without the controller no limit can be kept; nothing asked for needs none.
    if (bytes === 0 && !controllers.has("hugetlb")) continue
    await writeValue(inside(needed(controllers, "hugetlb", cgroup), `hugetlb.${size}.limit_in_bytes`), bytes)
  }
}

/** The kernel's word for no limit is the largest number of whole pages. */
const noLimit = 2 ** 62

const numberIn = async (file: string): Promise<number | undefined> => {
  const text = await readValue(file)
  if (text === undefined) return undefined
  if (text === "max") return unlimited
  const value = Number(text)
  return value >= noLimit ? unlimited : value
}

export const readV1 = async (controllers: Controllers, cgroup: string): Promise<CgroupValues> => {
  const at = (controller: string, file: string): Promise<number | undefined> => {
    const point = controllers.get(controller)
    return point === undefined ? Promise.resolve(undefined) : numberIn(inside(inside(point, cgroup), file))
  }
  const [cpuShares, cpuQuota, cpuPeriod, memoryLimit, pidsLimit] = await Promise.all([
    at("cpu", "cpu.shares"),
    at("cpu", "cpu.cfs_quota_us"),
    at("cpu", "cpu.cfs_period_us"),
    at("memory", "memory.limit_in_bytes"),
    at("pids", "pids.max")
  ])
  return withoutAbsent({ cpuShares, cpuQuota, cpuPeriod, memoryLimit, pidsLimit })
}

export const withoutAbsent = (
  values: { readonly [K in keyof CgroupValues]: CgroupValues[K] | undefined }
): CgroupValues => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as CgroupValues

export const memoryUsageV1 = async (controllers: Controllers, cgroup: string): Promise<number | undefined> => {
  const point = controllers.get("memory")
  return point === undefined ? undefined : numberIn(inside(inside(point, cgroup), "memory.usage_in_bytes"))
}
