/**
 * `chronode state --at` anywhere in a long log, as a user runs it: the whole command, of a file, a packed file and a
 * journal. The bar: less than a second with snapshots, and the same bytes as without.
 *
 *     bun bench/state-at.ts [--events 1000000] [--runtimes bun,deno] [--logs file,packed,journal]
 *
 * Beside it stand the same command on a log of 100 events, which is what the program's start takes, the plain fold from the log's beginning (`--no-snapshots`), and the
 * first look, which makes the snapshots. Points are in the middle between two snapshots, at the beginning and at the end; by time and by id.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { Effect, Stream } from "effect"
import { writeIncident } from "../src/events/incident/writer.ts"
import { makeSqliteJournal } from "../src/events/journal/sqlite.ts"
import { longLogDraft, longLogId, longLogRows, longLogStart } from "../test/support/long-log.ts"
import { machine } from "./machine.ts"

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    runtimes: { type: "string", default: process.versions.bun === undefined ? "deno" : "bun" },
    logs: { type: "string", default: "file,packed,journal" }
  }
})
const events = Number(values.events)
const runtimes = values.runtimes.split(",")
const logs = values.logs.split(",")
const pods = 100
/** Seconds. */
const limit = 1
const turns = 3
const binary = new URL("../bin/chronode", import.meta.url).pathname
console.log(machine())

const directory = mkdtempSync(join(tmpdir(), "chronode-bench-"))
process.on("exit", () => rmSync(directory, { recursive: true, force: true }))
const data = join(directory, "data")
const words: Readonly<Record<string, ReadonlyArray<string>>> = {
  small: [join(directory, "small.ndjson")],
  file: [join(directory, "log.ndjson")],
  packed: [join(directory, "log.ndjson.zst")],
  journal: ["--journal", "--data-dir", data]
}

const writeFile = (path: string, count = events) =>
  Effect.runPromise(
    writeIncident(
      path,
      { node: "node-1", chronodeVersion: "bench", exportedAt: longLogStart, filter: {} },
      Stream.fromIterable(longLogRows(count, pods))
    )
  )
const writeJournal = () => {
  const path = join(data, "journal", "journal.sqlite")
  mkdirSync(join(data, "journal"), { recursive: true })
  return Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const journal = yield* makeSqliteJournal({ path, node: "node-1", reserveBytes: 0, durability: "interval" })
        for (let n = 1; n <= events; n += 500)
          yield* journal.append(
            Array.from({ length: Math.min(500, events - n + 1) }, (_, i) => longLogDraft(n + i, pods))
          )
      })
    )
  )
}
await writeFile(words.small![0]!, 100)
if (logs.includes("file")) await writeFile(words.file![0]!)
if (logs.includes("packed")) await writeFile(words.packed![0]!)
if (logs.includes("journal")) await writeJournal()

/** Seconds and what was printed. */
const run = (runtime: string, log: string, ...flags: ReadonlyArray<string>) => {
  const begin = performance.now()
  const { status, stdout, stderr } = spawnSync(binary, ["state", ...words[log]!, "-o", "json", ...flags], {
    env: { ...process.env, CHRONODE_RUNTIME: runtime, XDG_CACHE_HOME: join(directory, "cache") },
    maxBuffer: 256 * 1024 * 1024,
    encoding: "utf8"
  })
  const seconds = (performance.now() - begin) / 1000
  if (status !== 0) throw new Error(`state of ${log} on ${runtime}: exit code ${status}\n${stderr}`)
  return { seconds, stdout }
}

const time = (n: number): ReadonlyArray<string> => ["--at", new Date(longLogStart + n).toISOString()]
const id = (n: number): ReadonlyArray<string> => ["--at", longLogId(n)]
const somewhere = (part: number): number => Math.max(1, Math.round(events * part))
/** A journal's rows are recorded when they are written here: points in it are named by ids. */
const pointsOf = (log: string): ReadonlyArray<readonly [what: string, flags: ReadonlyArray<string>]> => [
  ["the beginning", id(1)],
  ...(log === "journal" ? [] : ([["a quarter, by time", time(somewhere(0.2537))]] as const)),
  ["a quarter, by id", id(somewhere(0.2537))],
  ["the middle, by id", id(somewhere(0.5093))],
  ...(log === "journal" ? [] : ([["nearly the end, by time", time(somewhere(0.9899))]] as const)),
  ["nearly the end, by id", id(somewhere(0.9899))],
  ["the end", []]
]
let worst = 0
for (const runtime of runtimes)
  for (const log of logs) {
    const bytes = log === "journal" ? "" : `, ${Math.round(statSync(words[log]![0]!).size / 2 ** 20)} MiB`
    console.log(`\n${runtime}, ${log}: ${events} events${bytes}`)
    const start = Math.min(...Array.from({ length: turns }, () => run(runtime, "small").seconds))
    console.log(`  a log of 100 events            ${start.toFixed(2)} s`)
    const middle = id(somewhere(0.5093))
    const plain = run(runtime, log, ...middle, "--no-snapshots")
    const whole = run(runtime, log, "--no-snapshots")
    console.log(
      `  whole fold, no snapshots       ${whole.seconds.toFixed(2)} s; to the middle ${plain.seconds.toFixed(2)} s`
    )
    rmSync(join(directory, "cache"), { recursive: true, force: true })
    console.log(`  first look, makes snapshots    ${run(runtime, log).seconds.toFixed(2)} s`)
    for (const [what, flags] of pointsOf(log)) {
      const times = Array.from({ length: turns }, () => run(runtime, log, ...flags))
      const best = Math.min(...times.map(({ seconds }) => seconds))
      const most = Math.max(...times.map(({ seconds }) => seconds))
      if (flags === middle || what === "the middle, by id")
        if (times[0]!.stdout !== plain.stdout) throw new Error("the snapshot changed the answer")
      if (what === "the end" && times[0]!.stdout !== whole.stdout) throw new Error("the snapshot changed the answer")
      worst = Math.max(worst, best)
      console.log(
        `  ${what.padEnd(28)}   ${best.toFixed(2)} s (at most ${most.toFixed(2)}), ${(best / limit).toFixed(2)} of the limit, ${(best / whole.seconds).toFixed(2)} of the whole fold`
      )
    }
    const cache = join(directory, "cache", "chronode", "snapshots")
    const kept = readdirSync(cache).reduce((sum, name) => sum + statSync(join(cache, name)).size, 0)
    console.log(`  snapshots                      ${(kept / 2 ** 20).toFixed(1)} MiB`)
  }
console.log(worst < limit ? `good: ${worst.toFixed(2)} s < ${limit} s` : `MISSED: ${worst.toFixed(2)} s ≥ ${limit} s`)
process.exitCode = worst < limit ? 0 : 1
