// runtimes: bun deno vm
/** What the kernel's own cgroups use, of whatever hierarchy the machine has (v1, hybrid or v2). */
import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { describe, it } from "node:test"
import { Effect, Stream } from "effect"
import { findHierarchies, findStatisticsPoints } from "../../../src/adapters/cgroupfs/hierarchies.ts"
import { makeCgroups } from "../../../src/adapters/cgroupfs/live.ts"
import { lookPeriod, stallWindow } from "../../../src/adapters/cgroupfs/notices.ts"
import { makeCgroupStatistics } from "../../../src/adapters/cgroupfs/statistics-live.ts"
import { statisticsContract } from "./statistics-contract.ts"

/** Bytes that no cgroup here comes to, but near enough to be looked at often. */
const neverReached = 512 * 1024 ** 2

const hierarchies = await findHierarchies()
const points = await findStatisticsPoints()
const hasMemory = points.v1.has("memory") || points.unifiedControllers.has("memory")
const whyNot =
  process.getuid?.() !== 0 ? "needs root" : !hasMemory ? "needs the memory controller of a cgroup hierarchy" : false
const mebibyte = 1024 * 1024

/** A program that waits for a line, so that all it does is done inside of its cgroup. */
const inside = (path: string, script: string) => {
  const child: ChildProcess = spawn("sh", ["-c", `read go; ${script}`], { stdio: ["pipe", "ignore", "ignore"] })
  const ended = new Promise<void>((done) => child.once("exit", () => done()))
  for (const point of hierarchies.mountPoints) {
    if (existsSync(join(point, path))) writeFileSync(join(point, path, "cgroup.procs"), String(child.pid))
  }
  child.stdin?.write("go\n")
  return { child, ended }
}

let count = 0
const underTest = Effect.acquireRelease(
  Effect.sync(() => {
    count += 1
    const cgroups = makeCgroups(hierarchies)
    const statistics = makeCgroupStatistics(points)
    const root = `/chronode-statistics-${process.pid}-${count}`
    const make = (path: string) =>
      Effect.sync(() => {
        if (points.unified !== undefined && points.v1.size > 0)
          mkdirSync(join(points.unified, path), { recursive: true })
      }).pipe(Effect.andThen(cgroups.ensure(path, {})), Effect.orDie, Effect.asVoid)
    const spend = (path: string, bytes: number) =>
      Effect.gen(function* () {
        // tail keeps what it has read of a line that does not end.
        inside(path, `(head -c ${bytes} /dev/zero; sleep 60) | tail -c ${bytes}`)
        for (let waited = 0; waited < 20_000; waited += 5) {
          if (((yield* statistics.sample([path])).get(path)?.memory?.rss ?? 0) >= bytes) return
          yield* Effect.sleep("5 millis")
        }
      }).pipe(Effect.orDie)
    return { statistics, cgroups, root, make, remove: (path: string) => Effect.orDie(cgroups.remove(path)), spend }
  }),
  ({ cgroups, root }) => Effect.orDie(cgroups.remove(root))
)

statisticsContract(`the kernel (cgroup ${points.version})`, underTest, { skip: whyNot })

describe(`statistics of the kernel (cgroup ${points.version})`, { skip: whyNot }, () => {
  const run = (use: (it: Effect.Success<typeof underTest>) => Effect.Effect<void, unknown, never>): Promise<void> =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(underTest, use)))

  it("say of a process that was killed for want of memory: limit, peak, and how many", () =>
    run(({ statistics, cgroups, root }) =>
      Effect.gen(function* () {
        const path = `${root}/pod/container`
        yield* cgroups.ensure(path, { memoryLimit: 8 * mebibyte })
        const { ended } = inside(path, `head -c ${64 * mebibyte} /dev/zero | tail -c ${64 * mebibyte}`)
        yield* Effect.promise(() => ended)
        const evidence = (yield* statistics.oomEvidence(path))!
        assert.equal(evidence.limit, 8 * mebibyte)
        assert.ok(evidence.peak === undefined || evidence.peak >= 7 * mebibyte, `peak ${evidence.peak}`)
        assert.ok(evidence.events["oom_kill"]! >= 1, JSON.stringify(evidence))
        const { memory } = (yield* statistics.sample([path])).get(path)!
        assert.equal(memory!.limit, 8 * mebibyte)
        assert.ok(memory!.failures > 0 && memory!.oomKills! >= 1)
        // v1 counts where it happened only; v2 in all that is above it too.
        const above = (yield* statistics.oomEvidence(`${root}/pod`))!
        assert.ok(above.events["oom_kill"]! >= (points.version === "v1" ? 0 : 1))
      })
    ))

  it("tell of a quota that throttles, and of a limit of processes", () =>
    run(({ statistics, cgroups, root }) =>
      Effect.gen(function* () {
        const path = `${root}/slow`
        yield* cgroups.ensure(path, { cpuQuota: 5_000, cpuPeriod: 100_000, pidsLimit: 50 })
        const { child } = inside(path, "while :; do :; done")
        yield* Effect.sleep("1 second")
        const { cpu, pids } = (yield* statistics.sample([path])).get(path)!
        child.kill("SIGKILL")
        assert.ok(cpu!.periods > 0 && cpu!.throttledPeriods > 0 && cpu!.throttled > 0, JSON.stringify(cpu))
        // Nanoseconds: a twentieth of a second of processor in a second, and not a thousand times more or less.
        assert.ok(cpu!.usage > 5e6 && cpu!.usage < 5e8, `${cpu!.usage} ns`)
        assert.equal(pids!.limit, 50)
      })
    ))

  it(
    "notice tasks that wait for memory, where the kernel tells of them",
    { skip: !existsSync("/proc/pressure/memory") && "needs PSI" },
    (t) =>
      run(({ statistics, cgroups, root, make }) =>
        Effect.gen(function* () {
          const path = `${root}/pressed`
          yield* make(path)
          yield* cgroups.update(path, { memoryLimit: 8 * mebibyte })
          // v2 holds those back that pass memory.high; v1 lets them search for file pages that they can give back.
          const high = points.v1.size === 0 ? join(points.unified!, path, "memory.high") : undefined
          if (high !== undefined) writeFileSync(high, String(2 * mebibyte))
          const file = join(process.env.TMPDIR ?? "/tmp", `chronode-pressed-${process.pid}`)
          const { child } = inside(
            path,
            high === undefined
              ? `head -c ${64 * mebibyte} /dev/zero >${file}; for k in 1 2 3 4 5 6 7 8 9; do cat ${file} ${file}; done; rm ${file}`
              : `head -c ${6 * mebibyte} /dev/zero | tail -c ${6 * mebibyte}`
          )
          const heard = yield* statistics.memoryNotices(path, neverReached).pipe(
            Stream.filter(({ by }) => by === "psi"),
            Stream.take(1),
            Stream.runCollect,
            Effect.timeoutOption("10 seconds")
          )
          child.kill("SIGKILL")
          const sample = (yield* statistics.sample([root, path])).get(path)
          rmSync(file, { force: true })
          // A fast disk may not make anybody wait for long.
          const total = sample?.memory?.pressure?.some.total ?? 0
          if (heard._tag === "None" && total < 1e5) return t.skip?.(`nobody waited: ${total} µs`)
          assert.equal(heard._tag, "Some")
        })
      )
  )

  it("cost next to nothing while nothing happens", () =>
    run(({ statistics, root, make }) =>
      Effect.gen(function* () {
        yield* make(root)
        const fiber = yield* Effect.forkChild(Stream.runDrain(statistics.memoryNotices(root, Number.MAX_SAFE_INTEGER)))
        yield* Effect.sleep(`${stallWindow} millis`)
        const before = process.cpuUsage()
        const seconds = 2
        yield* Effect.sleep(`${seconds} seconds`)
        const { user, system } = process.cpuUsage(before)
        yield* Effect.sync(() => fiber.interruptUnsafe())
        // A look of some microseconds; the rest is the runtime's own.
        assert.ok((user + system) / 1000 / seconds < 100, `${(user + system) / 1000 / seconds} ms a second`)
        assert.ok(lookPeriod < 200)
      })
    ))

  it("tell of the node what /proc tells", () =>
    run(({ statistics }) =>
      Effect.gen(function* () {
        const { memory, io, cpu } = yield* statistics.node
        const total = Number(/MemTotal:\s+(\d+)/u.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) * 1024
        assert.ok(memory!.workingSet < total && memory!.workingSet > 0)
        assert.ok((io?.devices.length ?? 0) < 1_000)
        assert.equal(cpu!.pressure !== undefined, existsSync("/proc/pressure/cpu"))
      })
    ))
})
