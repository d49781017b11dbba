/** What every implementation of `Cgroups` must keep. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, Result, type Scope } from "effect"
import type { Cgroups, CgroupValues } from "../../../src/adapters/cgroupfs/port.ts"

export interface CgroupsUnderTest {
  readonly cgroups: (typeof Cgroups)["Service"]
  /** A path below which the test may make cgroups; it is removed afterwards. */
  readonly root: string
  /** What this kernel can limit; the rest is left out. */
  readonly limits: ReadonlySet<keyof CgroupValues>
}

const mebibyte = 1024 * 1024
const burstable: CgroupValues = {
  cpuShares: 512,
  cpuQuota: 20_000,
  cpuPeriod: 100_000,
  memoryLimit: 64 * mebibyte,
  pidsLimit: 40
}

export const cgroupsContract = (
  name: string,
  make: Effect.Effect<CgroupsUnderTest, never, Scope.Scope>,
  options: { readonly skip?: string | false } = {}
): void => {
  const withIt = (use: (it: CgroupsUnderTest) => Effect.Effect<void, unknown>): Promise<void> =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(make, use)))
  const can = ({ limits }: CgroupsUnderTest, values: CgroupValues): CgroupValues =>
    Object.fromEntries(Object.entries(values).filter(([key]) => limits.has(key as keyof CgroupValues)))
  /** v2 keeps shares as a weight, from which they come back rounded. */
  const near = (read: CgroupValues, wanted: CgroupValues): void => {
    const { cpuShares: shares, ...rest } = read
    const { cpuShares: wantedShares, ...wantedRest } = wanted
    for (const [key, value] of Object.entries(wantedRest)) assert.equal(rest[key as keyof typeof rest], value, key)
    if (wantedShares !== undefined) assert.ok(Math.abs((shares ?? 0) - wantedShares) <= 26, `shares ${shares}`)
  }

  describe(`${name} keeps the contract of cgroups`, options, () => {
    it("makes a cgroup with all above it, sets its values, and says whether it was there", () =>
      withIt((its) =>
        Effect.gen(function* () {
          const { cgroups, root } = its
          const path = `${root}/burstable/pod1`
          assert.equal(yield* cgroups.exists(path), false)
          assert.equal(yield* cgroups.ensure(path, can(its, burstable)), true)
          assert.equal(yield* cgroups.exists(path), true)
          assert.equal(yield* cgroups.exists(`${root}/burstable`), true)
          near(yield* cgroups.read(path), can(its, burstable))
          assert.equal(yield* cgroups.ensure(path, can(its, { cpuShares: 2 })), false)
          // What is not given stays.
          near(yield* cgroups.read(path), can(its, { ...burstable, cpuShares: 2 }))
        })
      ))

    it("sets a value to no limit, and each alone", () =>
      withIt((its) =>
        Effect.gen(function* () {
          const { cgroups, root } = its
          const path = `${root}/pod2`
          yield* cgroups.ensure(path, can(its, burstable))
          yield* cgroups.update(path, can(its, { cpuQuota: -1 }))
          near(yield* cgroups.read(path), can(its, { ...burstable, cpuQuota: -1 }))
          yield* cgroups.update(path, can(its, { memoryLimit: -1, pidsLimit: -1 }))
          near(yield* cgroups.read(path), can(its, { cpuShares: 512, cpuQuota: -1, memoryLimit: -1, pidsLimit: -1 }))
          // A quota that is larger than the period in force, with a period that is shorter than the quota in force.
          yield* cgroups.update(path, can(its, { cpuQuota: 200_000, cpuPeriod: 100_000 }))
          yield* cgroups.update(path, can(its, { cpuQuota: 5_000, cpuPeriod: 10_000 }))
          near(yield* cgroups.read(path), can(its, { cpuQuota: 5_000, cpuPeriod: 10_000 }))
        })
      ))

    it("does not set what is not there, and says so", () =>
      withIt((its) =>
        Effect.gen(function* () {
          const { cgroups, root } = its
          const result = yield* Effect.result(
            cgroups.update(`${root}/nobody`, can(its, { cpuShares: 2, pidsLimit: 5 }))
          )
          assert.equal(Result.isFailure(result) && result.failure.reason, "NotFound")
        })
      ))

    it("removes a cgroup with all below it, and does nothing again", () =>
      withIt((its) =>
        Effect.gen(function* () {
          const { cgroups, root } = its
          yield* cgroups.ensure(`${root}/pod3/inner`, {})
          yield* cgroups.ensure(`${root}/pod30`, {})
          yield* cgroups.remove(`${root}/pod3`)
          assert.equal(yield* cgroups.exists(`${root}/pod3`), false)
          assert.equal(yield* cgroups.exists(`${root}/pod3/inner`), false)
          assert.equal(yield* cgroups.exists(`${root}/pod30`), true)
          yield* cgroups.remove(`${root}/pod3`)
        })
      ))

    it("refuses paths that are none", () =>
      withIt(({ cgroups }) =>
        Effect.gen(function* () {
          for (const path of ["/", "", "kubepods", "/kubepods/../..", "/kubepods//pod", "/kubepods/./pod", "/a\0b"]) {
            for (const call of [cgroups.ensure(path, {}), cgroups.update(path, {}), cgroups.remove(path)]) {
              const result = yield* Effect.result(call as Effect.Effect<unknown, { readonly reason: string }>)
              assert.equal(Result.isFailure(result) && result.failure.reason, "Invalid", JSON.stringify(path))
            }
          }
        })
      ))
  })
}
