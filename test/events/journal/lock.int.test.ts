import assert from "node:assert/strict"
import { chmodSync, existsSync, mkdirSync, statSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { describe } from "node:test"
import { Effect } from "effect"
import { makeSqliteJournal } from "../../../src/events/journal/sqlite.ts"
import { openJournalReadOnly } from "../../../src/events/journal/sqlite-readonly.ts"
import { eventually } from "../../support/agent.ts"
import { liveTest } from "../../support/effect.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { startChild } from "./child.ts"
import { rowsOf } from "./journal-contract.ts"
import { sampleDraft, sampleDrafts } from "./sample.ts"

const pathIn = Effect.map(temporaryDirectory, (directory) => join(directory, "journal", "journal.db"))
const open = (path: string) => makeSqliteJournal({ path, node: "n1", reserveBytes: 64 * 1024, lowBytes: 0 })
const options = { timeout: 60_000 }

describe("one journal has one owner", () => {
  liveTest(
    "another process is refused and told who holds it, until that one dies",
    Effect.gen(function* () {
      const path = yield* pathIn
      const child = yield* startChild("appending-child.ts", [path, "1"])
      yield* Effect.promise(() =>
        eventually("the child's journal", () => child.output().startsWith("open\n") || undefined)
      )
      const error = yield* Effect.flip(Effect.scoped(open(path)))
      assert.equal(error.reason, "Locked")
      assert.match(error.message, new RegExp(`process ${child.process.pid} .*stop that one first`, "u"))
      child.process.kill("SIGKILL")
      yield* Effect.promise(() => child.exited)
      const journal = yield* open(path)
      assert.equal((yield* journal.verify).broken, undefined)
    }),
    options
  )

  liveTest(
    "the same process cannot open it twice, and can again when it is closed",
    Effect.gen(function* () {
      const path = yield* pathIn
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* open(path)
          const error = yield* Effect.flip(Effect.scoped(open(path)))
          assert.equal(error.reason, "Locked")
          assert.match(error.message, new RegExp(`process ${process.pid} `, "u"))
          // The refusal must not have taken the lock away from its owner.
          assert.equal((yield* Effect.flip(Effect.scoped(open(path)))).reason, "Locked")
        })
      )
      yield* open(path)
    }),
    options
  )

  liveTest(
    "readers need no lock and see each commit, also those of another process",
    Effect.gen(function* () {
      const path = yield* pathIn
      const child = yield* startChild("appending-child.ts", [path, "1"])
      yield* Effect.promise(() => eventually("some events", () => child.output().split("\n").length > 50 || undefined))
      const reader = yield* openJournalReadOnly(path)
      assert.equal(reader.node, "n1")
      const seen = (yield* reader.head).sequence
      assert.ok(seen > 0)
      yield* Effect.promise(() =>
        eventually("more events", async () => (await Effect.runPromise(reader.head)).sequence > seen || undefined)
      )
      assert.equal((yield* reader.verify).broken, undefined)
      assert.equal((yield* rowsOf(reader, { to: seen })).length, seen)
    }),
    options
  )
})

describe("a journal that is opened for reading only", () => {
  liveTest(
    "is what was written, after its owner closed it",
    Effect.gen(function* () {
      const path = yield* pathIn
      yield* Effect.scoped(
        Effect.gen(function* () {
          const journal = yield* open(path)
          yield* journal.append(sampleDrafts(1, 3000))
          yield* journal.setNote("cursor", "7")
          yield* journal.prune(10)
        })
      )
      assert.equal(existsSync(`${path}-wal`), false)
      const reader = yield* openJournalReadOnly(path)
      assert.deepEqual((yield* reader.verify).broken, undefined)
      assert.equal((yield* rowsOf(reader, { actor: "pod/default/web" })).length, 2990)
      assert.equal(yield* reader.note("cursor"), "7")
      assert.equal((yield* reader.size).first, 11)
    }),
    options
  )

  liveTest(
    "is told to be missing where there is none, and not made",
    Effect.gen(function* () {
      const path = yield* pathIn
      const error = yield* Effect.flip(Effect.scoped(openJournalReadOnly(path)))
      assert.equal(error.reason, "InputOutput")
      assert.match(error.message, /no journal at .*journal\.db/u)
      assert.equal(existsSync(path), false)
    })
  )
})

describe("the journal's files", () => {
  liveTest(
    "are for their owner only, and so is a directory that had to be made",
    Effect.gen(function* () {
      const path = yield* pathIn
      const journal = yield* open(path)
      yield* journal.append([sampleDraft(1)])
      assert.equal(statSync(join(path, "..")).mode & 0o777, 0o700)
      for (const suffix of ["", "-wal", "-shm", ".lock", ".owner", ".reserve"])
        assert.equal(statSync(`${path}${suffix}`).mode & 0o777, 0o600, suffix)
    }),
    options
  )

  liveTest(
    "are closed to others when they were open, and a directory that was there keeps its mode",
    Effect.gen(function* () {
      const path = yield* pathIn
      mkdirSync(join(path, ".."), { mode: 0o755 })
      yield* Effect.scoped(open(path))
      chmodSync(path, 0o644)
      yield* open(path)
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.equal(statSync(join(path, "..")).mode & 0o777, 0o755)
    }),
    options
  )
})
