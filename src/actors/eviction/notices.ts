/** Asks the kernel to tell when memory comes to be short, at what the hard thresholds mean at the moment. */
import { Effect, FiberMap, type Scope, Stream } from "effect"
import { CgroupStatistics, type MemoryNotice } from "../../adapters/cgroupfs/port.ts"
import type { Summary } from "../../events/stats-summary.ts"
import { noticeUsage } from "./rules/notifier.ts"
import { isHard, type Threshold } from "./rules/thresholds.ts"

/** What can be given back at once comes and goes: by less than this part of the usage it is not asked anew. */
const tolerance = 1 / 256

const nodePath = "/"

export interface Notices {
  /** Asks at what these thresholds mean with these figures; answers whether there were figures for all of them. */
  readonly follow: (thresholds: ReadonlyArray<Threshold>, summary: Summary) => Effect.Effect<boolean>
}

/** `podsCgroup`: absent, the pods have no cgroup of their own. Asking ends with the scope. */
export const makeNotices = (
  podsCgroup: string | undefined,
  tell: (notice: MemoryNotice) => Effect.Effect<unknown>
): Effect.Effect<Notices, never, CgroupStatistics | Scope.Scope> =>
  Effect.gen(function* () {
    const cgroups = yield* CgroupStatistics
    const fibers = yield* FiberMap.make<string, void>()
    const asked = new Map<string, number>()
    const ask = (path: string, usage: number): Effect.Effect<void> => {
      const before = asked.get(path)
      if (before !== undefined && Math.abs(before - usage) <= usage * tolerance) return Effect.void
      asked.set(path, usage)
      return Effect.asVoid(
        FiberMap.run(
          fibers,
          path,
          Stream.runForEach(cgroups.memoryNotices(path, usage), (notice) => tell(notice))
        )
      )
    }
    return {
      follow: (thresholds, { node }) =>
        Effect.gen(function* () {
          let isWhole = true
          const pods = node.systemContainers?.find(({ name }) => name === "pods")?.memory
          for (const threshold of thresholds) {
            const isPods = threshold.signal === "allocatableMemory.available"
            if (!isHard(threshold) || !(isPods || threshold.signal === "memory.available")) continue
            const path = isPods ? podsCgroup : nodePath
            const stats = isPods ? pods : node.memory
            const usage = stats === undefined ? undefined : noticeUsage(stats, threshold)
            if (usage === undefined) isWhole &&= path === undefined
            else if (path !== undefined && usage > 0) yield* ask(path, usage)
          }
          return isWhole
        })
    }
  })
