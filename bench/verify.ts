/**
 * `chronode replay FILE --verify` (the chain checked, every decision taken again and compared) against a bare `JSON.parse` of
 * the same lines in the same run. The bar: at least 25 % of its speed.
 *
 *     bun bench/verify.ts [--events 1000000] [--turns 2]
 *
 * The log is one that the real deciders wrote (decided-log.ts). "read and folded" is what replay does without deciding.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { Effect, Fiber, Stream } from "effect"
import { deciders } from "../src/actors/deciders.ts"
import { Redecision } from "../src/actors/kernel/redecide.ts"
import { foldLines } from "../src/cli/event-log/fold-log.ts"
import { openIncidentLog } from "../src/cli/event-log/incident-log.ts"
import { redecideLines } from "../src/cli/event-log/redecide-log.ts"
import { writeIncident } from "../src/events/incident/writer.ts"
import { readBare } from "./bare-ndjson.ts"
import { decidedRows, logNode } from "./decided-log.ts"
import { machine } from "./machine.ts"

const { values } = parseArgs({
  options: { events: { type: "string", default: "1000000" }, turns: { type: "string", default: "2" } }
})
const [events, turns] = [Number(values.events), Number(values.turns)]
const required = 0.25
console.log(machine())
const directory = mkdtempSync(join(tmpdir(), "chronode-bench-"))
process.on("exit", () => rmSync(directory, { recursive: true, force: true }))
const path = join(directory, "incident.ndjson")
const start = Date.parse("2026-11-21T05:53:47.000Z")

const written = await Effect.runPromise(
  writeIncident(
    path,
    { node: logNode, chronodeVersion: "bench", exportedAt: start, filter: {} },
    Stream.fromIterable(decidedRows(events, start))
  )
)
const { size } = statSync(path)
const recorded = written.events ?? 0
console.log(`${recorded} events, ${Math.round(size / 2 ** 20)} MiB, ${Math.round(size / recorded)} bytes a line`)

const verify = Effect.gen(function* () {
  const log = yield* openIncidentLog(path, { checkChain: false })
  const chain = yield* Effect.forkChild(log.verify)
  const redecision = new Redecision(deciders)
  const { stopped, unreadable } = yield* redecideLines(log.read({}, false), redecision, { all: false })
  const { chain: found } = yield* Fiber.join(chain)
  if (stopped || unreadable.length > 0 || found !== "whole") throw new Error("the log is not whole")
  decisions = redecision.decisions
  return redecision.fold.events
})
let decisions = 0
const readers: Readonly<Record<string, () => Promise<number>>> = {
  "bare JSON.parse": async () => readBare(path) - 1,
  "read and folded": () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const log = yield* openIncidentLog(path, { checkChain: false })
        return (yield* foldLines(log.read({}, false))).fold.events
      })
    ),
  "--verify": () => Effect.runPromise(Effect.scoped(verify))
}

const collect = (globalThis as { readonly gc?: () => void }).gc
const best = new Map<string, number>()
/** Of all threads. On a machine that others use too, waiting for a processor counts in the time and not here. */
const processor = new Map<string, number>()
const note = (times: Map<string, number>, name: string, seconds: number): void => {
  times.set(name, Math.min(times.get(name) ?? Number.POSITIVE_INFINITY, seconds))
}
for (let turn = 0; turn < turns; turn++)
  for (const [name, read] of Object.entries(readers)) {
    collect?.()
    const before = process.cpuUsage()
    const begun = performance.now()
    const count = await read()
    note(best, name, (performance.now() - begun) / 1000)
    const { user, system } = process.cpuUsage(before)
    note(processor, name, (user + system) / 1e6)
    if (count !== recorded) throw new Error(`${name} read ${count} events of ${recorded}`)
  }
const bare = best.get("bare JSON.parse")!
for (const [name, seconds] of best)
  console.log(
    `${name.padEnd(16)} ${seconds.toFixed(2)} s  ${Math.round(recorded / seconds / 1000)} k events/s  ${(bare / seconds).toFixed(2)} of bare; processor ${processor.get(name)!.toFixed(2)} s`
  )
console.log(`${decisions} decisions taken again`)
const ratio = bare / best.get("--verify")!
console.log(ratio >= required ? `good: ${ratio.toFixed(2)} ≥ ${required}` : `MISSED: ${ratio.toFixed(2)} < ${required}`)
process.exitCode = ratio >= required ? 0 : 1
