/**
 * Control groups of the node, as actors see them: a cgroup is a path below the root of the hierarchy
 * (`/kubepods/burstable/pod…`, with systemd `/kubepods.slice/…`), the same in all hierarchies of cgroup v1 and in the one
 * of v2. Values are those of v1, as kubelet keeps them (`pkg/kubelet/cm`); the adapter turns them into what the kernel has.
 *
 * What each implementation must keep stands in test/adapters/cgroupfs/cgroups-contract.ts.
 */
import { Context, type Effect, Schema, type Stream } from "effect"
import type { CgroupValues } from "../../events/cgroup-values.ts"
import type { PsiStats } from "../../events/stats-summary.ts"

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

/** A pair of counters since the cgroup is there. */
export interface IoCounters {
  /** `259:0` */
  readonly device: string
  readonly readBytes: number
  readonly writeBytes: number
  readonly reads: number
  readonly writes: number
}

/** Counters of one interface of a network namespace, as /proc/net/dev has them. */
export interface InterfaceCounters {
  readonly name: string
  readonly rxBytes: number
  readonly rxPackets: number
  readonly rxErrors: number
  readonly rxDropped: number
  readonly txBytes: number
  readonly txPackets: number
  readonly txErrors: number
  readonly txDropped: number
}

/** What a cgroup with all below it uses. A part is absent where the kernel lacks the controller; bytes and nanoseconds. */
export interface CgroupSample {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly cpu?: {
    readonly usage: number
    readonly user: number
    readonly system: number
    /** Of its quota: periods that went by, those in which it was throttled, and for how long. */
    readonly periods: number
    readonly throttledPeriods: number
    readonly throttled: number
    readonly pressure?: PsiStats
  }
  readonly memory?: {
    /** With the page cache. */
    readonly usage: number
    /** Usage without inactive file pages. */
    readonly workingSet: number
    readonly rss: number
    readonly cache: number
    readonly mappedFile: number
    /** In swap. */
    readonly swap: number
    readonly pageFaults: number
    readonly majorPageFaults: number
    /** Absent: none. */
    readonly limit?: number
    /** Highest usage so far; absent where the kernel does not tell. */
    readonly peak?: number
    /** Failed attempts to get more (v1: failcnt; v2: events max). */
    readonly failures: number
    /** Processes killed for want of memory; absent where the kernel does not count them. */
    readonly oomKills?: number
    readonly pressure?: PsiStats
  }
  readonly pids?: { readonly current: number /** Absent: none. */; readonly limit?: number }
  readonly io?: { readonly devices: ReadonlyArray<IoCounters>; readonly pressure?: PsiStats }
}

type PartOf<Part extends "cpu" | "memory" | "pids"> = NonNullable<CgroupSample[Part]>

/**
 * What of a sample four files of a cgroup say instead of twelve: how much it uses, and nothing of why and of what may be. Each
 * sample is one.
 */
export interface BriefSample {
  readonly at: number
  readonly cpu?: Pick<PartOf<"cpu">, "usage" | "pressure">
  readonly memory?: Omit<PartOf<"memory">, "swap" | "failures"> & Partial<Pick<PartOf<"memory">, "swap">>
  readonly pids?: PartOf<"pids">
  readonly io?: CgroupSample["io"]
}

/** What one container's cgroup says, for those who tell more than a summary does (metrics of cAdvisor). */
export interface ContainerSample {
  /** Path of its cgroup. */
  readonly path: string
  readonly namespace: string
  readonly pod: string
  readonly podUid: string
  /** Empty: the pod's own cgroup. `POD`: its sandbox, of which only the network is told. */
  readonly container: string
  readonly containerId: string
  readonly image: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly sample: CgroupSample
  /** Of the pod's network namespace, with the sandbox. */
  readonly network?: ReadonlyArray<InterfaceCounters>
}

/** What the kernel says about the ends of a cgroup's processes for want of memory. */
export interface OomEvidence {
  /** Bytes; absent: none. */
  readonly limit?: number
  /** Highest usage, bytes; absent where the kernel does not tell. */
  readonly peak?: number
  /** memory.events on v2 (low, high, max, oom, oom_kill, oom_group_kill); on v1 of memory.oom_control and failcnt. */
  readonly events: Readonly<Record<string, number>>
}

/** A process that the kernel killed for want of memory, as its log tells. Sizes are bytes. */
export interface OomKill {
  /** Milliseconds since the epoch; the log's own clock may be some seconds off. */
  readonly at: number
  /** The cgroup that it was in, from the kernel's own root; absent where many were killed at once and the kernel left it out. */
  readonly cgroup?: string
  /** The cgroup whose limit was hit; absent where it was none's, or left out too. */
  readonly limited?: string
  /** The memory of the node as a whole was short. */
  readonly ofNode?: true
  readonly pid: number
  /** Name of the process as the kernel has it, 15 characters at most. */
  readonly process: string
  /** Anonymous memory that it had. */
  readonly rss?: number
  /** Usage, limit and failed attempts of the cgroup whose limit was hit, at that moment. */
  readonly usage?: number
  readonly limit?: number
  readonly failures?: number
}

/** Kills that are kept; of more the oldest go. */
export const maxOomKills = 512

/** Cgroups of one pass; more are refused. */
export const maxSampledCgroups = 20_000

/**
 * What cgroups use. A pass is one piece of synchronous work without an Effect for each file: 330 cgroups are read in some
 * milliseconds. A cgroup that is gone is left out, which is no error.
 */
export class CgroupStatistics extends Context.Service<
  CgroupStatistics,
  {
    /** All of them in one pass, by path. */
    readonly sample: (paths: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, CgroupSample>, CgroupError>
    /** The same, briefly: for who looks often and decides on how much is used. */
    readonly sampleBriefly: (
      paths: ReadonlyArray<string>
    ) => Effect.Effect<ReadonlyMap<string, BriefSample>, CgroupError>
    /** Names of the cgroups right below, in no order; none where it is gone. */
    readonly children: (path: string) => Effect.Effect<ReadonlyArray<string>, CgroupError>
    /** Interfaces of the network namespace that processes of the cgroup (or below it) are in; none where there are no processes. */
    readonly network: (path: string) => Effect.Effect<ReadonlyArray<InterfaceCounters>, CgroupError>
    /** The same of the whole node, which is path `/`, by /proc where the root cgroup has no such files. */
    readonly node: Effect.Effect<CgroupSample, CgroupError>
    /** `undefined` where the cgroup is gone or memory is not accounted for. */
    readonly oomEvidence: (path: string) => Effect.Effect<OomEvidence | undefined, CgroupError>
    /**
     * The latest kills for want of memory on this node, oldest first, of what the kernel's log still has; `undefined` where
     * it cannot be read. It says of a cgroup what nobody can say any more once the runtime has removed it.
     */
    readonly oomKills: Effect.Effect<ReadonlyArray<OomKill> | undefined>
    /**
     * Emits when a cgroup's memory comes to be short: its usage passes `usage` bytes, or tasks wait for
     * memory (PSI). Ends where the kernel can tell neither; fails never.
     */
    readonly memoryNotices: (path: string, usage: number) => Stream.Stream<MemoryNotice>
  }
>()("chronode/CgroupStatistics") {}

export interface MemoryNotice {
  readonly by: "threshold" | "psi"
  /** Milliseconds since the epoch. */
  readonly at: number
}
