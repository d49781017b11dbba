/** Statistics of cgroups in memory, for tests and simulated nodes: they say what a test lets them say. */
import { Effect, Layer, Queue, Stream } from "effect"
import { checkPath, toCgroupError } from "./files.ts"
import {
  CgroupError,
  type CgroupSample,
  CgroupStatistics,
  type InterfaceCounters,
  type MemoryNotice,
  maxSampledCgroups,
  type OomEvidence,
  type OomKill
} from "./port.ts"

export interface MemoryCgroup {
  /** Without a time: it is that of the pass. */
  readonly sample?: Omit<CgroupSample, "at">
  readonly interfaces?: ReadonlyArray<InterfaceCounters>
  readonly oom?: OomEvidence
}

export interface MemoryStatistics {
  /** What is there, by path; what is above it is there too. */
  readonly groups: Map<string, MemoryCgroup>
  /** Of the whole node. */
  node: Omit<CgroupSample, "at">
  /** What the kernel's log tells; undefined: it cannot be read. */
  kills: ReadonlyArray<OomKill> | undefined
  /** Gives a notice to all who listen for this cgroup with a threshold of at most `usage` bytes. */
  readonly notify: (path: string, by: MemoryNotice["by"], usage?: number) => void
  readonly service: CgroupStatistics["Service"]
}

/** Notices that wait for who listens; of more the oldest go. */
const maxWaiting = 16

export const makeMemoryStatistics = (now: () => number = Date.now): MemoryStatistics => {
  const groups = new Map<string, MemoryCgroup>()
  const listeners = new Set<{ path: string; usage: number; tell: (notice: MemoryNotice) => void }>()
  const call = <A>(operation: string, path: string, run: () => A): Effect.Effect<A, CgroupError> =>
    Effect.try({
      try: () => {
        if (path !== "/") checkPath(operation, path)
        return run()
      },
      catch: (error) => toCgroupError(operation, path, error)
    })
  const below = (path: string): string => (path === "/" ? "/" : `${path}/`)
  const sample = (paths: ReadonlyArray<string>) =>
    call("sample", "/", () => {
      if (paths.length > maxSampledCgroups) {
        const message = `${paths.length} cgroups in one pass, and at most ${maxSampledCgroups} are read`
        throw new CgroupError({ reason: "Invalid", operation: "sample", path: "/", message })
      }
      const samples = new Map<string, CgroupSample>()
      for (const path of paths) {
        checkPath("sample", path)
        const group = groups.get(path)
        if (group !== undefined) samples.set(path, { at: now(), ...group.sample })
      }
      return samples
    })
  const self: MemoryStatistics = {
    groups,
    node: {},
    kills: [],
    notify: (path, by, usage = Number.POSITIVE_INFINITY) => {
      for (const l of listeners) if (l.path === path && usage >= l.usage) l.tell({ by, at: now() })
    },
    service: CgroupStatistics.of({
      sample,
      // What is told of each is what a test has given it.
      sampleBriefly: sample,
      children: (path) =>
        call("list", path, () => {
          const names = [...groups.keys()].flatMap((known) =>
            known.startsWith(below(path)) ? [known.slice(below(path).length).split("/", 1)[0]!] : []
          )
          return [...new Set(names)]
        }),
      network: (path) =>
        call("count", path, () => {
          for (const [known, { interfaces }] of groups) {
            if (interfaces !== undefined && `${known}/`.startsWith(below(path))) return interfaces
          }
          return []
        }),
      node: Effect.sync(() => ({ at: now(), ...self.node })),
      oomEvidence: (path) => call("read", path, () => groups.get(path)?.oom),
      oomKills: Effect.sync(() => self.kills),
      memoryNotices: (path, usage) =>
        Stream.callback<MemoryNotice>(
          (queue) =>
            Effect.acquireRelease(
              Effect.sync(() => {
                const listener = { path, usage, tell: (notice: MemoryNotice) => void Queue.offerUnsafe(queue, notice) }
                listeners.add(listener)
                return listener
              }),
              (listener) => Effect.sync(() => listeners.delete(listener))
            ),
          { bufferSize: maxWaiting, strategy: "sliding" }
        )
    })
  }
  return self
}

export const layer = (statistics: MemoryStatistics = makeMemoryStatistics()): Layer.Layer<CgroupStatistics> =>
  Layer.succeed(CgroupStatistics, statistics.service)
