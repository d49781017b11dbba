/**
 * Control groups of the node, as actors see them: a cgroup is a path below the root of the hierarchy
 * (`/kubepods/burstable/pod…`, with systemd `/kubepods.slice/…`), the same in all hierarchies of cgroup v1 and in the one
 * of v2. Values are those of v1, as kubelet keeps them (`pkg/kubelet/cm`); the adapter turns them into what the kernel has.
 *
 * What each implementation must keep stands in test/adapters/cgroupfs/cgroups-contract.ts.
 */
import { Context, type Effect, Schema } from "effect"
import type { CgroupValues } from "../../events/cgroup-values.ts"

/**
 * `ReadOnly`, `NoPermission`: the hierarchy cannot be written here; `NotFound`: no such cgroup; `Busy`: processes in it do
 * not end; `Unsupported`: the kernel lacks the controller, or systemd is not there; `Invalid`: the path or a value.
 */
export class CgroupError extends Schema.TaggedError<CgroupError>()("CgroupError", {
  reason: Schema.Literals(["ReadOnly", "NoPermission", "NotFound", "Busy", "Unsupported", "Invalid", "Failed"]),
  operation: Schema.String,
  path: Schema.String,
  message: Schema.String
}) {}

export type { CgroupValues }

/** cgroup v2's cpu.weight (1-10000) of shares. Absent shares: 0, not set. OCI runtimes use other curves: read back, never assume. */
export const sharesToWeight = (shares: number | undefined): number =>
  shares === undefined
    ? 0
    : 1 + Math.trunc(((Math.min(Math.max(shares, minShares), maxShares) - minShares) * 9999) / (maxShares - minShares))
export const weightToShares = (weight: number): number =>
  minShares + Math.trunc(((weight - 1) * (maxShares - minShares)) / 9999)

/** Kernel bounds of cpu.shares. */
export const minShares = 2
export const maxShares = 262_144

type Call<A> = Effect.Effect<A, CgroupError>

export class Cgroups extends Context.Service<
  Cgroups,
  {
    /** `none`: there is no hierarchy; every call fails with `Unsupported`. */
    readonly version: "v1" | "v2" | "none"
    /** Whether it is there in every hierarchy (v2: with every controller) that the agent manages. */
    readonly exists: (path: string) => Call<boolean>
    /** Makes it, with what is above it, and sets the values. Idempotent. Answers whether it was made now. */
    readonly ensure: (path: string, values: CgroupValues) => Call<boolean>
    /** Sets values of one that is there; `NotFound` where it is not. */
    readonly update: (path: string, values: CgroupValues) => Call<void>
    /** What the kernel has now. Values of controllers that it lacks are absent. */
    readonly read: (path: string) => Call<CgroupValues>
    /** Bytes in use, with the page cache; `undefined` without the controller. */
    readonly memoryUsage: (path: string) => Call<number | undefined>
    /** Removes it and what is below it in every hierarchy; processes that are left in it are killed. Idempotent. */
    readonly remove: (path: string) => Call<void>
  }
>()("chronode/Cgroups") {}
