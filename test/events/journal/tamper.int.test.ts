import assert from "node:assert/strict"
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { describe } from "node:test"
import { Effect, Result } from "effect"
import { genesisHash, makeChain } from "../../../src/events/journal/chain.ts"
import { makeSqliteJournal } from "../../../src/events/journal/sqlite.ts"
import { openJournalReadOnly } from "../../../src/events/journal/sqlite-readonly.ts"
import { migrations, schemaVersion } from "../../../src/events/journal/sqlite-schema.ts"
import { liveTest } from "../../support/effect.ts"
import { seededRandom } from "../../support/random.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { rowsOf } from "./journal-contract.ts"
import { sampleDraft, sampleDrafts, sampleNodeDraft } from "./sample.ts"

const options = { timeout: 120_000 }
const open = (path: string) => makeSqliteJournal({ path, node: "n1", reserveBytes: 0, lowBytes: 0 })
const verifyAt = (path: string) => Effect.scoped(Effect.flatMap(openJournalReadOnly(path), (journal) => journal.verify))

/** A closed journal of ten events. */
const closedJournal = Effect.gen(function* () {
  const path = join(yield* temporaryDirectory, "journal.db")
  yield* Effect.scoped(
    Effect.flatMap(open(path), (journal) =>
      journal.append([...sampleDrafts(1, 8), sampleNodeDraft(9), sampleDraft(10)])
    )
  )
  return path
})
const alter = (path: string, ...statements: ReadonlyArray<string>): void => {
  const db = new DatabaseSync(path)
  for (const statement of statements) db.exec(statement)
  db.close()
}

describe("verification of a journal", () => {
  liveTest(
    "finds a change of any byte of a stored event and of its hash, and names its position",
    Effect.gen(function* () {
      const path = yield* closedJournal
      const db = new DatabaseSync(path)
      const row = db.prepare("SELECT CAST(line AS BLOB) AS line, hash FROM events WHERE sequence = 5").get() as {
        readonly line: Uint8Array
        readonly hash: string
      }
      const put = db.prepare("UPDATE events SET line = CAST(? AS TEXT), hash = ? WHERE sequence = 5")
      const reader = yield* openJournalReadOnly(path)
      for (let at = 0; at < row.line.length; at++) {
        const bad = Uint8Array.from(row.line)
        bad[at] = bad[at]! ^ (1 << (at % 8))
        put.run(bad, row.hash)
        assert.equal((yield* reader.verify).broken?.sequence, 5, `byte ${at}`)
      }
      for (let at = 0; at < row.hash.length; at++) {
        put.run(row.line, `${row.hash.slice(0, at)}${row.hash[at] === "0" ? "1" : "0"}${row.hash.slice(at + 1)}`)
        assert.equal((yield* reader.verify).broken?.sequence, 5, `hash digit ${at}`)
      }
      put.run(row.line, row.hash)
      assert.equal((yield* reader.verify).broken, undefined)
      db.close()
    }),
    options
  )

  const tamperings: ReadonlyArray<readonly [string, string, number]> = [
    ["the first row is deleted", "DELETE FROM events WHERE sequence = 1", 1],
    ["a row in the middle is deleted", "DELETE FROM events WHERE sequence = 6", 6],
    ["the last row is deleted", "DELETE FROM events WHERE sequence = 10", 10],
    ["all rows are deleted", "DELETE FROM events", 1],
    [
      "the events of two rows are swapped",
      `UPDATE events SET line = (SELECT line FROM events o WHERE o.sequence = 7 - events.sequence)
       WHERE sequence IN (3, 4)`,
      3
    ],
    [
      "two rows are swapped whole",
      `UPDATE events SET sequence = -sequence WHERE sequence IN (3, 4);
       UPDATE events SET sequence = 7 + sequence WHERE sequence < 0`,
      3
    ],
    [
      "a row is put in before the first",
      `INSERT INTO events SELECT 0, 'x', time, type, actor, correlation, hash, line
       FROM events WHERE sequence = 1`,
      0
    ],
    [
      "a row is put in behind the last",
      `INSERT INTO events SELECT 11, 'x', time, type, actor, correlation, hash, line
       FROM events WHERE sequence = 10`,
      11
    ],
    ["an id is changed", "UPDATE events SET id = 'other' WHERE sequence = 4", 4],
    ["a time is changed", "UPDATE events SET time = time + 1 WHERE sequence = 4", 4],
    [
      "a type is changed",
      "UPDATE events SET type = (SELECT type FROM events WHERE sequence = 9) WHERE sequence = 4",
      4
    ],
    [
      "an actor is changed",
      "UPDATE events SET actor = (SELECT actor FROM events WHERE sequence = 9) WHERE sequence = 4",
      4
    ],
    ["a correlation is removed", "UPDATE events SET correlation = NULL WHERE sequence = 4", 4],
    ["a name is changed", "UPDATE names SET name = 'pod/default/other' WHERE name = 'pod/default/web'", 1],
    ["the head's hash is changed", `UPDATE log SET head_hash = '${genesisHash}'`, 10],
    [
      "the head is set back",
      "UPDATE log SET head_sequence = 9, head_hash = (SELECT hash FROM events WHERE sequence = 9)",
      10
    ]
  ]
  for (const [what, statement, sequence] of tamperings)
    liveTest(
      `names the position where ${what}`,
      Effect.gen(function* () {
        const path = yield* closedJournal
        alter(path, statement)
        const { broken } = yield* verifyAt(path)
        assert.equal(broken?.sequence, sequence, JSON.stringify(broken))
      }),
      options
    )

  /** Pruning brings the indexes up to date, so that rows 3 to 10 are in all of them. */
  const indexedJournal = Effect.gen(function* () {
    const path = yield* closedJournal
    yield* Effect.scoped(Effect.flatMap(open(path), (journal) => journal.prune(2)))
    return path
  })
  const unindexings: ReadonlyArray<readonly [string, string, number]> = [
    ...["time", "type", "actor", "correlation"].flatMap(
      (column): ReadonlyArray<readonly [string, string, number]> => [
        [`the index by ${column} lacks a row`, `DELETE FROM by_${column} WHERE sequence = 6`, 6],
        [`the index by ${column} lacks the first row`, `DELETE FROM by_${column} WHERE sequence = 3`, 3],
        [`the index by ${column} has a row elsewhere`, `UPDATE by_${column} SET ${column} = 77 WHERE sequence = 10`, 10]
      ]
    ),
    ["rows are said to be indexed and are not", "DELETE FROM by_time; DELETE FROM by_actor", 3],
    ["an index lacks a row before a row that is gone", "DELETE FROM by_type; DELETE FROM events WHERE sequence = 5", 3],
    ["the indexes are said to reach beyond the head", "UPDATE log SET indexed_sequence = 12", 11]
  ]
  for (const [what, statement, sequence] of unindexings)
    liveTest(
      `names the position where ${what}`,
      Effect.gen(function* () {
        const path = yield* indexedJournal
        assert.equal((yield* verifyAt(path)).broken, undefined)
        alter(path, statement)
        const { broken } = yield* verifyAt(path)
        assert.equal(broken?.sequence, sequence, JSON.stringify(broken))
        assert.match(broken?.problem ?? "", /index/u)
      }),
      options
    )

  liveTest(
    "finds a byte changed anywhere in the file that changes what an event says, and never crashes",
    Effect.gen(function* () {
      const random = seededRandom("journal bytes")
      const path = yield* closedJournal
      const good = readFileSync(path)
      const line = (yield* Effect.scoped(
        Effect.flatMap(openJournalReadOnly(path), (j) => rowsOf(j, { from: 7, to: 7 }))
      ))[0]!
      const begin = good.indexOf(line.line)
      const places = [
        ...Array.from({ length: 60 }, () => [begin + random.int(0, line.line.length - 1), true] as const),
        ...Array.from({ length: 120 }, () => [random.int(0, good.length - 1), false] as const)
      ]
      for (const [at, inEvent] of places) {
        const file = openSync(path, "r+")
        writeSync(file, Uint8Array.of(good[at]! ^ random.int(1, 255)), 0, 1, at)
        closeSync(file)
        const result = yield* Effect.result(verifyAt(path))
        if (inEvent) assert.ok(Result.isSuccess(result) && result.success.broken?.sequence === 7, `byte ${at}`)
        if (Result.isFailure(result)) assert.match(result.failure.message, /journal\.db/u)
        writeFileSync(path, good)
      }
    }),
    options
  )
})

describe("a damaged journal", () => {
  liveTest(
    "that was cut off is refused as corrupt, with what to do, wherever it was cut",
    Effect.gen(function* () {
      const random = seededRandom("journal cuts")
      const path = yield* closedJournal
      const good = readFileSync(path)
      for (const size of [
        0,
        1,
        99,
        100,
        4096,
        good.length - 4096,
        ...Array.from({ length: 6 }, () => random.int(1, good.length - 1))
      ]) {
        truncateSync(path, size)
        const error = yield* Effect.flip(Effect.scoped(open(path)))
        assert.equal(error.reason, "Corrupt", `cut to ${size}: ${error.message}`)
        assert.match(error.message, /journal\.db/u)
        writeFileSync(path, good)
      }
      assert.equal((yield* verifyAt(path)).broken, undefined)
    }),
    options
  )

  liveTest(
    "whose last row is gone is refused, and one that is something else is told apart",
    Effect.gen(function* () {
      const path = yield* closedJournal
      alter(path, "DELETE FROM events WHERE sequence = 10")
      assert.match((yield* Effect.flip(Effect.scoped(open(path)))).message, /last row is 9, its head says 10.*verify/u)
      for (const content of ["no database at all".repeat(500), readFileSync(path).fill(0, 0, 100)]) {
        writeFileSync(path, content)
        assert.equal((yield* Effect.flip(Effect.scoped(open(path)))).reason, "Corrupt")
        assert.equal((yield* Effect.flip(Effect.scoped(openJournalReadOnly(path)))).reason, "Corrupt")
      }
      const other = join(yield* temporaryDirectory, "other.db")
      alter(other, "CREATE TABLE t (a)")
      const error = yield* Effect.flip(Effect.scoped(open(other)))
      assert.equal(error.reason, "Corrupt")
      assert.match(error.message, /no Chronode journal/u)
    }),
    options
  )

  liveTest(
    "whose database is missing but not its write-ahead file is not begun anew",
    Effect.gen(function* () {
      const path = join(yield* temporaryDirectory, "journal.db")
      writeFileSync(`${path}-wal`, "something")
      const error = yield* Effect.flip(Effect.scoped(open(path)))
      assert.equal(error.reason, "Corrupt")
      assert.match(error.message, /-wal is there/u)
    }),
    options
  )
})

describe("the journal's version", () => {
  liveTest(
    "of an older journal is raised, and nothing of its events changes",
    Effect.gen(function* () {
      const path = join(yield* temporaryDirectory, "journal.db")
      const donor = yield* closedJournal
      const rows = yield* Effect.scoped(Effect.flatMap(openJournalReadOnly(donor), (j) => rowsOf(j)))
      const chain = makeChain()
      for (const row of rows) assert.equal(chain.next(row.line), row.hash)
      // By hand: what version 1 looked like, before there were notes.
      alter(
        path,
        migrations[0]!,
        "PRAGMA application_id = 1128813134; PRAGMA user_version = 1",
        `ATTACH '${donor}' AS donor`,
        "INSERT INTO names SELECT * FROM donor.names",
        "INSERT INTO events SELECT * FROM donor.events",
        "UPDATE log SET head_sequence = 10, head_hash = (SELECT hash FROM events WHERE sequence = 10)"
      )
      const reader = yield* openJournalReadOnly(path)
      assert.equal(yield* reader.note("cursor"), undefined)
      assert.deepEqual(yield* rowsOf(reader), rows)
      const journal = yield* open(path)
      yield* journal.setNote("cursor", "3")
      assert.equal(yield* journal.note("cursor"), "3")
      assert.deepEqual(yield* rowsOf(journal), rows)
      assert.equal((yield* rowsOf(journal, { types: ["NodeStopped"] })).length, 1)
      assert.equal((yield* journal.append([sampleDraft(11)]))[0]?.sequence, 11)
      assert.equal((yield* journal.verify).broken, undefined)
    }),
    options
  )

  liveTest(
    "of a newer journal is refused by writers and readers, and the file is left as it is",
    Effect.gen(function* () {
      const path = yield* closedJournal
      alter(path, `PRAGMA user_version = ${schemaVersion + 1}`)
      const before = statSync(path).mtimeMs
      for (const attempt of [open(path), openJournalReadOnly(path)]) {
        const error = yield* Effect.flip(Effect.scoped(attempt))
        assert.equal(error.reason, "NewerVersion")
        assert.match(
          error.message,
          new RegExp(`journal version ${schemaVersion + 1}, this program knows ${schemaVersion}`, "u")
        )
      }
      assert.equal(statSync(path).mtimeMs, before)
    }),
    options
  )
})
