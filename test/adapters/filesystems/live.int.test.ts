/** The live adapter on the machine's own file systems; as root it also mounts a tmpfs. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { linkSync, lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import process from "node:process"
import { describe, it } from "node:test"
import { Effect, Fiber } from "effect"
import { deviceName, makeFileSystems } from "../../../src/adapters/filesystems/live.ts"
import { makePace } from "../../../src/adapters/filesystems/walk.ts"
import { temporaryDirectory } from "../../support/temporary-directory.ts"
import { fileSystemsContract } from "./filesystems-contract.ts"

const mountTmpfs = (path: string) =>
  Effect.acquireRelease(
    Effect.sync(() => execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path])),
    () => Effect.sync(() => execFileSync("umount", [path]))
  ).pipe(Effect.asVoid)

fileSystemsContract(
  "the live file systems",
  Effect.gen(function* () {
    const root = yield* temporaryDirectory
    mkdirSync(`${root}.probe`)
    const directoryBytes = lstatSync(`${root}.probe`).blocks * 512
    execFileSync("rmdir", [`${root}.probe`])
    return {
      files: makeFileSystems(),
      root,
      makeDirectory: (path) => Effect.sync(() => mkdirSync(path)),
      // Not zeros: a file system that compresses would keep nothing of them.
      writeFile: (path, bytes) =>
        Effect.sync(() => {
          writeFileSync(path, randomBytes(bytes))
          execFileSync("sync", [path])
        }),
      link: (path, name) => Effect.sync(() => linkSync(path, name)),
      mount: process.getuid?.() === 0 ? mountTmpfs : undefined,
      directoryBytes
    }
  })
)

/** A tree of so many files, 100 in a directory. */
const tree = (root: string, count: number): void => {
  for (let directory = 0; directory < count / 100; directory++) {
    mkdirSync(`${root}/${directory}`)
    for (let file = 0; file < 100; file++) writeFileSync(`${root}/${directory}/${file}`, "")
  }
}

/** In memory, where many files are made in no time. */
const directoryInMemory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync("/dev/shm/walks-")),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)
const inDirectory = (use: (root: string) => Effect.Effect<void, unknown>) =>
  Effect.runPromise(Effect.scoped(Effect.flatMap(directoryInMemory, use)))

describe("walks", () => {
  it("keep to so many entries a second, all of them together", () =>
    inDirectory((root) =>
      Effect.gen(function* () {
        tree(root, 3_000)
        const files = makeFileSystems({ entriesPerSecond: 3_000, maxEntries: 1_000_000 })
        const began = performance.now()
        const parts = yield* Effect.forEach(
          Array.from({ length: 30 }, (_, part) => `${root}/${part}`),
          (path) => files.directory(path),
          { concurrency: 30 }
        )
        const seconds = (performance.now() - began) / 1000
        assert.equal(
          parts.reduce((sum, { inodes }) => sum + inodes, 0),
          3_030
        )
        // The first tenth is let through at once.
        assert.ok(seconds > 0.85 && seconds < 5, `took ${seconds} s`)
      })
    ))

  it("end where a tree has more entries than are looked at, and say so", () =>
    inDirectory((root) =>
      Effect.gen(function* () {
        tree(root, 400)
        const files = makeFileSystems({ entriesPerSecond: 100_000, maxEntries: 100 })
        const usage = yield* files.directory(root)
        assert.deepEqual([usage.truncated, usage.inodes], [true, 101])
      })
    ))

  it("let others run meanwhile", () =>
    inDirectory((root) =>
      Effect.gen(function* () {
        tree(root, 8_000)
        mkdirSync(`${root}/flat`)
        for (let file = 0; file < 10_000; file++) writeFileSync(`${root}/flat/a-file-whose-name-is-long-${file}`, "")
        const files = makeFileSystems({ entriesPerSecond: 1_000_000, maxEntries: 1_000_000 })
        // The thread is there from now on.
        assert.equal((yield* files.directory(`${root}/flat`)).inodes, 10_001)
        const walking = yield* Effect.forkChild(files.directory(root))
        const gaps: Array<number> = []
        for (let last = performance.now(); walking.pollUnsafe() === undefined; ) {
          yield* Effect.sleep(1)
          const now = performance.now()
          gaps.push(now - last)
          last = now
        }
        assert.equal((yield* Fiber.join(walking)).inodes, 18_082)
        const [longest = 0] = gaps.sort((a, b) => b - a)
        assert.ok(gaps.length > 2 && longest < 100, `${gaps.length} turns, the longest ${longest} ms`)
      })
    ))

  it("tell what is wrong with a tree that vanishes while its turn comes", () =>
    inDirectory((root) =>
      Effect.gen(function* () {
        tree(root, 3_000)
        const files = makeFileSystems({ entriesPerSecond: 3_000, maxEntries: 1_000_000 })
        const [whole, gone] = yield* Effect.all(
          [
            files.directory(root),
            Effect.flip(
              Effect.suspend(() => {
                const asked = files.directory(`${root}/7`)
                return Effect.andThen(
                  Effect.sync(() => rmSync(`${root}/7`, { recursive: true })),
                  asked
                )
              })
            )
          ],
          { concurrency: 2 }
        )
        assert.equal(gone.reason, "NotFound")
        assert.ok(whole.inodes >= 1)
      })
    ))

  it("fill the bucket of the pace no further than a tenth of a second", () => {
    let now = 0
    const pace = makePace(1_000, () => now)
    const taken = () => {
      let count = 0
      while (pace.take() === 0) count++
      return count
    }
    assert.equal(taken(), 100)
    now += 10
    assert.equal(taken(), 10)
    now += 60_000
    assert.equal(taken(), 100)
  })
})

describe("names of devices", () => {
  it("are those that the kernel uses", () => {
    const { dev } = statSync("/proc/self")
    assert.match(deviceName(dev), /^0:\d+$/)
    assert.equal(deviceName(0x803), "8:3")
    assert.equal(deviceName(0x10300), "259:0")
  })
})
