/**
 * The journal against bare `node:sqlite`: how long appends take, and how long it takes to find one pod's events.
 *
 *     bun bench/journal.ts [--events 40000] [--singles 3000] [--find 200000]
 *
 * Bare means: prepared inserts of ready-made lines into a table of the same columns with the same five indexes, the same
 * batches, WAL, `synchronous=FULL`, on the calling thread; no event checked, no JSON made, no hash, no worker. "no
 * indexes" is what a table of (sequence, line) takes, in which nothing can be found.
 */
import "effect/schema/SchemaJITCompiler/enable"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { parseArgs } from "node:util"
import { Effect, Result, Stream } from "effect"
import { actorId, actorPath } from "../src/events/actor-id.ts"
import { placeDrafts } from "../src/events/journal/draft.ts"
import type { EventDraft, Journal } from "../src/events/journal/port.ts"
import { makeSqliteJournal } from "../src/events/journal/sqlite.ts"
import { machine } from "./machine.ts"

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "40000" },
    singles: { type: "string", default: "3000" },
    find: { type: "string", default: "200000" }
  }
})
const [events, singles, find] = [Number(values.events), Number(values.singles), Number(values.find)]
console.log(machine())

const directory = mkdtempSync(join(tmpdir(), "chronode-bench-"))
process.on("exit", () => rmSync(directory, { recursive: true, force: true }))
let last = 0
const start = Date.now()
/** About 500 bytes as a line. One pod in a thousand draws the n-th event. */
const draft = (): EventDraft => {
  const n = ++last
  const pod = `web-${n % 1000}`
  const time = new Date(start + n).toISOString()
  return {
    id: `019aa000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`,
    actor: actorId("pod", "default", pod),
    subject: `uid-${pod}`,
    time,
    actorSequence: n,
    cause: undefined,
    correlation: `0b5f1a3c-uid-${pod}`,
    traceparent: undefined,
    severity: "INFO",
    command: undefined,
    event: { _tag: "ContainerStarted", container: "app", containerId: "c".repeat(40), attempt: 0, startedAt: time }
  }
}
const batchOf = (size: number): ReadonlyArray<EventDraft> => Array.from({ length: size }, draft)

const percentile = (sorted: ReadonlyArray<number>, p: number): string =>
  (sorted[Math.floor(sorted.length * p)] ?? 0).toFixed(2)

/** Milliseconds of each call and of all. */
const timed = async (count: number, body: (i: number) => void | Promise<void>) => {
  const each: Array<number> = []
  const begin = performance.now()
  for (let i = 0; i < count; i++) {
    const before = performance.now()
    await body(i)
    each.push(performance.now() - before)
  }
  return { total: performance.now() - begin, each: each.sort((a, b) => a - b) }
}

const bare = (name: string, indexed: boolean) => {
  const db = new DatabaseSync(join(directory, `${name}.db`))
  if (indexed)
    db.exec(
      `CREATE TABLE events (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL, time INTEGER NOT NULL, type INTEGER NOT NULL,
         actor INTEGER NOT NULL, correlation INTEGER, hash TEXT NOT NULL, line TEXT NOT NULL) STRICT;
       CREATE UNIQUE INDEX by_id ON events (id); CREATE INDEX by_time ON events (time);
       CREATE INDEX by_type ON events (type); CREATE INDEX by_actor ON events (actor);
       CREATE INDEX by_correlation ON events (correlation)`
    )
  else db.exec("CREATE TABLE events (sequence INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT")
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
  const begin = db.prepare("BEGIN IMMEDIATE")
  const commit = db.prepare("COMMIT")
  const insert = db.prepare(
    indexed ? "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)" : "INSERT INTO events VALUES (?, ?)"
  )
  let sequence = 0
  return {
    close: () => db.close(),
    append: (rows: ReadonlyArray<BareRow>) => {
      begin.run()
      for (const row of rows) {
        sequence++
        if (indexed) insert.run(sequence, row.id, row.time, 1, row.actor, row.actor, row.hash, row.line)
        else insert.run(sequence, row.line)
      }
      commit.run()
    }
  }
}
interface BareRow {
  readonly id: string
  readonly time: number
  readonly actor: number
  readonly hash: string
  readonly line: string
}
const actorKeys = new Map<string, number>()
const bareRow = (event: EventDraft): BareRow => {
  const placed = Result.getOrThrow(placeDrafts("bench", "node-1", [event], last, start))
  const path = actorPath(event.actor)
  if (!actorKeys.has(path)) actorKeys.set(path, actorKeys.size + 1)
  return {
    id: event.id,
    time: Date.parse(event.time),
    actor: actorKeys.get(path)!,
    hash: "0123456789abcdef".repeat(4),
    line: placed[0]!.line
  }
}

const withJournal = <A>(name: string, body: (journal: Journal["Service"]) => Promise<A>): Promise<A> =>
  Effect.runPromise(
    Effect.scoped(
      Effect.flatMap(makeSqliteJournal({ path: join(directory, name, "journal.db"), node: "node-1" }), (journal) =>
        Effect.promise(() => body(journal))
      )
    )
  )

/** Rounds in which bare and journal take turns, so that a neighbour's load falls on both alike. */
const turns = 8
const warmUp = 16

const compare = async (batch: number, count: number): Promise<void> => {
  const perTurn = Math.max(1, Math.floor(count / batch / turns))
  const total = perTurn * turns
  await withJournal(`journal-${batch}`, async (journal) => {
    const append = (drafts: ReadonlyArray<EventDraft>) => Effect.runPromise(journal.append(drafts))
    const indexed = bare(`bare-${batch}`, true)
    const plain = bare(`plain-${batch}`, false)
    const kinds = {
      bare: (turn: number) => timed(perTurn, (i) => indexed.append(rows[turn * perTurn + i]!)),
      "bare, no indexes": (turn: number) => timed(perTurn, (i) => plain.append(rows[turn * perTurn + i]!)),
      "journal, one caller": (turn: number) =>
        timed(perTurn, (i) => append(singly[turn * perTurn + i]!).then(() => {})),
      "journal, 16 callers": async (turn: number) => {
        const begin = performance.now()
        const of = jointly.slice(turn * perTurn, (turn + 1) * perTurn)
        await Effect.runPromise(Effect.forEach(of, journal.append, { concurrency: 16, discard: true }))
        return { total: performance.now() - begin, each: [] }
      }
    }
    const rows = Array.from({ length: total }, () => batchOf(batch).map(bareRow))
    const singly = Array.from({ length: total }, () => batchOf(batch))
    const jointly = Array.from({ length: total }, () => batchOf(batch))
    for (let i = 0; i < warmUp; i++) await append(batchOf(batch))
    const results = new Map<string, Array<{ total: number; each: ReadonlyArray<number> }>>()
    for (let turn = 0; turn < turns; turn++)
      for (const [kind, run] of Object.entries(kinds))
        results.set(kind, [...(results.get(kind) ?? []), await run(turn)])
    console.log(`\nbatches of ${batch}, ${total * batch} events`)
    for (const [kind, of] of results) {
      const each = of.flatMap((turn) => turn.each).sort((a, b) => a - b)
      const ratios = of.map((turn, i) => turn.total / results.get("bare")![i]!.total).sort((a, b) => a - b)
      const rate = (total * batch * 1000) / of.reduce((sum, turn) => sum + turn.total, 0)
      const latency = each.length === 0 ? "" : `p50 ${percentile(each, 0.5)} ms, p99 ${percentile(each, 0.99)} ms`
      console.log(
        `${kind.padEnd(20)} ${Math.round(rate).toString().padStart(7)} events/s  ${percentile(ratios, 0.5)} × the time of bare  ${latency}`
      )
    }
    indexed.close()
    plain.close()
  })
}

await compare(1, singles)
await compare(128, events)

if (find > 0)
  await withJournal("find", async (journal) => {
    const filled = performance.now()
    for (let i = 0; i < find; i += 1024)
      await Effect.runPromise(
        Effect.forEach(Array.from({ length: 8 }), () => journal.append(batchOf(128)), { concurrency: 8, discard: true })
      )
    console.log(`filled with ${find} events in ${((performance.now() - filled) / 1000).toFixed(1)} s`)
    for (const [what, query] of [
      ["one pod's events", { actor: "pod/default/web-77" }],
      ["its last 50, newest first", { actor: "pod/default/web-77", reverse: true, limit: 50 }],
      ["all of one flow", { correlation: "0b5f1a3c-uid-web-78" }],
      ["the last 10 s", { since: start + last - 10_000 }]
    ] as const) {
      const begin = performance.now()
      const rows = await Effect.runPromise(Stream.runCollect(journal.read(query)))
      console.log(`${what} of ${find}: ${rows.length} in ${(performance.now() - begin).toFixed(1)} ms`)
    }
    const begin = performance.now()
    const verified = await Effect.runPromise(journal.verify)
    const seconds = (performance.now() - begin) / 1000
    console.log(`verify: ${verified.events} events in ${seconds.toFixed(1)} s${verified.broken ? ", BROKEN" : ""}`)
  })
