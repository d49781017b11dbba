/**
 * One whole pass of the statistics over 110 pods × 2 containers, each with an emptyDir and logs: cgroups, volumes and logs are
 * the kernel's, the runtime is in memory. Limit: 25 ms of CPU. Against it what of it is reading cgroups. Needs root.
 *
 *   bun bench/statistics-pass.ts
 */
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { Context, Effect } from "effect"
import { Pods } from "../src/actors/pod/pods.ts"
import { PodSettings } from "../src/actors/pod/settings.ts"
import { makeStatistics } from "../src/actors/statistics/pass.ts"
import { findStatisticsPoints } from "../src/adapters/cgroupfs/hierarchies.ts"
import { CgroupStatistics } from "../src/adapters/cgroupfs/port.ts"
import { makeCgroupStatistics } from "../src/adapters/cgroupfs/statistics-live.ts"
import { MemoryRuntime } from "../src/adapters/cri/memory.ts"
import { ContainerRuntime } from "../src/adapters/cri/port.ts"
import { makeFileSystems } from "../src/adapters/filesystems/live.ts"
import { FileSystems } from "../src/adapters/filesystems/port.ts"
import { makeMemoryHost } from "../src/adapters/host/memory.ts"
import { Host } from "../src/adapters/host/port.ts"
import { actorId } from "../src/events/actor-id.ts"
import { podState } from "../test/actors/statistics/node-under-test.ts"
import { machine } from "./machine.ts"

const count = 110
const containers = ["a", "b"]
const passes = 30
/** Passes before those that count: the code is compiled while it runs, and sizes are measured for the first time. */
const warmUp = 10
const allowedMillis = 25

const points = await findStatisticsPoints()
const roots = [...new Set([...points.v1.values(), ...(points.unified === undefined ? [] : [points.unified])])]
if (process.getuid?.() !== 0 || roots.length === 0) {
  console.log("needs root and a cgroup hierarchy")
  process.exit(0)
}
const cgroupRoot = `chronode-bench-${process.pid}`
const dir = mkdtempSync(join(tmpdir(), "bench-"))
const rootDir = join(dir, "data")
const podLogsDir = join(dir, "logs")
const names = Array.from({ length: count }, (_, i) => `pod-${i}`)
const states = names.map((name) => {
  const state = podState({
    name,
    spec: { volumes: [{ name: "data", emptyDir: {} }] },
    containers: containers.map((c) => ({ name: c, containerId: `${name}-${c}` }))
  })
  return { ...state, volumes: state.volumes.map((v) => ({ ...v, path: join(rootDir, "pods", `u-${name}`, v.name) })) }
})
const cgroupOf = (name: string): string => `/${cgroupRoot}/kubepods/besteffort/podu-${name}`
const read = names.flatMap((name) => [cgroupOf(name), ...containers.map((c) => `${cgroupOf(name)}/${name}-${c}`)])
const cgroups = [...read, ...names.map((name) => `${cgroupOf(name)}/s-${name}`)]

const statistics = makeCgroupStatistics(points)
const host = makeMemoryHost("bench")
const context = (runtime: ContainerRuntime["Service"]) =>
  Context.empty().pipe(
    Context.add(CgroupStatistics, statistics),
    Context.add(FileSystems, makeFileSystems()),
    Context.add(Host, host.service),
    Context.add(ContainerRuntime, runtime),
    Context.add(Pods, {
      all: () => states.map((state) => ({ id: actorId("pod", "default", state.name), state })),
      everRan: () => Effect.succeed(true)
    }),
    Context.add(PodSettings, {
      facts: {
        nodeName: "bench",
        podLogsDir,
        rootDir,
        cgroupDriver: "cgroupfs",
        cgroupRoot,
        cgroupVersion: "v2",
        memoryCapacity: 8 * 1024 ** 3,
        hugePageSizes: [],
        swapAccounting: false,
        clusterDns: [],
        clusterDomain: ""
      },
      runtimeHandler: "",
      maxContainerRestartPeriodSeconds: 300
    })
  )

const millisOf = async (run: () => Promise<unknown>): Promise<number> => {
  const { user, system } = process.cpuUsage()
  await run()
  const after = process.cpuUsage()
  return (after.user - user + after.system - system) / 1000
}
const median = (times: ReadonlyArray<number>): number => [...times].sort((a, b) => a - b)[times.length >> 1]!

console.log(machine())
try {
  for (const point of roots) for (const path of cgroups) mkdirSync(`${point}${path}`, { recursive: true })
  for (const [i, name] of names.entries()) {
    mkdirSync(states[i]!.volumes[0]!.path, { recursive: true })
    for (let file = 0; file < 20; file++) writeFileSync(join(states[i]!.volumes[0]!.path, `${file}`), "x")
    for (const c of containers) {
      const logs = join(podLogsDir, `default_${name}_u-${name}`, c)
      mkdirSync(logs, { recursive: true })
      for (const attempt of [0, 1]) writeFileSync(join(logs, `${attempt}.log`), "line\n")
    }
  }
  const measured = Effect.gen(function* () {
    const { runtime } = yield* MemoryRuntime.make()
    const options = { nodeName: "bench", volumeAge: 60_000, agentCgroup: "", runtimeCgroup: "" }
    const service = yield* Effect.provide(makeStatistics(options), context(runtime))
    const whole: Array<number> = []
    const reading: Array<number> = []
    const brief: Array<number> = []
    for (let i = 0; i < warmUp + passes; i++) {
      const pass = yield* Effect.promise(() => millisOf(() => Effect.runPromise(service.snapshot(-1))))
      const bare = yield* Effect.promise(() => millisOf(async () => Effect.runSync(statistics.sample(read))))
      const short = yield* Effect.promise(() => millisOf(() => Effect.runPromise(service.brief(-1))))
      if (i >= warmUp) {
        brief.push(short)
        whole.push(pass)
        reading.push(bare)
      }
    }
    const { summary } = yield* service.snapshot()
    return { whole: median(whole), reading: median(reading), brief: median(brief), summary }
  })
  const { whole, reading, brief, summary } = await Effect.runPromise(Effect.scoped(measured))
  const sized = summary.pods.filter(({ volume }) => volume?.[0]?.inodesUsed === 21).length
  console.log(`${summary.pods.length} pods, ${sized} with the size of their volume`)
  console.log(
    `a pass: ${whole.toFixed(1)} ms of CPU (limit ${allowedMillis}), of which cgroups: ${reading.toFixed(1)} ms`
  )
  console.log(`a brief one, as eviction makes: ${brief.toFixed(1)} ms`)
  if (whole > allowedMillis) process.exitCode = 1
} finally {
  for (const point of roots) {
    for (const path of [...cgroups].reverse()) rmdirSync(`${point}${path}`)
    for (const path of ["/kubepods/besteffort", "/kubepods", ""]) rmdirSync(`${point}/${cgroupRoot}${path}`)
  }
  rmSync(dir, { recursive: true, force: true })
}
