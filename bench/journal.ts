/**
 * The journal against bare `node:sqlite`: how long appends take, and how long it takes to find one pod's events.
 *
 *     bun bench/journal.ts [--events 98304] [--singles 3000] [--find 200000]
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
    events: { type: "string", default: "98304" },
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

interface Turn {
  /** Milliseconds of all calls together. */
  readonly total: number
  /** Of each; none where they overlap. */
  readonly each: ReadonlyArray<number>
}
type Kind = () => Promise<Turn>

/** Turns of bare and of the journal, each beside its pair: a neighbour's load falls on both, and ratios are taken pair by pair. */
const turns = 12
/** Milliseconds before each turn. What the journal puts off while appends come (indexes, checkpoints) then falls in no turn. */
const pause = 200
/** So many events are stored first: the code is hot, the WAL has its size, and every name is known (bare has its keys ready). */
const warmUpEvents = 4096
const maxBatch = 128
const callers = 16

/** One pair more than is counted; the second of a pair goes first every other time. */
const inPairs = async (first: Kind, second: Kind): Promise<ReadonlyArray<readonly [Turn, Turn]>> => {
  const pairs: Array<readonly [Turn, Turn]> = []
  const rested = async (kind: Kind): Promise<Turn> => {
    await new Promise((resolve) => setTimeout(resolve, pause))
    return kind()
  }
  for (let i = 0; i <= turns; i++) {
    if (i % 2 === 0) pairs.push([await rested(first), await rested(second)])
    else {
      const after = await rested(second)
      pairs.push([await rested(first), after])
    }
  }
  return pairs.slice(1)
}

const print = (name: string, eventsPerTurn: number, of: ReadonlyArray<Turn>, ratios: ReadonlyArray<number>): void => {
  const each = of.flatMap((turn) => turn.each).sort((a, b) => a - b)
  const totals = of.map((turn) => turn.total).sort((a, b) => a - b)
  const rate = (eventsPerTurn * 1000) / totals[Math.floor(totals.length / 2)]!
  const sorted = ratios.toSorted((a, b) => a - b)
  const times =
    ratios.length === 0
      ? ""
      : `${percentile(sorted, 0.5)} × the time of bare (half of ${of.length}: ${percentile(sorted, 0.25)}–${percentile(sorted, 0.75)})`
  const latency = each.length === 0 ? "" : `p50 ${percentile(each, 0.5)} ms, p99 ${percentile(each, 0.99)} ms`
  console.log(
    `${name.padEnd(20)} ${Math.round(rate).toString().padStart(7)} events/s  ${times.padEnd(50)} ${latency}`.trimEnd()
  )
}

const jointly = async (journal: Journal["Service"], batches: ReadonlyArray<ReadonlyArray<EventDraft>>) => {
  const begin = performance.now()
  await Effect.runPromise(Effect.forEach(batches, journal.append, { concurrency: callers, discard: true }))
  return { total: performance.now() - begin, each: [] }
}

const compare = async (batch: number, count: number): Promise<void> => {
  const perTurn = Math.max(callers, Math.floor(count / batch / turns))
  await withJournal(`journal-${batch}`, async (journal) => {
    const append = (drafts: ReadonlyArray<EventDraft>) => Effect.runPromise(journal.append(drafts))
    const [indexed, plain] = [bare(`bare-${batch}`, true), bare(`plain-${batch}`, false)]
    const batches = () => Array.from({ length: perTurn }, () => batchOf(batch))
    const bareTurn = (store: ReturnType<typeof bare>): Promise<Turn> => {
      const rows = batches().map((drafts) => drafts.map(bareRow))
      return timed(perTurn, (i) => store.append(rows[i]!))
    }
    const kinds: Readonly<Record<string, Kind>> = {
      "bare, no indexes": () => bareTurn(plain),
      "journal, one caller": () => {
        const drafts = batches()
        return timed(perTurn, (i) => append(drafts[i]!).then(() => {}))
      },
      [`journal, ${callers} callers`]: () => jointly(journal, batches())
    }
    for (let i = 0; i < warmUpEvents; i += maxBatch) {
      await append(batchOf(maxBatch))
      for (const store of [indexed, plain]) store.append(batchOf(maxBatch).map(bareRow))
    }
    console.log(`\nbatches of ${batch}; ${turns} turns of ${perTurn * batch} events each`)
    for (const [name, kind] of Object.entries(kinds)) {
      const pairs = await inPairs(() => bareTurn(indexed), kind)
      if (kind === kinds["bare, no indexes"])
        print(
          "bare",
          perTurn * batch,
          pairs.map(([of]) => of),
          []
        )
      const ratios = pairs.map(([of, its]) => its.total / of.total)
      print(
        name,
        perTurn * batch,
        pairs.map(([, its]) => its),
        ratios
      )
    }
    indexed.close()
    plain.close()
  })
}

/** No pause: what is put off must then be done between the appends, and counts. So many rows before it are stored without the clock. */
const unmeasured = 20_480
const sustainedEvents = 32_768
const sustained = (): Promise<void> =>
  withJournal("sustained", async (journal) => {
    const of = (events: number) => Array.from({ length: events / maxBatch }, () => batchOf(maxBatch))
    const store = bare("bare-sustained", true)
    const pairs: Array<readonly [Turn, Turn]> = []
    for (let i = 0; i < 5; i++) {
      const rows = of(sustainedEvents).map((drafts) => drafts.map(bareRow))
      const its = await timed(rows.length, (n) => store.append(rows[n]!))
      const [before, counted] = [of(unmeasured), of(sustainedEvents)]
      await jointly(journal, before)
      pairs.push([its, await jointly(journal, counted)])
    }
    console.log(`\nbatches of ${maxBatch} without a pause; ${pairs.length} turns of ${sustainedEvents} events each`)
    print(
      `journal, ${callers} callers`,
      sustainedEvents,
      pairs.map(([, journals]) => journals),
      pairs.map(([bares, journals]) => journals.total / bares.total)
    )
    store.close()
  })

await compare(1, singles)
await compare(maxBatch, events)
await sustained()

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
