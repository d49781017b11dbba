/** Cgroup v2: one tree, in which a cgroup has the controllers that its parent has enabled for its children. */
import { inside, lineage, makeBelow, makeDirectory, readValue, writeValue } from "./files.ts"
import type { Hierarchies } from "./hierarchies.ts"
import { CgroupError, type CgroupValues, sharesToWeight, weightToShares } from "./port.ts"
import { withoutAbsent } from "./v1.ts"

type Controllers = Hierarchies["controllers"]

const words = (text: string | undefined): ReadonlyArray<string> => (text ?? "").split(/\s+/u).filter((w) => w !== "")
const unlimited = -1
const maxWord = (value: number): string => (value < 0 ? "max" : String(value))

/** One by one: a controller that cannot be enabled (a real-time process holds cpu) does not keep the others off. */
const enable = async (directory: string, wanted: ReadonlyArray<string>): Promise<void> => {
  const file = inside(directory, "cgroup.subtree_control")
  const on = words(await readValue(file))
  for (const controller of wanted) if (!on.includes(controller)) await writeValue(file, `+${controller}`)
}

const pointOf = (controllers: Controllers): string => [...controllers.values()][0] ?? ""

/** Every cgroup from the root down hands its controllers on; the last one keeps them for its own limits. */
export const makeV2 = async (controllers: Controllers, cgroup: string): Promise<boolean> => {
  const point = pointOf(controllers)
  const wanted = [...controllers.keys()]
  // What is above it is there mostly, and hands them on.
  const made = await makeBelow(inside(point, cgroup))
  if (made !== undefined && (await existsV2(controllers, cgroup))) return made
  let parent = point
  let isNew = false
  for (const step of lineage(cgroup)) {
    await enable(parent, wanted)
    const directory = inside(point, step)
    isNew = await makeDirectory(directory)
    parent = directory
  }
  return made === true || isNew
}

export const existsV2 = async (controllers: Controllers, cgroup: string): Promise<boolean> => {
  const there = await readValue(inside(inside(pointOf(controllers), cgroup), "cgroup.controllers"))
  if (there === undefined) return false
  const enabled = words(there)
  return [...controllers.keys()].every((controller) => enabled.includes(controller))
}

/** cpu.max is one file; what is not given of it stays. */
const setBandwidth = async (directory: string, { cpuPeriod, cpuQuota }: CgroupValues): Promise<void> => {
  const file = inside(directory, "cpu.max")
  const [quota = "max", period = "100000"] = words(await readValue(file))
  const limit = cpuQuota === undefined ? quota : cpuQuota <= 0 ? "max" : String(cpuQuota)
  await writeValue(file, `${limit} ${cpuPeriod ?? period}`)
}

export const setV2 = async (controllers: Controllers, cgroup: string, values: CgroupValues): Promise<void> => {
  const { cpuShares, cpuQuota, cpuPeriod, memoryLimit, pidsLimit, hugePages = {} } = values
  const directory = inside(pointOf(controllers), cgroup)
  const need = (controller: string): void => {
    if (controllers.has(controller)) return
    const message = `the kernel has no cgroup controller ${controller}`
    throw new CgroupError({ reason: "Unsupported", operation: "set", path: cgroup, message })
  }
  if (memoryLimit !== undefined) {
    need("memory")
    await writeValue(inside(directory, "memory.max"), maxWord(memoryLimit))
  }
  if (cpuShares !== undefined) {
    need("cpu")
    await writeValue(inside(directory, "cpu.weight"), sharesToWeight(cpuShares))
  }
  if (cpuQuota !== undefined || cpuPeriod !== undefined) {
    need("cpu")
    await setBandwidth(directory, values)
  }
  if (pidsLimit !== undefined) {
    need("pids")
    await writeValue(inside(directory, "pids.max"), maxWord(pidsLimit))
  }
  for (const [size, bytes] of Object.entries(hugePages)) {
    if (bytes === 0 && !controllers.has("hugetlb")) continue
    need("hugetlb")
    await writeValue(inside(directory, `hugetlb.${size}.max`), bytes)
  }
}

const limitIn = async (file: string): Promise<number | undefined> => {
  const text = await readValue(file)
  return text === undefined ? undefined : text === "max" ? unlimited : Number(text)
}

export const readV2 = async (controllers: Controllers, cgroup: string): Promise<CgroupValues> => {
  const directory = inside(pointOf(controllers), cgroup)
  const [weight, bandwidth, memoryLimit, pidsLimit] = await Promise.all([
    limitIn(inside(directory, "cpu.weight")),
    readValue(inside(directory, "cpu.max")),
    limitIn(inside(directory, "memory.max")),
    limitIn(inside(directory, "pids.max"))
  ])
  const [quota, period] = words(bandwidth)
  return withoutAbsent({
    cpuShares: weight === undefined ? undefined : weightToShares(weight),
    cpuQuota: quota === undefined ? undefined : quota === "max" ? unlimited : Number(quota),
    cpuPeriod: period === undefined ? undefined : Number(period),
    memoryLimit,
    pidsLimit
  })
}

export const memoryUsageV2 = async (controllers: Controllers, cgroup: string): Promise<number | undefined> =>
  limitIn(inside(inside(pointOf(controllers), cgroup), "memory.current"))
