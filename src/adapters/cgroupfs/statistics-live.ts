/** What the kernel's cgroups use: one synchronous pass over their files. */
import * as fs from "node:fs"
import { Effect, Layer } from "effect"
import { checkPath, codeOf, toCgroupError } from "./files.ts"
import { findStatisticsPoints, type StatisticsPoints } from "./hierarchies.ts"
import { KernelLog } from "./kernel-log.ts"
import { memoryNotices } from "./notices.ts"
import { interfaces, keyed, limit, processIds } from "./parse.ts"
import { PassFiles } from "./pass-files.ts"
import { CgroupError, type CgroupSample, CgroupStatistics, maxSampledCgroups, type OomEvidence } from "./port.ts"
import { Sampler } from "./sample.ts"
import { sampleNode } from "./sample-node.ts"

/** Cgroups below one that are looked into for a process. */
const maxLookedInto = 64

export const makeCgroupStatistics = (
  points: StatisticsPoints,
  files: PassFiles = new PassFiles()
): CgroupStatistics["Service"] => {
  const sampler = new Sampler(files, points)
  const log = new KernelLog()
  const call = <A>(operation: string, path: string, run: () => A): Effect.Effect<A, CgroupError> =>
    Effect.try({
      try: () => {
        if (path !== "/") checkPath(operation, path)
        return run()
      },
      catch: (error) => toCgroupError(operation, path, error)
    })

  /** All that are there, in one pass. */
  const each = <A>(
    paths: ReadonlyArray<string>,
    read: (path: string, at: number, found: ReadonlyMap<string, A>) => A | undefined
  ) =>
    call("sample", paths[0] ?? "/", () => {
      if (paths.length > maxSampledCgroups) {
        const message = `${paths.length} cgroups in one pass, and at most ${maxSampledCgroups} are read`
        throw new CgroupError({ reason: "Invalid", operation: "sample", path: "/", message })
      }
      const at = Date.now()
      const samples = new Map<string, A>()
      sampler.begin()
      for (const path of paths) {
        checkPath("sample", path)
        const sample = read(path, at, samples)
        if (sample !== undefined) samples.set(path, sample)
      }
      return samples
    })

  /** A hierarchy that every cgroup of the agent's is in. */
  const anyPoint =
    points.v1.get("memory") ??
    points.v1.get("pids") ??
    points.v1.get("cpu") ??
    points.unified ??
    [...points.v1.values()][0]
  const memoryPoint = points.v1.get("memory")

  const childrenOf = (path: string): ReadonlyArray<string> => {
    if (anyPoint === undefined) return []
    try {
      const entries = fs.readdirSync(`${anyPoint}${path}`, { withFileTypes: true })
      return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
    } catch (error) {
      if (codeOf(error) === "ENOENT" || codeOf(error) === "ENODEV") return []
      throw error
    }
  }

  /** A process of the cgroup or of one below it, nearest first. */
  const counters = (path: string) => {
    if (anyPoint === undefined) return []
    const queue = [path]
    for (let looked = 0; queue.length > 0 && looked < maxLookedInto; looked++) {
      const at = queue.shift()!
      const procs = files.text(`${anyPoint}${at}/cgroup.procs`, true)
      if (procs === undefined) continue
      // One that ended meanwhile has no namespace any more; the next one has.
      for (const pid of processIds(procs)) {
        const text = files.text(`/proc/${pid}/net/dev`, true)
        if (text !== undefined && text !== "") return interfaces(text)
      }
      queue.push(...childrenOf(at).map((name) => (at === "/" ? `/${name}` : `${at}/${name}`)))
    }
    return []
  }

  const evidence = (path: string): OomEvidence | undefined => {
    const v1 = memoryPoint !== undefined
    const directory = `${v1 ? memoryPoint : points.unified}${path === "/" ? "" : path}`
    const eventsText = files.text(`${directory}/${v1 ? "memory.oom_control" : "memory.events"}`)
    if (eventsText === undefined) return undefined
    const number = (file: string): number | undefined =>
      files.read(`${directory}/${file}`) ? limit(files.bytes, files.length) : undefined
    const most = number(v1 ? "memory.limit_in_bytes" : "memory.max")
    const peak = number(v1 ? "memory.max_usage_in_bytes" : "memory.peak")
    const failures = v1 ? number("memory.failcnt") : undefined
    return {
      ...(most === undefined ? {} : { limit: most }),
      ...(peak === undefined ? {} : { peak }),
      events: { ...keyed(eventsText), ...(failures === undefined ? {} : { failcnt: failures }) }
    }
  }

  return CgroupStatistics.of({
    sample: (paths) =>
      each(paths, (path, at, found: ReadonlyMap<string, CgroupSample>) =>
        sampler.sample(path, at, found.get(path.slice(0, path.lastIndexOf("/"))))
      ),
    sampleBriefly: (paths) => each(paths, (path, at) => sampler.brief(path, at)),
    children: (path) => call("list", path, () => childrenOf(path === "/" ? "" : path)),
    network: (path) => call("count", path, () => counters(path)),
    node: call("sample", "/", () => {
      const at = Date.now()
      sampler.begin()
      return sampleNode(files, sampler.sample("", at), at)
    }),
    oomEvidence: (path) => call("read", path, () => evidence(path)),
    oomKills: Effect.sync(() => log.oomKills()),
    memoryNotices: (path, usage) => memoryNotices(points, path, usage)
  })
}

export interface StatisticsOptions {
  /** A v2 hierarchy to use instead of what the host has mounted. */
  readonly root?: string
}

export const layer = (options: StatisticsOptions = {}): Layer.Layer<CgroupStatistics> =>
  Layer.effect(
    CgroupStatistics,
    Effect.map(
      Effect.promise(() => findStatisticsPoints(options.root)),
      makeCgroupStatistics
    )
  )
