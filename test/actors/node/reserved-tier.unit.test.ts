/** Cgroups of the system, held to what is reserved for them: of a hierarchy in memory. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { applyTier } from "../../../src/actors/node/tier-observer.ts"
import { makeMemoryCgroups } from "../../../src/adapters/cgroupfs/memory.ts"
import { Cgroups } from "../../../src/adapters/cgroupfs/port.ts"

const tier = {
  tier: "system-reserved",
  path: "/system.slice",
  values: { cpuShares: 512, memoryLimit: 2 ** 30 }
} as const

describe("a cgroup of the system", () => {
  it("is limited where it is, and never made", async () => {
    const { service } = makeMemoryCgroups("v1")
    const apply = () => Effect.runPromise(Effect.provideService(applyTier(tier, false), Cgroups, service))
    const missing = await apply()
    assert.equal(missing.outcome, "failed")
    assert.equal(
      missing.message,
      'Failed to enforce System Reserved Cgroup Limits on "/system.slice": cgroup "/system.slice" has some missing paths'
    )
    assert.equal(await Effect.runPromise(service.exists(tier.path)), false)
    await Effect.runPromise(service.ensure(tier.path, {}))
    assert.deepEqual([(await apply()).outcome, (await apply()).made], ["applied", false])
    const { cpuShares, memoryLimit } = await Effect.runPromise(service.read(tier.path))
    assert.deepEqual({ cpuShares, memoryLimit }, tier.values)
  })
})
