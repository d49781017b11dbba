/** Sub paths on this host: the real mounts, and pods that try to lead them out of their volumes. */
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { Worker } from "node:worker_threads"
import { Effect, Result } from "effect"
import { make } from "../../../src/adapters/volumes/live.ts"
import { mountPoints } from "../../../src/adapters/volumes/mounts.ts"
import { requires } from "../../support/requires.ts"

const identity = (path: string): string => {
  const { dev, ino } = statSync(path)
  return `${dev}:${ino}`
}

/** Nothing where the directory was removed after it was bound. */
const namesIn = (directory: string): ReadonlyArray<string> => {
  try {
    return readdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
    throw error
  }
}

describe("a sub path of a volume", { concurrency: false }, () => {
  let root: string
  let volume: string
  let outside: string
  let volumes: ReturnType<typeof make>

  before(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), "chronode sub ")))
    volumes = make({ rootDir: join(root, "lib") })
    volume = join(root, "volume")
    outside = join(root, "outside")
    for (const directory of [volume, outside, join(volume, "a"), join(volume, "a/b")]) mkdirSync(directory)
    chmodSync(volume, 0o2775)
    writeFileSync(join(volume, "a/inside"), "of the volume")
    writeFileSync(join(outside, "secret"), "of the host")
  })
  after(async () => {
    for (const point of (await mountPoints()).filter((p) => p.startsWith(`${root}/`))) execFileSync("umount", [point])
    rmSync(root, { recursive: true, force: true })
  })

  const ask = (subPath: string, index = 0, container = "app") =>
    Effect.runPromise(
      Effect.result(
        volumes.mountSubPath({ podUid: "u-1", volume: "data", volumePath: volume, container, index, subPath })
      )
    )
  const mounted = async (subPath: string, index = 0, container = "app"): Promise<string> => {
    const result = await ask(subPath, index, container)
    if (Result.isFailure(result)) throw result.failure
    return result.success
  }
  const refused = async (subPath: string): Promise<string> => {
    const result = await ask(subPath)
    assert.ok(Result.isFailure(result), `${subPath} was mounted`)
    return `${result.failure.step}: ${result.failure.message}`
  }
  const clean = () => Effect.runPromise(volumes.unmount("u-1", "data"))
  const mountsOf = async () => (await mountPoints()).filter((p) => p.startsWith(join(root, "lib")))

  it(
    "is bound where only the agent reaches, is found again, and is gone after",
    requires("root", "mounts"),
    async () => {
      const target = await mounted("a")
      assert.equal(target, join(root, "lib/pods/u-1/volume-subpaths/data/app/0"))
      assert.equal(identity(target), identity(join(volume, "a")))
      assert.equal(await mounted("a"), target)
      const file = await mounted("a/inside", 1)
      assert.equal(readFileSync(file, "utf8"), "of the volume")
      await mounted("a/b", 0, "other")
      assert.equal((await mountsOf()).length, 3)
      // As after a crash: another instance takes them down.
      await Effect.runPromise(make({ rootDir: join(root, "lib") }).unmount("u-1", "data"))
      assert.deepEqual(await mountsOf(), [])
      assert.ok(!existsSync(join(root, "lib/pods/u-1/volume-subpaths")))
      assert.ok(existsSync(join(volume, "a/inside")))
      await clean()
    }
  )

  it("that was replaced in the volume is bound anew", requires("root", "mounts"), async () => {
    const before = identity(await mounted("a"))
    renameSync(join(volume, "a"), join(volume, "old"))
    mkdirSync(join(volume, "a"))
    const target = await mounted("a")
    assert.notEqual(identity(target), before)
    assert.equal((await mountsOf()).length, 1)
    rmSync(join(volume, "a"), { recursive: true })
    renameSync(join(volume, "old"), join(volume, "a"))
    await clean()
  })

  it("is made where it is missing, with the volume's mode", requires("root", "mounts"), async () => {
    const target = await mounted("made/for/it")
    assert.equal(identity(target), identity(join(volume, "made/for/it")))
    for (const path of ["made", "made/for", "made/for/it"])
      assert.equal(statSync(join(volume, path)).mode & 0o7777, 0o2775, path)
    assert.equal(identity(await mounted("./made//for/./it", 1)), identity(target))
    await clean()
  })

  it("follows links that stay inside, and refuses those that leave", requires("root", "mounts"), async () => {
    symlinkSync("a", join(volume, "in"))
    symlinkSync(outside, join(volume, "out"))
    symlinkSync("../outside/secret", join(volume, "out-file"))
    symlinkSync(join(outside, "nothing"), join(volume, "dangling"))
    assert.equal(identity(await mounted("in/b")), identity(join(volume, "a/b")))
    await clean()
    for (const [path, why] of [
      ["out", /^prepare: .*outside of/u],
      ["out/new", /^create: .*outside of/u],
      ["out-file", /^prepare: .*outside of/u],
      ["dangling", /^create: /u],
      ["a/inside/deeper", /^prepare: /u],
      ["..", /outside of/u],
      ["a/../../outside", /outside of/u]
    ] as const)
      assert.match(await refused(path), why)
    assert.deepEqual(readdirSync(outside), ["secret"])
    assert.deepEqual(await mountsOf(), [])
    assert.ok(!existsSync(join(root, "lib/pods/u-1/volume-subpaths")))
  })

  it("never leads outside, however the pod swaps its directories", {
    ...requires("root", "mounts"),
    timeout: 60_000
  }, async () => {
    for (const name of ["swap", "deep"]) mkdirSync(join(volume, name), { recursive: true })
    writeFileSync(join(volume, "swap/inside"), "")
    mkdirSync(join(volume, "deep/etc"))
    writeFileSync(join(volume, "deep/etc/inside"), "")
    mkdirSync(join(volume, "grow"))
    const links = join(root, "links")
    mkdirSync(links)
    symlinkSync("/", join(links, "swap"))
    symlinkSync("/", join(links, "deep"))
    symlinkSync(outside, join(links, "grow"))
    const stop = new Int32Array(new SharedArrayBuffer(4))
    // Turn by turn a directory and a link, thousands of times a second. What was made in the moment between goes.
    const swapper = new Worker(
      `const { renameSync, rmSync } = require("node:fs"); const { workerData } = require("node:worker_threads")
       const put = (from, to) => {
         for (;;) try { return renameSync(from, to) } catch { rmSync(to, { recursive: true, force: true }) }
       }
       while (Atomics.load(workerData.stop, 0) === 0) for (const name of ["swap", "deep", "grow"]) {
         const at = workerData.volume + "/" + name, link = workerData.links + "/" + name, aside = at + ".aside"
         put(at, aside); put(link, at); put(at, link); put(aside, at)
       }`,
      { eval: true, workerData: { volume, links, stop } }
    )
    const ended = new Promise<void>((done) => swapper.once("exit", () => done()))
    const seen = { mounted: 0, refused: 0 }
    try {
      const until = Date.now() + 4_000
      for (let i = 0; i < 20 || (i < 200 && Date.now() < until); i++) {
        for (const subPath of ["swap", "deep/etc", `grow/new-${i}`]) {
          const result = await ask(subPath)
          if (Result.isFailure(result)) {
            seen.refused += 1
            continue
          }
          seen.mounted += 1
          const found = namesIn(result.success)
          assert.ok(["", "inside"].includes(found.join(" ")), `${subPath} led to ${found.join(" ")}`)
          assert.ok(!["/", "/etc", outside].map(identity).includes(identity(result.success)), subPath)
        }
      }
    } finally {
      Atomics.store(stop, 0, 1)
      await ended
    }
    assert.deepEqual(readdirSync(outside), ["secret"])
    assert.ok(seen.mounted > 0 && seen.refused > 0, JSON.stringify(seen))
    console.log(`swapped during the mounts: ${seen.mounted} mounted inside, ${seen.refused} refused`)
    await clean()
    assert.deepEqual(await mountsOf(), [])
  })

  it("is no way to read files outside of the volume", requires("root", "mounts"), async () => {
    const read = (path: string) => Effect.runPromise(Effect.result(volumes.readFile("u-1", "data", volume, path)))
    writeFileSync(join(volume, "env"), "A='1'\n")
    symlinkSync("env", join(volume, "env-link"))
    assert.deepEqual(await read("env"), Result.succeed("A='1'\n"))
    assert.deepEqual(await read("env-link"), Result.succeed("A='1'\n"))
    execFileSync("mkfifo", [join(volume, "fifo")])
    writeFileSync(join(volume, "large"), Buffer.alloc(1024 * 1024 + 1))
    for (const [path, why] of [
      ["out-file", /outside of/u],
      ["../outside/secret", /outside of/u],
      ["a", /no regular file/u],
      ["fifo", /no regular file/u],
      ["large", /is larger than 1048576 bytes/u],
      ["nothing", /ENOENT/u]
    ] as const) {
      const result = await read(path)
      assert.ok(Result.isFailure(result), path)
      assert.match(result.failure.message, why)
    }
  })
})
