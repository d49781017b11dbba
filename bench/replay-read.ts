/**
 * Reading an incident file (split, verify the chain, decode, fold) against a bare `JSON.parse` of the same lines in the same
 * run. The bar: at least 40 % of its speed, with memory that does not grow with the file.
 *
 *     bun bench/replay-read.ts [--events 300000] [--turns 2]
 *
 * Bare is the least that any reader of NDJSON does: the file in large pieces, each as one text, cut into lines, each line
 * to `JSON.parse`. "bare, decoded" adds the decoding of the events and no chain. "verified beside" checks the chain in a thread
 * of its own, as `chronode replay --verify` does. "folded" brings every event into the state of its pod.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { Effect, Result, Stream } from "effect"
import { deciders } from "../src/actors/deciders.ts"
import { NodeFold } from "../src/actors/kernel/fold.ts"
import { actorId } from "../src/events/actor-id.ts"
import { decodeEvent } from "../src/events/decode.ts"
import { type ReadOptions, readIncidentPieces } from "../src/events/incident/reader.ts"
import { verifyBeside } from "../src/events/incident/verify.ts"
import { writeIncident } from "../src/events/incident/writer.ts"
import { makeChain } from "../src/events/journal/chain.ts"
import { placeDrafts } from "../src/events/journal/draft.ts"
import type { EventDraft, JournalRow } from "../src/events/journal/port.ts"
import { readBare } from "./bare-ndjson.ts"
import { machine } from "./machine.ts"

const { values } = parseArgs({
  options: { events: { type: "string", default: "300000" }, turns: { type: "string", default: "2" } }
})
const [events, turns] = [Number(values.events), Number(values.turns)]
const required = 0.4
console.log(machine())
const directory = mkdtempSync(join(tmpdir(), "chronode-bench-"))
process.on("exit", () => rmSync(directory, { recursive: true, force: true }))
const path = join(directory, "incident.ndjson")
const start = Date.parse("2026-11-21T05:53:47.000Z")

const pods = 30

/** About 500 bytes as a line: thirty pods, each admitted once and then through the lives of its container, again and again. */
const draft = (n: number): EventDraft => {
  const pod = `web-${n % pods}`
  const round = Math.floor((n - 1) / pods)
  const time = new Date(start + n).toISOString()
  const uid = `0b5f1a3c77d94e0b8a0f3f51${pod}`
  const ids = { container: "app", containerId: "0123456789abcdef".repeat(4), attempt: round >> 2 }
  const admitted: EventDraft["event"] = {
    _tag: "PodAdmitted",
    pod: { metadata: { name: pod, namespace: "default", uid }, spec: { containers: [{ name: "app", image: "a" }] } },
    source: "/manifests/web.yaml",
    qosClass: "BestEffort"
  }
  const lives: ReadonlyArray<EventDraft["event"]> = [
    { _tag: "ContainerCreated", ...ids },
    { _tag: "ContainerStarted", ...ids, startedAt: time },
    { _tag: "ContainerReadinessChanged", container: "app", ready: true },
    {
      _tag: "ContainerExited",
      ...ids,
      exitCode: 137,
      reason: "Error",
      message: "",
      oomKilled: false,
      finishedAt: time
    }
  ]
  return {
    id: `019aa000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`,
    actor: actorId("pod", "default", pod),
    subject: uid,
    time,
    actorSequence: n,
    cause: `019aa000-0000-7000-8000-${(n - 1).toString(16).padStart(12, "0")}`,
    correlation: uid,
    traceparent: undefined,
    severity: "INFO",
    command: undefined,
    event: round === 0 ? admitted : lives[(round - 1) % lives.length]!
  }
}

const rows = function* (): Generator<JournalRow> {
  const chain = makeChain()
  for (let n = 1; n <= events; n++) {
    const { line } = Result.getOrThrow(placeDrafts("bench", "node-1", [draft(n)], n, start))[0]!
    const previousHash = chain.head()
    const hash = chain.next(line)
    yield n === 1 ? { sequence: n, line, hash, previousHash } : { sequence: n, line, hash }
  }
}

const collect = (globalThis as { readonly gc?: () => void }).gc
const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20)
let peak = 0
const readAll = async (options: ReadOptions, fold?: NodeFold): Promise<number> => {
  let count = 1
  for await (const { entries, end } of readIncidentPieces(path, options)) {
    count += entries.length
    for (const { broken, event } of entries) {
      if (broken !== undefined || Result.isFailure(event)) throw new Error("the file is not whole")
      fold?.apply(event.success)
    }
    if (end !== undefined && end.problems.length > 0) throw new Error(end.problems[0]?.problem)
    peak = Math.max(peak, process.memoryUsage.rss())
  }
  return count
}
const readBeside = async (fold?: NodeFold): Promise<number> => {
  const reading = readAll({ checkChain: false }, fold)
  const [count, report] = await Promise.all([reading, Effect.runPromise(verifyBeside(path))])
  if (report.chain !== "whole") throw new Error("the file is not whole")
  return count
}
const readers = {
  "bare JSON.parse": async () => readBare(path),
  "bare, decoded": async () =>
    readBare(path, (json) => {
      const result = decodeEvent(json)
      if (Result.isFailure(result) && result.failure.where !== "sequence" && result.failure.where !== "source")
        throw new Error(result.failure.message)
    }),
  "verified and decoded": () => readAll({ checkChain: true }),
  "decoded, verified beside": () => readBeside(),
  "… and folded": async () => {
    const fold = new NodeFold(deciders)
    const count = await readBeside(fold)
    if (fold.actors.size !== pods) throw new Error("the fold lacks pods")
    return count
  }
}

await Effect.runPromise(
  writeIncident(
    path,
    { node: "node-1", chronodeVersion: "bench", exportedAt: start, filter: {} },
    Stream.fromIterable(rows())
  )
)
const { size } = statSync(path)
console.log(`${events} events, ${mebibytes(size)} MiB, ${Math.round(size / events)} bytes a line`)
const seconds = new Map<string, Array<number>>()
for (let turn = 0; turn < turns; turn++)
  for (const [name, read] of Object.entries(readers)) {
    collect?.()
    const begin = performance.now()
    const count = await read()
    if (count !== events + 1) throw new Error(`${name} read ${count} lines of ${events + 1}`)
    seconds.set(name, [...(seconds.get(name) ?? []), (performance.now() - begin) / 1000])
  }
const best = (name: string): number => Math.min(...seconds.get(name)!)
for (const name of seconds.keys())
  console.log(
    `${name.padEnd(24)} ${best(name).toFixed(2)} s  ${Math.round(events / best(name) / 1000)} k events/s  ${(best("bare JSON.parse") / best(name)).toFixed(2)} of bare`
  )
console.log(`resident memory at most ${mebibytes(peak)} MiB`)
const ratio = best("bare JSON.parse") / best("… and folded")
console.log(ratio >= required ? `good: ${ratio.toFixed(2)} ≥ ${required}` : `MISSED: ${ratio.toFixed(2)} < ${required}`)
process.exitCode = ratio >= required ? 0 : 1
