/** Cgroups in memory, for tests and simulated nodes: values by path, with what the kernel has where nobody set any. */
import { Effect, Layer } from "effect"
import { checkPath, lineage } from "./files.ts"
import { CgroupError, Cgroups, type CgroupValues, sharesToWeight, weightToShares } from "./port.ts"

export interface MemoryCgroups {
  /** What is there, by path. */
  readonly groups: Map<string, CgroupValues>
  /** While set, every call that writes fails so. */
  refuse: CgroupError["reason"] | undefined
  readonly service: Cgroups["Service"]
}

/** A new cgroup in the kernel. */
const fresh: CgroupValues = { cpuShares: 1024, cpuQuota: -1, cpuPeriod: 100_000, memoryLimit: -1, pidsLimit: -1 }

/** What the kernel would say of values that were written: quotas of 0 are none, v2 keeps shares as a weight. */
const kept = (values: CgroupValues, version: "v1" | "v2"): CgroupValues => {
  const { hugePages: _, ...rest } = values
  const { cpuShares, cpuQuota } = rest
  return {
    ...rest,
    ...(cpuShares === undefined || version === "v1" ? {} : { cpuShares: weightToShares(sharesToWeight(cpuShares)) }),
    ...(cpuQuota === undefined ? {} : { cpuQuota: cpuQuota <= 0 ? -1 : cpuQuota })
  }
}

export const makeMemoryCgroups = (version: "v1" | "v2" = "v2"): MemoryCgroups => {
  const groups = new Map<string, CgroupValues>()
  const fail = (reason: CgroupError["reason"], operation: string, path: string, message: string) =>
    new CgroupError({ reason, operation, path, message })
  const there = (operation: string, path: string): CgroupValues => {
    const values = groups.get(path)
    if (values === undefined) throw fail("NotFound", operation, path, "there is no such cgroup")
    return values
  }
  const call = <A>(operation: string, path: string, run: () => A, writes = true): Effect.Effect<A, CgroupError> =>
    Effect.try({
      try: () => {
        checkPath(operation, path)
        if (writes && self.refuse !== undefined) throw fail(self.refuse, operation, path, `${self.refuse} as asked`)
        return run()
      },
      catch: (error) => (error instanceof CgroupError ? error : fail("Failed", operation, path, String(error)))
    })
  const set = (path: string, values: CgroupValues): void => {
    groups.set(path, { ...there("set", path), ...kept(values, version) })
  }
  const self: MemoryCgroups = {
    groups,
    refuse: undefined,
    service: Cgroups.of({
      version,
      exists: (path) => call("look at", path, () => groups.has(path), false),
      ensure: (path, values) =>
        call("make", path, () => {
          const isNew = !groups.has(path)
          for (const step of lineage(path)) if (!groups.has(step)) groups.set(step, fresh)
          set(path, values)
          return isNew
        }),
      update: (path, values) => call("set", path, () => set(path, values)),
      read: (path) => call("read", path, () => there("read", path), false),
      memoryUsage: (path) => call("read", path, () => (there("read", path), 0), false),
      remove: (path) =>
        call("remove", path, () => {
          for (const known of [...groups.keys()]) if (`${known}/`.startsWith(`${path}/`)) groups.delete(known)
        })
    })
  }
  return self
}

export const layer = (version: "v1" | "v2" = "v2"): Layer.Layer<Cgroups> =>
  Layer.sync(Cgroups, () => makeMemoryCgroups(version).service)
