/**
 * When memory comes to be short in a cgroup, told soon after. The kernel's own notices (v1: an eventfd of cgroup.event_control;
 * v2: a trigger written to memory.pressure) come over eventfd(2) and poll(2), which programs in JavaScript reach by foreign
 * functions and a timer alone, and v1's are deprecated since Linux 6.12. So the timer looks at the figures themselves: two
 * reads of files that are kept open, some microseconds ten times a second, and the same on every kernel. Where more is left
 * than could be taken meanwhile it looks less often, down to once a second: each look wakes a runtime that would sleep.
 */
import { Buffer } from "node:buffer"
import * as fs from "node:fs"
import { Effect, Queue, Stream } from "effect"
import type { StatisticsPoints } from "./hierarchies.ts"
import { count, maxCount, pressure, scanner } from "./parse.ts"
import type { MemoryNotice } from "./port.ts"

/** Milliseconds between two looks where memory may come to be short: what a notice is late at most. */
export const lookPeriod = 100
/** Milliseconds between two looks where it cannot, since so much is left. */
const calmPeriod = 1_000
/** Bytes that can be taken in a millisecond at the most: pages have to be cleared first, which all memory busses do more slowly. */
const fastestGrowth = (8 * 1024 ** 3) / 1_000
/** Milliseconds that two notices of the same kind are apart at least: usage may go to and fro about the threshold. */
export const noticePause = 1_000
/** Milliseconds between two attempts to open files of a cgroup that is not there. */
const reopenPeriod = 5_000
/** Tasks that waited for memory for a tenth of half a second: the window is the shortest that the kernel's own triggers take. */
export const stallWindow = 500
export const stallShare = 0.1
/** Notices that wait for who listens; of more the oldest go. */
const maxWaiting = 4
/** Bytes of the files that are read here. */
const maxBytes = 4 * 1024

interface Gauge {
  /** Undefined: it is gone. */
  readonly read: () => number | undefined
  readonly close: () => void
}

/** A file that is kept open; its content is made anew by each read from its beginning. */
const gauge = (file: string, value: (bytes: Buffer, length: number) => number | undefined): Gauge | undefined => {
  let fd: number
  try {
    fd = fs.openSync(file, "r")
  } catch {
    return undefined
  }
  const bytes = Buffer.alloc(maxBytes)
  return {
    read: () => {
      try {
        return value(bytes, fs.readSync(fd, bytes, 0, maxBytes, 0))
      } catch {
        return undefined
      }
    },
    close: () => fs.closeSync(fd)
  }
}

const meminfo = scanner(["Cached", "AnonPages"], ":")

/** Of v2's root, which has no usage of its own: pages of files and anonymous ones, as in sample-node.ts. */
const nodeUsage = (bytes: Buffer, length: number): number | undefined => {
  const [cached = -1, anon = -1] = meminfo(bytes.toString("latin1", 0, length))
  return cached < 0 || anon < 0 ? undefined : (cached + anon) * 1024
}

const usageFile = ({ v1, unified, unifiedControllers }: StatisticsPoints, path: string): string | undefined => {
  const below = path === "/" ? "" : path
  const memory = v1.get("memory")
  if (memory !== undefined) return `${memory}${below}/memory.usage_in_bytes`
  if (unified === undefined || !unifiedControllers.has("memory")) return undefined
  const file = `${unified}${below}/memory.current`
  return path === "/" && !fs.existsSync(file) ? "/proc/meminfo" : file
}

const stallFile = ({ unified }: StatisticsPoints, path: string): string | undefined =>
  !fs.existsSync("/proc/pressure/memory")
    ? undefined
    : path === "/"
      ? "/proc/pressure/memory"
      : unified === undefined
        ? undefined
        : `${unified}${path}/memory.pressure`

/** Says whether more than `stallShare` of the last window was waited: fed with the time and with microseconds in all. */
export const stallDetector = (): ((at: number, total: number) => boolean) => {
  const seen: Array<{ readonly at: number; readonly total: number }> = []
  return (at, total) => {
    while (seen.length > 1 && seen[1]!.at <= at - stallWindow) seen.shift()
    const first = seen[0]
    seen.push({ at, total })
    return first !== undefined && (total - first.total) / 1_000 >= Math.max(at - first.at, stallWindow) * stallShare
  }
}

/** Says whether usage came to the threshold from below it, or was there at the first look. */
export const crossingDetector = (threshold: number): ((usage: number) => boolean) => {
  let isAbove = false
  return (usage) => {
    const wasAbove = isAbove
    isAbove = usage >= threshold
    return isAbove && !wasAbove
  }
}

/** `usage`: bytes. Ends at once where the kernel neither counts memory nor tells of tasks that wait for it. */
export const memoryNotices = (points: StatisticsPoints, path: string, usage: number): Stream.Stream<MemoryNotice> =>
  Stream.callback<MemoryNotice>(
    (queue) =>
      Effect.suspend(() => {
        const files = { usage: usageFile(points, path), stalls: stallFile(points, path) }
        if (files.usage === undefined && files.stalls === undefined) return Queue.end(queue)
        const watch = startWatch(files, usage, (notice) => Queue.offerUnsafe(queue, notice))
        return Effect.addFinalizer(() => Effect.sync(watch.stop))
      }),
    { bufferSize: maxWaiting, strategy: "sliding" }
  )

/** Milliseconds until the next look. `left`: bytes until memory is short; absent: nobody tells. */
export const nextLook = (left: number | undefined): number =>
  left === undefined ? lookPeriod : Math.min(Math.max(Math.trunc(left / fastestGrowth), lookPeriod), calmPeriod)

const startWatch = (
  files: { readonly usage: string | undefined; readonly stalls: string | undefined },
  threshold: number,
  tell: (notice: MemoryNotice) => void
): { readonly stop: () => void } => {
  const last: Record<MemoryNotice["by"], number> = { threshold: -noticePause, psi: -noticePause }
  const notice = (by: MemoryNotice["by"], now: number): void => {
    if (now - last[by] < noticePause) return
    last[by] = now
    tell({ by, at: Date.now() })
  }
  const watchOf = (
    file: string | undefined,
    value: (bytes: Buffer, length: number) => number | undefined,
    look: (value: number, now: number) => void
  ) => {
    let open: Gauge | undefined
    let triedAt = Number.NEGATIVE_INFINITY
    return {
      look: (now: number): void => {
        if (file === undefined) return
        if (open === undefined) {
          if (now - triedAt < reopenPeriod) return
          triedAt = now
          open = gauge(file, value)
        }
        const current = open?.read()
        if (current === undefined) {
          open?.close()
          open = undefined
        } else look(current, now)
      },
      close: (): void => open?.close()
    }
  }
  const limit = Math.min(threshold, maxCount)
  const hasCrossed = crossingDetector(limit)
  /** Bytes until the threshold; absent: usage is not told. */
  let left: number | undefined
  const hasStalled = stallDetector()
  const watches = [
    watchOf(files.usage, files.usage === "/proc/meminfo" ? nodeUsage : count, (usage, now) => {
      left = limit - usage
      if (hasCrossed(usage)) notice("threshold", now)
    }),
    watchOf(
      files.stalls,
      (bytes, length) => pressure(bytes, length)?.some.total,
      (total, now) => {
        if (hasStalled(now, total)) notice("psi", now)
      }
    )
  ]
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    const now = performance.now()
    left = undefined
    for (const watch of watches) watch.look(now)
    timer = setTimeout(look, nextLook(left))
  }
  look()
  return {
    stop: () => {
      clearTimeout(timer)
      for (const watch of watches) watch.close()
    }
  }
}
