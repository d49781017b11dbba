// runtimes: bun (deno)
import assert from "node:assert/strict"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { describe } from "node:test"
import { Effect, Stream } from "effect"
import { hashOf, remarks } from "../../src/cli/event-log/fold-log.ts"
import { openIncidentLog } from "../../src/cli/event-log/incident-log.ts"
import { openJournalLog } from "../../src/cli/event-log/journal-log.ts"
import type { ChainedLog } from "../../src/cli/event-log/log.ts"
import type { Moment } from "../../src/cli/event-log/moments.ts"
import { foldAt } from "../../src/cli/snapshots/fold-at.ts"
import { writeIncident } from "../../src/events/incident/writer.ts"
import { makeSqliteJournal } from "../../src/events/journal/sqlite.ts"
import { liveTest } from "../support/effect.ts"
import { longLogDraft, longLogId, longLogRows, longLogStart } from "../support/long-log.ts"
import { temporaryDirectory } from "../support/temporary-directory.ts"

const events = 3000
const pods = 7
const spacing = 300
const origin = { node: "node-1", chronodeVersion: "0.1.0", exportedAt: 0, filter: {} }

/** A directory whose cache is the one that is used, while the test runs. */
const cached = Effect.gen(function* () {
  const directory = yield* temporaryDirectory
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const before = process.env.XDG_CACHE_HOME
      process.env.XDG_CACHE_HOME = join(directory, "cache")
      return before
    }),
    (before) =>
      Effect.sync(() => {
        if (before === undefined) delete process.env.XDG_CACHE_HOME
        else process.env.XDG_CACHE_HOME = before
      })
  )
  return directory
})
const cacheOf = (directory: string): ReadonlyArray<string> => {
  const path = join(directory, "cache", "chronode", "snapshots")
  return existsSync(path) ? readdirSync(path).map((name) => join(path, name)) : []
}

const quiet = { progress: () => {}, note: (text: string) => assert.fail(text) }

/** All that a command prints of a fold. */
const answer = (log: ChainedLog, until: Moment | undefined, snapshots: boolean) =>
  foldAt(log, until, { ...quiet, snapshots, spacing }).pipe(
    Effect.map((folded) => {
      const { actors, ...facts } = folded.fold.save()
      return JSON.stringify([hashOf(folded.fold), facts, actors, remarks(folded)])
    }),
    Effect.catch((error) => Effect.succeed(`${error.message}`))
  )

const at = (n: number): Moment => ({ _tag: "Time", at: longLogStart + n })
const after = (n: number): Moment => ({ _tag: "Event", id: longLogId(n) })
const points: ReadonlyArray<Moment | undefined> = [
  undefined,
  ...[-5, 1, 150, 299, 300, 301, 777, 1500, 2999, 3000, 9999].map(at),
  ...[1, 2, 299, 300, 301, 1234, 2750, 2999, 3000, 4000].map(after)
]

const written = (path: string, recordedAt?: (n: number) => number) =>
  writeIncident(path, origin, Stream.fromIterable(longLogRows(events, pods, recordedAt)), { overwrite: true })

describe("snapshots of a log", () => {
  for (const name of ["log.ndjson", "log.ndjson.zst"])
    liveTest(
      `change no answer: ${name} with, without, and with snapshots that are damaged anywhere`,
      Effect.gen(function* () {
        const directory = yield* cached
        const path = join(directory, name)
        yield* written(path)
        const log = yield* openIncidentLog(path)
        const expected: Array<string> = []
        for (const point of points) expected.push(yield* answer(log, point, false))
        assert.deepEqual(cacheOf(directory), [])
        assert.equal(new Set(expected).size, 14)
        const check = (what: string) =>
          Effect.gen(function* () {
            for (const [i, point] of points.entries())
              assert.equal(yield* answer(log, point, true), expected[i], `${what}: ${JSON.stringify(point)}`)
          })
        yield* check("made")
        const [file, ...others] = cacheOf(directory) as [string, ...ReadonlyArray<string>]
        assert.deepEqual(others, [])
        assert.equal(statSync(file).mode & 0o777, 0o600)
        const good = readFileSync(file)
        // It is used: what it holds of the log's beginning is not read again.
        assert.ok(good.toString("latin1").split('"earliest"').length > 5)
        yield* check("read")
        assert.ok(readFileSync(file).equals(good))
        for (let i = 0; i < 12; i++) {
          const bad = Buffer.from(good)
          const place = Math.floor((i / 12) * good.length)
          bad[place] = (good[place] as number) ^ 0x10
          writeFileSync(file, bad)
          for (const k of [0, 7]) assert.equal(yield* answer(log, points[k], true), expected[k], `byte ${place}`)
        }
        for (const bad of [
          Buffer.alloc(0),
          good.subarray(0, good.length >> 1),
          Buffer.from("chronode-snapshots 1 999999999 ")
        ]) {
          writeFileSync(file, bad)
          assert.equal(yield* answer(log, points[7], true), expected[7])
        }
      }),
      { timeout: 120_000 }
    )

  liveTest(
    "of a file that was changed, or that is damaged, are not used",
    Effect.gen(function* () {
      const directory = yield* cached
      const path = join(directory, "log.ndjson")
      yield* written(path)
      yield* answer(yield* openIncidentLog(path), undefined, true)
      const good = readFileSync(path, "utf8")
      writeFileSync(path, good.replace('"exitCode":137', '"exitCode":136'))
      const log = yield* openIncidentLog(path)
      for (const point of [points[3], points[9], undefined]) {
        const whole = yield* answer(log, point, false)
        assert.match(whole, /hash chain is broken/u)
        assert.equal(yield* answer(log, point, true), whole)
      }
    }),
    { timeout: 60_000 }
  )

  liveTest(
    "that cannot be kept are told of, and are no harm",
    Effect.gen(function* () {
      const directory = yield* cached
      mkdirSync(join(directory, "cache"))
      writeFileSync(join(directory, "cache", "chronode"), "in the way")
      const path = join(directory, "log.ndjson")
      yield* written(path)
      const log = yield* openIncidentLog(path)
      const notes: Array<string> = []
      const note = (text: string): void => void notes.push(text)
      const folded = yield* foldAt(log, at(777), { progress: () => {}, note, snapshots: true, spacing })
      assert.equal(folded.fold.lastSequence, 777)
      assert.match(notes.join(), /no snapshots could be kept.*the next look takes as long/u)
    })
  )

  liveTest(
    "of a journal that grows are added to, and go when retention has cut it",
    Effect.gen(function* () {
      const directory = yield* cached
      const path = join(directory, "journal.sqlite")
      const appended = (from: number, to: number, prune = 0) =>
        Effect.scoped(
          Effect.gen(function* () {
            const journal = yield* makeSqliteJournal({ path, node: "node-1", reserveBytes: 0 })
            for (let n = from; n <= to; n += 100)
              yield* journal.append(Array.from({ length: 100 }, (_, i) => longLogDraft(n + i, pods)))
            if (prune > 0) yield* journal.prune(prune)
          })
        )
      const same = (some: ReadonlyArray<Moment | undefined>) =>
        Effect.scoped(
          Effect.gen(function* () {
            const log = yield* openJournalLog(path)
            for (const point of some)
              assert.equal(yield* answer(log, point, true), yield* answer(log, point, false), JSON.stringify(point))
          })
        )
      yield* appended(1, 1500)
      yield* same([undefined, after(777), after(1400)])
      const before = statSync(cacheOf(directory)[0] as string).size
      yield* appended(1501, 3000)
      yield* same([undefined, after(777), after(1400), after(1501), after(2950), after(9999)])
      assert.ok(statSync(cacheOf(directory)[0] as string).size > before)
      yield* appended(3001, 3100, 900)
      yield* same([undefined, after(777), after(1400), after(3050)])
    }),
    { timeout: 60_000 }
  )

  liveTest(
    "know times also where the clock was set back: the last passage counts, and it is told",
    Effect.gen(function* () {
      const directory = yield* cached
      const path = join(directory, "log.ndjson")
      // At 1000 it is set back by 800 s, at 2000 forward again by 100 s.
      const setBack = 800_000
      const recordedAt = (n: number): number =>
        longLogStart + n * 1000 - (n > 1000 ? setBack : 0) + (n > 2000 ? 100_000 : 0)
      yield* written(path, recordedAt)
      const log = yield* openIncidentLog(path)
      const sequences = new Map([
        [at(100_000), 100],
        [at(199_999), 199],
        [at(500_000), 1300],
        [at(1_000_000), 1800],
        [at(1_250_000), 2000],
        [at(1_400_000), 2100]
      ])
      for (const [point, sequence] of sequences)
        for (const snapshots of [false, true, true]) {
          const { fold, ...folded } = yield* foldAt(log, point, { ...quiet, snapshots, spacing })
          assert.equal(fold.lastSequence, sequence)
          const said = remarks({ fold, ...folded }).join()
          if (sequence > 1000)
            assert.match(said, /clock was set back by 13m19s at sequence 1001: a time means its last/u)
          else assert.equal(said, "")
        }
    }),
    { timeout: 60_000 }
  )
})
