/**
 * The node as actors see it: facts about it and the pod's own files and directories on it. Paths are absolute.
 * Every operation is idempotent; failures are `HostError`s that name the path.
 */
import { Context, type Effect, Schema } from "effect"

export class HostError extends Schema.TaggedError<HostError>()("HostError", {
  operation: Schema.String,
  path: Schema.String,
  message: Schema.String
}) {}

export interface NodeFacts {
  readonly nodeName: string
  /** Of the kernel: `6.1.0-26-amd64`. */
  readonly kernel: string
  readonly architecture: string
  readonly bootId: string
  /** Runtime that runs the agent: `bun 1.4.5`. */
  readonly host: string
  readonly cgroupVersion: "v1" | "v2" | "none"
  /** Logical processors. */
  readonly cpus: number
  /** Bytes. */
  readonly memoryCapacity: number
  /** Kernel's names, biggest last: `2MB`, `1GB`. */
  readonly hugePageSizes: ReadonlyArray<string>
  /** Bytes of huge pages that the kernel keeps, by resource: `hugepages-2Mi`. */
  readonly hugePages: Readonly<Record<string, number>>
  /** Processes and threads that there can be at one time. */
  readonly maxPids: number
  /** Whether the kernel accounts for swap in memory cgroups. */
  readonly swapAccounting: boolean
  /** Whether the kernel enforces SELinux. */
  readonly selinux: boolean
  /** Whether the kernel enforces AppArmor. */
  readonly appArmor: boolean
  /** Paths that exist here and are hidden from containers: `/sys/devices/system/cpu/cpu0/thermal_throttle`. */
  readonly thermalPaths: ReadonlyArray<string>
  /** Addresses of the node, the primary one first. */
  readonly addresses: ReadonlyArray<string>
}

/** A range of user ids that are group ids as well. */
export interface SubordinateIds {
  readonly first: number
  readonly length: number
}

export class Host extends Context.Service<
  Host,
  {
    readonly facts: NodeFacts
    /** What the host sets aside for user namespaces of pods; undefined: nothing in particular. */
    readonly subordinateIds: Effect.Effect<SubordinateIds | undefined, HostError>
    /** Text of a small file (≤ 1 MiB), empty where there is none. */
    readonly readText: (path: string) => Effect.Effect<string, HostError>
    /** The last `bytes` of a file, empty where there is none. */
    readonly readTail: (path: string, bytes: number) => Effect.Effect<string, HostError>
    /** Makes a directory and its parents, mode octal. */
    readonly makeDirectory: (path: string, mode: number) => Effect.Effect<void, HostError>
    /** Names of the directories right below one, sorted; none where there is no such directory. */
    readonly directories: (path: string) => Effect.Effect<ReadonlyArray<string>, HostError>
    /** Writes a file by renaming; makes the parents. */
    readonly writeFile: (path: string, content: string, mode: number) => Effect.Effect<void, HostError>
    /** Removes a directory with all in it, crossing no mount point. */
    readonly removeTree: (path: string) => Effect.Effect<void, HostError>
  }
>()("chronode/Host") {}
