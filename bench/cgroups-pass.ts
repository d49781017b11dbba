/**
 * One statistics pass over 110 pods × 2 containers, whose cgroups are made for it in a root of their own and are idle, against
 * the same files opened, read and closed bare in the same run. Limits: 25 ms of CPU, and twice the bare reading. Needs root.
 *
 *   bun bench/cgroups-pass.ts
 */
import { closeSync, mkdirSync, openSync, readSync, rmdirSync } from "node:fs"
import process from "node:process"
import { Effect } from "effect"
import { findStatisticsPoints } from "../src/adapters/cgroupfs/hierarchies.ts"
import { PassFiles } from "../src/adapters/cgroupfs/pass-files.ts"
import { makeCgroupStatistics } from "../src/adapters/cgroupfs/statistics-live.ts"
import { machine } from "./machine.ts"

const pods = 110
const containers = 2
const passes = 40
/** Passes before those that count: the code is compiled while it runs. */
const warmUp = 10
const allowedMillis = 25
const allowedRatio = 2

/** Remembers which files were there. */
class Recording extends PassFiles {
  readonly found = new Set<string>()
  override read(file: string, whole = false): boolean {
    const isThere = super.read(file, whole)
    if (isThere) this.found.add(file)
    return isThere
  }
}

const points = await findStatisticsPoints()
const roots = [...new Set([...points.v1.values(), ...(points.unified === undefined ? [] : [points.unified])])]
if (process.getuid?.() !== 0 || roots.length === 0) {
  console.log("needs root and a cgroup hierarchy")
  process.exit(0)
}
const root = `/chronode-bench-${process.pid}`
const paths: Array<string> = []
for (let pod = 0; pod < pods; pod++) {
  const path = `${root}/pod${pod}`
  paths.push(path)
  for (let c = 0; c < containers; c++) paths.push(`${path}/c${c}`)
}

const millisOf = (run: () => void): number => {
  const { user, system } = process.cpuUsage()
  run()
  const after = process.cpuUsage()
  return (after.user - user + after.system - system) / 1000
}
const median = (times: ReadonlyArray<number>): number => [...times].sort((a, b) => a - b)[times.length >> 1]!

console.log(machine())
const buffer = Buffer.alloc(16 * 1024)
try {
  for (const point of roots) for (const path of [root, ...paths]) mkdirSync(`${point}${path}`, { recursive: true })
  const recording = new Recording()
  Effect.runSync(makeCgroupStatistics(points, recording).sample(paths))
  const files = [...recording.found].filter((file) => file.includes(root))
  const statistics = makeCgroupStatistics(points)
  let seen = 0
  const pass = () => {
    seen = Effect.runSync(statistics.sample(paths)).size
  }
  const bare = () => {
    for (const file of files) {
      const fd = openSync(file, "r")
      readSync(fd, buffer, 0, buffer.length, null)
      closeSync(fd)
    }
  }
  const ours: Array<number> = []
  const theirs: Array<number> = []
  for (let i = 0; i < warmUp + passes; i++) {
    const a = millisOf(pass)
    const b = millisOf(bare)
    if (i >= warmUp) {
      ours.push(a)
      theirs.push(b)
    }
  }
  const ratio = median(ours) / median(theirs)
  console.log(`cgroup ${points.version}: ${seen} cgroups, ${files.length} files`)
  console.log(`one pass:   ${median(ours).toFixed(1)} ms of CPU (limit ${allowedMillis} ms)`)
  console.log(`bare reads: ${median(theirs).toFixed(1)} ms of CPU; ${ratio.toFixed(2)}× (limit ${allowedRatio}×)`)
  if (seen !== paths.length || median(ours) > allowedMillis || ratio > allowedRatio) process.exitCode = 1
} finally {
  for (const point of roots) {
    for (const path of [...paths].reverse()) rmdirSync(`${point}${path}`)
    rmdirSync(`${point}${root}`)
  }
}
