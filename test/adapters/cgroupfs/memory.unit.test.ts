import { Effect } from "effect"
import { makeMemoryCgroups } from "../../../src/adapters/cgroupfs/memory.ts"
import { cgroupsContract } from "./cgroups-contract.ts"

const limits = new Set(["cpuShares", "cpuQuota", "cpuPeriod", "memoryLimit", "pidsLimit"] as const)
for (const version of ["v1", "v2"] as const) {
  cgroupsContract(
    `the memory of cgroups ${version}`,
    Effect.sync(() => ({ cgroups: makeMemoryCgroups(version).service, root: "/test", limits }))
  )
}
