import assert from "node:assert/strict"
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe } from "node:test"
import { gzipSync } from "node:zlib"
import { Effect, Result, Stream } from "effect"
import type { IncidentHeader } from "../../../src/events/incident/format.ts"
import { type IncidentEntry, readIncident, readIncidentHeader } from "../../../src/events/incident/reader.ts"
import { verifyBeside, verifyIncident } from "../../../src/events/incident/verify.ts"
import { writeIncident } from "../../../src/events/incident/writer.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
import { JournalError, type JournalQuery, type JournalRow } from "../../../src/events/journal/port.ts"
import { liveTest } from "../../support/effect.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { sampleDraft, sampleTime } from "../journal/sample.ts"

const origin = { node: "n1", chronodeVersion: "0.1.0", exportedAt: sampleTime, filter: {} }

interface Written {
  readonly path: string
  readonly header: IncidentHeader
  readonly rows: ReadonlyArray<JournalRow>
}

/** An incident of `count` events of three pods, or of those of them that `query` selects. */
const written = (count: number, query: JournalQuery = {}) =>
  Effect.gen(function* () {
    const path = join(yield* temporaryDirectory, "incident.ndjson")
    const { journal } = yield* makeMemoryJournal({ node: "n1" })
    yield* journal.append(
      Array.from({ length: count }, (_, i) =>
        sampleDraft(i + 1, { pod: `p${i % 3}`, text: `zażółć, number ${i + 1}.` })
      )
    )
    const header = yield* writeIncident(path, origin, journal.read(query))
    return { path, header, rows: yield* Stream.runCollect(journal.read(query)) } satisfies Written
  })

const entriesOf = (path: string) =>
  Effect.map(Stream.runCollect(readIncident(path)), (all) => all as ReadonlyArray<IncidentEntry>)
const linesOf = (path: string): ReadonlyArray<string> => readFileSync(path, "utf8").trimEnd().split("\n")
const putLines = (path: string, lines: ReadonlyArray<string>): void => writeFileSync(path, `${lines.join("\n")}\n`)
const edit = (path: string, change: (lines: ReadonlyArray<string>) => ReadonlyArray<string>): void =>
  putLines(path, change(linesOf(path)))

describe("an incident file", () => {
  liveTest(
    "holds the journal's own bytes, its chain and a header, and is for its owner only",
    Effect.gen(function* () {
      const { path, header, rows } = yield* written(50)
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.deepEqual(yield* readIncidentHeader(path), header)
      assert.deepEqual([header.events, header.firstSequence, header.lastSequence], [50, 1, 50])
      const entries = yield* entriesOf(path)
      assert.deepEqual(
        entries.map(({ line, hash }) => ({ line, hash })),
        rows.map(({ line, hash }) => ({ line, hash }))
      )
      assert.ok(entries.every((entry) => Result.isSuccess(entry.event) && entry.broken === undefined))
      assert.deepEqual(
        entries.map((entry) => entry.lineNumber),
        rows.map((_, i) => i + 2)
      )
      const report = yield* verifyIncident(path)
      assert.deepEqual([report.chain, report.events, report.headHash], ["whole", 50, rows.at(-1)?.hash])
    })
  )

  liveTest(
    "has the two chain attributes before the final brace and is otherwise the stored line",
    Effect.gen(function* () {
      const { path, rows } = yield* written(6, { actor: "pod/default/p0" })
      const [, first, second] = linesOf(path)
      const [a, b] = rows as [JournalRow, JournalRow]
      assert.equal(first, `${a.line.slice(0, -1)},"chainprev":"${"0".repeat(64)}","chainhash":"${a.hash}"}`)
      assert.equal(second, `${b.line.slice(0, -1)},"chainprev":"${b.previousHash}","chainhash":"${b.hash}"}`)
      const whole = yield* written(2)
      assert.equal(linesOf(whole.path)[2], `${whole.rows[1]?.line.slice(0, -1)},"chainhash":"${whole.rows[1]?.hash}"}`)
    })
  )

  liveTest(
    "of a slice with gaps is whole, and can be exported again from itself",
    Effect.gen(function* () {
      const { path, header } = yield* written(60, { actor: "pod/default/p1", from: 10 })
      assert.ok(header.events! > 5 && header.events! < 60)
      assert.equal((yield* verifyIncident(path)).chain, "whole")
      const again = `${path}.2`
      const rows = Stream.map(
        readIncident(path),
        (entry): JournalRow => ({
          sequence: Result.getOrThrow(entry.event).sequence,
          line: entry.line,
          hash: entry.hash!,
          ...(entry.previousHash === undefined ? {} : { previousHash: entry.previousHash })
        })
      )
      yield* writeIncident(again, origin, rows)
      assert.equal(
        readFileSync(again, "utf8").split("\n").slice(1).join(),
        readFileSync(path, "utf8").split("\n").slice(1).join()
      )
    })
  )

  liveTest(
    "of no events is whole",
    Effect.gen(function* () {
      const { path } = yield* written(3, { actor: "pod/default/none" })
      const report = yield* verifyIncident(path)
      assert.deepEqual([report.chain, report.events, report.lastSequence], ["whole", 0, 0])
    })
  )

  liveTest(
    "is not written over another unless that is asked for, and a failed export leaves nothing",
    Effect.gen(function* () {
      const { path, rows } = yield* written(3)
      const before = readFileSync(path, "utf8")
      const error = yield* Effect.flip(writeIncident(path, origin, Stream.fromIterable(rows)))
      assert.equal(error.reason, "Exists")
      const lost = new JournalError({ reason: "InputOutput", path: "j", message: "gone" })
      const failing = Stream.concat(Stream.fromIterable(rows), Stream.fail(lost))
      assert.equal(yield* Effect.flip(writeIncident(path, origin, failing, { overwrite: true })), lost)
      assert.equal(readFileSync(path, "utf8"), before)
      assert.equal(existsSync(`${path}.part`), false)
      const shuffled = Stream.fromIterable([...rows].reverse())
      const refused = yield* Effect.flip(writeIncident(path, origin, shuffled, { overwrite: true }))
      assert.ok("reason" in refused && refused.reason === "RowOutOfOrder")
      yield* writeIncident(path, origin, Stream.fromIterable(rows), { overwrite: true })
      assert.equal((yield* verifyIncident(path)).chain, "whole")
    })
  )

  liveTest(
    "longer than many pieces is read in bounded pieces, each line once",
    Effect.gen(function* () {
      const path = join(yield* temporaryDirectory, "long.ndjson")
      const { journal } = yield* makeMemoryJournal({ node: "n1" })
      const drafts = Array.from({ length: 400 }, (_, i) =>
        sampleDraft(i + 1, { text: "ä".repeat(1 + ((i * 7919) % 30_000)) })
      )
      for (const draft of drafts) yield* journal.append([draft])
      yield* writeIncident(path, origin, journal.read({}))
      assert.ok(statSync(path).size > 5 * 1024 * 1024)
      const rows = yield* Stream.runCollect(journal.read({}))
      const entries = yield* entriesOf(path)
      assert.deepEqual(
        entries.map((entry) => entry.line),
        rows.map((row) => row.line)
      )
      assert.equal((yield* verifyIncident(path)).chain, "whole")
    }),
    { timeout: 60_000 }
  )
})

describe("verification of an incident file", () => {
  liveTest(
    "finds a change of any byte of any event, and names its line",
    Effect.gen(function* () {
      const { path } = yield* written(3)
      const good = readFileSync(path)
      let line = 1
      for (let at = 0; at < good.length - 1; at++) {
        if (good[at] === 10) line++
        if (line === 1) continue
        const bad = Buffer.from(good)
        bad[at] = good[at]! ^ (1 << (at % 8))
        writeFileSync(path, bad)
        const { broken } = yield* verifyIncident(path)
        // A flipped line feed joins a line with the next.
        assert.ok(
          broken !== undefined && Math.abs(broken.line - line) <= (good[at] === 10 ? 1 : 0),
          `byte ${at}: ${JSON.stringify(broken)}`
        )
      }
    }),
    { timeout: 60_000 }
  )

  liveTest(
    "finds a cut at any byte behind the header",
    Effect.gen(function* () {
      const { path } = yield* written(3)
      const good = readFileSync(path)
      // Without its last line feed it is whole still.
      for (let length = good.indexOf(10); length < good.length - 1; length++) {
        writeFileSync(path, good.subarray(0, length))
        assert.notEqual((yield* verifyIncident(path)).broken, undefined, `cut to ${length} bytes`)
      }
      writeFileSync(path, good.subarray(0, good.length - 1))
      assert.equal((yield* verifyIncident(path)).chain, "whole")
    }),
    { timeout: 60_000 }
  )

  const changes: ReadonlyArray<
    readonly [string, (l: ReadonlyArray<string>) => ReadonlyArray<string>, number, number | undefined]
  > = [
    ["the first event is removed", (l) => l.filter((_, i) => i !== 1), 2, 2],
    ["an event in the middle is removed", (l) => l.filter((_, i) => i !== 5), 6, 6],
    ["the last event is removed", (l) => l.slice(0, -1), 21, undefined],
    ["two events are swapped", (l) => [...l.slice(0, 5), l[6]!, l[5]!, ...l.slice(7)], 6, 6],
    ["an event stands twice", (l) => [...l.slice(0, 6), l[5]!, ...l.slice(6)], 7, 5],
    ["a line without a hash is put in", (l) => [...l.slice(0, 3), "{}", ...l.slice(3)], 4, undefined],
    ["the header is damaged", (l) => [l[0]!.replace("firstSequence", "x"), ...l.slice(1)], 1, undefined],
    ["the header is no JSON", (l) => [`x${l[0]}`, ...l.slice(1)], 2, 1]
  ]
  for (const [what, change, line, sequence] of changes)
    liveTest(
      `names the place where ${what}`,
      Effect.gen(function* () {
        const { path } = yield* written(20)
        edit(path, change)
        const { broken, chain } = yield* verifyIncident(path)
        assert.deepEqual([chain, broken?.line, broken?.sequence], ["broken", line, sequence], JSON.stringify(broken))
      })
    )

  liveTest(
    "finds an event missing from a slice whose lines each name their predecessor",
    Effect.gen(function* () {
      const { path } = yield* written(30, { actor: "pod/default/p2" })
      edit(path, (lines) => lines.filter((_, i) => i !== 4))
      assert.match((yield* verifyIncident(path)).broken?.problem ?? "", /header says 30 \(10 events\)/u)
    })
  )
})

describe("verification in a thread of its own", () => {
  liveTest(
    "answers what verification on this thread answers",
    Effect.gen(function* () {
      const { path } = yield* written(20)
      assert.deepEqual(yield* verifyBeside(path), yield* verifyIncident(path))
      edit(path, (lines) => lines.filter((_, i) => i !== 5))
      const report = yield* verifyBeside(path)
      assert.deepEqual(report, yield* verifyIncident(path))
      assert.equal(report.broken?.line, 6)
    }),
    { timeout: 60_000 }
  )

  liveTest(
    "refuses with the same errors",
    Effect.gen(function* () {
      const path = join(yield* temporaryDirectory, "nowhere.ndjson")
      const error = yield* Effect.flip(verifyBeside(path))
      assert.deepEqual([error._tag, error.reason, error.path], ["IncidentError", "InputOutput", path])
    }),
    { timeout: 60_000 }
  )

  liveTest(
    "leaves reading without the chain to others",
    Effect.gen(function* () {
      const { path } = yield* written(20)
      edit(path, (lines) => lines.map((line) => line.replace("number 7.", "number 8.")))
      const unchecked = yield* Stream.runCollect(readIncident(path, { checkChain: false }))
      assert.ok(unchecked.every((entry) => entry.broken === undefined))
      assert.equal((yield* entriesOf(path)).find((entry) => entry.broken !== undefined)?.lineNumber, 8)
    })
  )
})

describe("reading what is not quite an incident", () => {
  liveTest(
    "plain CloudEvents are read and have no chain",
    Effect.gen(function* () {
      const { path, rows } = yield* written(5)
      putLines(
        path,
        rows.map((row) => row.line)
      )
      assert.equal(yield* readIncidentHeader(path), undefined)
      const entries = yield* entriesOf(path)
      assert.ok(entries.every((entry) => Result.isSuccess(entry.event) && entry.hash === undefined))
      const report = yield* verifyIncident(path)
      assert.deepEqual([report.chain, report.events, report.broken], ["none", 5, undefined])
    })
  )

  liveTest(
    "line ends of another system and empty lines are no harm",
    Effect.gen(function* () {
      const { path } = yield* written(5)
      writeFileSync(path, `${linesOf(path).join("\r\n\r\n")}\r\n`)
      const report = yield* verifyIncident(path)
      assert.deepEqual([report.chain, report.events], ["whole", 5])
    })
  )

  liveTest(
    "types that are not known are passed on raw",
    Effect.gen(function* () {
      const { path, rows } = yield* written(2)
      putLines(path, [rows[0]!.line.replace(/dev\.chronode\.\w+\.v1/u, "dev.chronode.FromTheFuture.v9"), rows[1]!.line])
      const [first] = yield* entriesOf(path)
      const { event } = Result.getOrThrow(first!.event)
      assert.ok(event._tag === "Unknown" && event.type === "dev.chronode.FromTheFuture.v9")
    })
  )

  liveTest(
    "a line that is no event is told with its number, and the rest is read",
    Effect.gen(function* () {
      const { path } = yield* written(3)
      edit(path, (lines) => [...lines.slice(0, 2), "{ not json", ...lines.slice(2)])
      const entries = yield* entriesOf(path)
      assert.deepEqual(
        entries.map((e) => [e.lineNumber, e.event._tag]),
        [
          [2, "Success"],
          [3, "Failure"],
          [4, "Success"],
          [5, "Success"]
        ]
      )
      assert.equal(entries.find((entry) => entry.broken !== undefined)?.lineNumber, 3)
      assert.equal((yield* verifyIncident(path)).broken?.line, 3)
    })
  )

  const refused: ReadonlyArray<readonly [string, (good: Buffer) => string | Buffer, string, RegExp]> = [
    [
      "a newer format",
      (g) => g.toString().replace('"formatVersion":2', '"formatVersion":7'),
      "NewerVersion",
      /format 7.*newer/u
    ],
    ["a newer header", (g) => g.toString().replace("Exported.v2", "Exported.v3"), "NewerVersion", /format 3/u],
    ["an empty file", () => "", "NotIncident", /is empty/u],
    ["a compressed file", (g) => gzipSync(g), "NotIncident", /gzip/u],
    ["a database", () => `SQLite format 3\0${"x".repeat(99)}`, "NotIncident", /journal/u],
    ["a text that holds no event", () => "hello\nworld\n", "NotIncident", /line 1.*chronode export/u],
    ["a line that is longer than any event", (g) => `${g}${"x".repeat(3_000_000)}`, "LineTooLong", /:5: .*head -n 4/u]
  ]
  for (const [what, make, reason, message] of refused)
    liveTest(
      `${what} is refused with a reason`,
      Effect.gen(function* () {
        const { path } = yield* written(3)
        writeFileSync(path, make(readFileSync(path)))
        const error = yield* Effect.flip(entriesOf(path))
        assert.equal(error.reason, reason)
        assert.match(error.message, message)
        assert.match(error.message, /incident\.ndjson/u)
        assert.equal((yield* Effect.flip(Stream.runDrain(readIncident(path)))).reason, reason)
      })
    )

  liveTest(
    "a file that is not there is told",
    Effect.gen(function* () {
      const path = join(yield* temporaryDirectory, "nowhere.ndjson")
      assert.equal((yield* Effect.flip(verifyIncident(path))).reason, "InputOutput")
      assert.match((yield* Effect.flip(readIncidentHeader(path))).message, /nowhere\.ndjson cannot be read/u)
    })
  )
})
