import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs"
import { join } from "node:path"
import { describe } from "node:test"
import { Duration, Effect, Fiber, Stream } from "effect"
import type { Journal, SpaceReport } from "../../../src/events/journal/port.ts"
import { makeSqliteJournal } from "../../../src/events/journal/sqlite.ts"
import { liveTest } from "../../support/effect.ts"
import { requires } from "../../support/requires.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { sampleDraft } from "./sample.ts"

const mebibyte = 1024 * 1024
const diskBytes = 16 * mebibyte
const reserveBytes = 4 * mebibyte
const lowBytes = 2 * mebibyte

/** A disk of 16 MiB. */
const smallDisk = Effect.acquireRelease(
  Effect.map(temporaryDirectory, (directory) => {
    const disk = join(directory, "disk")
    mkdirSync(disk)
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${diskBytes}`, "tmpfs", disk])
    return disk
  }),
  (disk) => Effect.sync(() => execFileSync("umount", ["-l", disk]))
)

/** Fills the disk to the last byte with another program's file. */
const fill = (path: string): void => {
  const file = openSync(path, "a")
  try {
    for (let block = mebibyte; block >= 1; ) {
      try {
        if (writeSync(file, new Uint8Array(block)) < block) block = Math.floor(block / 2)
      } catch (error) {
        if ((error as { code?: string }).code !== "ENOSPC") throw error
        block = Math.floor(block / 2)
      }
    }
    assert.ok(fstatSync(file).size >= 0)
  } finally {
    closeSync(file)
  }
}

const stateOf = (journal: Journal["Service"], state: SpaceReport["state"]) =>
  journal.spaceChanges.pipe(
    Stream.filter((report) => report.state === state),
    Stream.take(1),
    Stream.runDrain,
    Effect.timeout("20 seconds")
  )

describe("a journal on a full disk", () => {
  liveTest(
    "records in its reserve, then waits, drops nothing, and goes on when room returns",
    Effect.gen(function* () {
      const disk = yield* smallDisk
      const path = join(disk, "journal", "journal.db")
      const journal = yield* makeSqliteJournal({
        path,
        node: "n1",
        reserveBytes,
        lowBytes,
        spaceCheckPeriod: Duration.millis(100),
        fullRetryPeriod: Duration.millis(100)
      })
      assert.equal((yield* journal.space).state, "ok")
      assert.ok(existsSync(`${path}.reserve`))
      yield* journal.append([sampleDraft(1)])

      const ballast = join(disk, "ballast")
      fill(ballast)
      yield* stateOf(journal, "low")
      // What the node has to say of it finds room, by way of the reserve once the WAL has to grow.
      let next = 2
      const text = "x".repeat(50_000)
      const waiting = yield* Effect.gen(function* () {
        while (true) {
          const append = yield* Effect.forkChild(journal.append([sampleDraft(next++, { text })]), {
            startImmediately: true
          })
          const done = yield* Effect.timeoutOption(Fiber.await(append), "1 second")
          if (done._tag === "None") return append
        }
      })
      yield* stateOf(journal, "full")
      assert.equal(existsSync(`${path}.reserve`), false)
      const acknowledged = (yield* journal.head).sequence
      assert.ok(acknowledged > 20, `only ${acknowledged} events fitted into the reserve`)
      const behind = yield* Effect.forkChild(journal.append([sampleDraft(9000)]), { startImmediately: true })
      yield* Effect.sleep("300 millis")
      assert.deepEqual([waiting.pollUnsafe(), behind.pollUnsafe()], [undefined, undefined])
      assert.equal((yield* journal.head).sequence, acknowledged)
      assert.equal((yield* journal.verify).broken, undefined)

      rmSync(ballast)
      assert.equal((yield* Fiber.join(waiting))[0]?.sequence, acknowledged + 1)
      assert.equal((yield* Fiber.join(behind))[0]?.sequence, acknowledged + 2)
      // The log itself took much of the disk: dropping its beginning makes room for the reserve again.
      yield* journal.prune(acknowledged)
      yield* stateOf(journal, "ok")
      assert.ok(existsSync(`${path}.reserve`))
      const report = yield* journal.verify
      assert.deepEqual([report.broken, report.head.sequence], [undefined, acknowledged + 2])
    }),
    { timeout: 120_000, ...requires("root", "mounts") }
  )

  liveTest(
    "says low when free space falls below the minimum, and ok when it is back",
    Effect.gen(function* () {
      const disk = yield* smallDisk
      const journal = yield* makeSqliteJournal({
        path: join(disk, "journal.db"),
        node: "n1",
        reserveBytes: mebibyte,
        lowBytes: 6 * mebibyte,
        spaceCheckPeriod: Duration.millis(100)
      })
      assert.equal((yield* journal.space).state, "ok")
      const ballast = join(disk, "ballast")
      const file = openSync(ballast, "w")
      writeSync(file, new Uint8Array(11 * mebibyte))
      closeSync(file)
      yield* stateOf(journal, "low")
      assert.ok((yield* journal.space).freeBytes < 6 * mebibyte)
      assert.equal((yield* journal.append([sampleDraft(1)]))[0]?.sequence, 1)
      rmSync(ballast)
      yield* stateOf(journal, "ok")
    }),
    { timeout: 60_000, ...requires("root", "mounts") }
  )

  liveTest(
    "can be opened by way of its reserve, and is still one owner's; without one it says what is wrong",
    Effect.gen(function* () {
      const disk = yield* smallDisk
      const settings = { path: join(disk, "journal.db"), node: "n1", reserveBytes: mebibyte, lowBytes: 0 }
      yield* Effect.scoped(Effect.flatMap(makeSqliteJournal(settings), (journal) => journal.append([sampleDraft(1)])))
      fill(join(disk, "ballast"))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const journal = yield* makeSqliteJournal(settings)
          assert.equal((yield* journal.space).state, "low")
          assert.equal((yield* journal.append([sampleDraft(2)]))[0]?.sequence, 2)
          assert.equal((yield* journal.verify).broken, undefined)
          assert.equal((yield* Effect.flip(Effect.scoped(makeSqliteJournal(settings)))).reason, "Locked")
        })
      )
      assert.equal(existsSync(`${settings.path}.reserve`), false)
      fill(join(disk, "ballast"))
      for (const path of [settings.path, join(disk, "new", "journal.db")]) {
        const error = yield* Effect.flip(Effect.scoped(makeSqliteJournal({ ...settings, path })))
        assert.deepEqual([error.reason, error.message.includes("full")], ["InputOutput", true], error.message)
      }
      rmSync(join(disk, "ballast"))
      const journal = yield* makeSqliteJournal(settings)
      assert.equal((yield* journal.head).sequence, 2)
      assert.equal((yield* journal.space).state, "ok")
    }),
    { timeout: 60_000, ...requires("root", "mounts") }
  )

  liveTest(
    "can be closed while appends wait for room, and says of them that they were not stored",
    Effect.gen(function* () {
      const disk = yield* smallDisk
      const path = join(disk, "journal.db")
      const settings = { path, node: "n1", reserveBytes: 0, lowBytes: 0, fullRetryPeriod: Duration.millis(100) }
      const stored = yield* Effect.scoped(
        Effect.gen(function* () {
          const journal = yield* makeSqliteJournal({ ...settings, closeTimeout: Duration.millis(500) })
          yield* journal.append([sampleDraft(1)])
          fill(join(disk, "ballast"))
          const appends = yield* Effect.forEach(Array.from({ length: 300 }), (_, i) =>
            Effect.forkDetach(Effect.result(journal.append([sampleDraft(10 + i, { text: "y".repeat(40_000) })])))
          )
          yield* stateOf(journal, "full")
          return appends
        })
      )
      const results = yield* Fiber.joinAll(stored)
      const refused = results.filter((result) => result._tag === "Failure")
      assert.ok(refused.length > 0 && refused.every((result) => result.failure.reason === "Closed"))
      rmSync(join(disk, "ballast"))
      const journal = yield* makeSqliteJournal(settings)
      assert.equal((yield* journal.head).sequence, 1 + results.length - refused.length)
      assert.equal((yield* journal.verify).broken, undefined)
    }),
    { timeout: 60_000, ...requires("root", "mounts") }
  )
})
