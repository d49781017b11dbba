/** Where the kernel has its cgroup hierarchies, and which of its controllers the agent manages. */
import * as fs from "node:fs/promises"
import * as path from "node:path"

export interface Hierarchies {
  readonly version: "v1" | "v2" | "none"
  /**
   * Directory of each controller: v1 has one per controller (`systemd` is the named hierarchy), v2 the same for all. Only
   * those that kubelet makes cgroups in (`cgroup_v1_manager_linux.go`, `cgroup_v2_manager_linux.go`).
   */
  readonly controllers: ReadonlyMap<string, string>
  /** All mount points, of hierarchies with other controllers too: where runtimes make cgroups below ours. */
  readonly mountPoints: ReadonlyArray<string>
}

const managedV1 = ["cpu", "cpuacct", "cpuset", "memory", "systemd", "pids", "hugetlb"]
const managedV2 = ["cpu", "cpuset", "memory", "hugetlb", "pids"]

interface Mount {
  readonly point: string
  readonly type: string
  readonly options: ReadonlyArray<string>
}

/** Fields of /proc/self/mounts are octal where they hold a space. */
const unescaped = (field: string): string =>
  field.replaceAll(/\\([0-7]{3})/gu, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)))

const parseMounts = (text: string): ReadonlyArray<Mount> =>
  text.split("\n").flatMap((line) => {
    const [, point = "", type = "", options = ""] = line.split(" ")
    if (type !== "cgroup" && type !== "cgroup2") return []
    return [{ point: unescaped(point), type, options: options.split(",") }]
  })

/** Those of a table of mounts. A hybrid host (v1 with an empty v2 beside it) counts as v1, as it does for kubelet. */
export const hierarchiesOf = (
  mountTable: string,
  rootControllers: (point: string) => ReadonlyArray<string>
): Hierarchies => {
  const mounts = parseMounts(mountTable)
  const mountPoints = [...new Set(mounts.map(({ point }) => point))]
  const v1 = mounts.filter(({ type }) => type === "cgroup")
  if (v1.length > 0) {
    const controllers = new Map<string, string>()
    for (const { point, options } of v1) {
      for (const option of options) {
        const name = option.startsWith("name=") ? option.slice("name=".length) : option
        if (managedV1.includes(name) && !controllers.has(name)) controllers.set(name, point)
      }
    }
    return { version: "v1", controllers, mountPoints }
  }
  const unified = mounts.find(({ type }) => type === "cgroup2")
  if (unified === undefined) return { version: "none", controllers: new Map(), mountPoints }
  const there = rootControllers(unified.point)
  const managed = managedV2.filter((name) => there.includes(name))
  return { version: "v2", controllers: new Map(managed.map((name) => [name, unified.point])), mountPoints }
}

/** Where statistics are: of each controller in v1's hierarchy of it, or else in the one of v2. */
export interface StatisticsPoints {
  readonly version: "v1" | "v2" | "none"
  /** Directory of each of v1's controllers. */
  readonly v1: ReadonlyMap<string, string>
  /** Directory of v2's hierarchy, which a hybrid host has too. */
  readonly unified?: string
  /** Controllers that v2's root has. */
  readonly unifiedControllers: ReadonlySet<string>
}

export const statisticsPointsOf = (
  mountTable: string,
  rootControllers: (point: string) => ReadonlyArray<string>
): StatisticsPoints => {
  const mounts = parseMounts(mountTable)
  const v1 = new Map<string, string>()
  for (const { point, type, options } of mounts) {
    if (type !== "cgroup") continue
    for (const option of options) {
      const name = option.startsWith("name=") ? option.slice("name=".length) : option
      if (!v1.has(name)) v1.set(name, point)
    }
  }
  const unified = mounts.find(({ type }) => type === "cgroup2")?.point
  return {
    version: v1.size > 0 ? "v1" : unified === undefined ? "none" : "v2",
    v1,
    ...(unified === undefined ? {} : { unified }),
    unifiedControllers: new Set(unified === undefined ? [] : rootControllers(unified))
  }
}

const words = (text: string): ReadonlyArray<string> => text.split(/\s+/u).filter((word) => word !== "")

/** The table of mounts, and what v2's hierarchies in it have at their root. */
const readMounts = async (root?: string) => {
  const controllersAt = async (point: string): Promise<ReadonlyArray<string>> =>
    words(await fs.readFile(path.join(point, "cgroup.controllers"), "utf8").catch(() => ""))
  const table = root === undefined ? await fs.readFile("/proc/self/mounts", "utf8") : `root ${root} cgroup2 rw 0 0`
  const points = parseMounts(table).filter(({ type }) => type === "cgroup2")
  const known = new Map<string, ReadonlyArray<string>>()
  for (const { point } of points) known.set(point, await controllersAt(point))
  return { table, rootControllers: (point: string): ReadonlyArray<string> => known.get(point) ?? [] }
}

/** `root`: a v2 hierarchy to use instead of what is mounted (tests; a delegated subtree). */
export const findHierarchies = async (root?: string): Promise<Hierarchies> => {
  const { table, rootControllers } = await readMounts(root)
  return hierarchiesOf(table, rootControllers)
}

export const findStatisticsPoints = async (root?: string): Promise<StatisticsPoints> => {
  const { table, rootControllers } = await readMounts(root)
  return statisticsPointsOf(table, rootControllers)
}
