import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { make } from "../../../src/adapters/volumes/live.ts"
import { mountPoints } from "../../../src/adapters/volumes/mounts.ts"
import { volumesContract } from "./volumes-contract.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "chronode volumes "))),
  (path) =>
    Effect.promise(async () => {
      for (const point of (await mountPoints()).filter((p) => p.startsWith(`${path}/`))) execFileSync("umount", [point])
      rmSync(path, { recursive: true, force: true })
    })
)

const hostUnderTest = Effect.gen(function* () {
  const root = yield* temporary
  const free = join(root, "free")
  mkdirSync(free)
  return {
    root,
    free,
    volumes: make({ rootDir: join(root, "lib") }),
    exists: (path: string) => Effect.sync(() => existsSync(path)),
    put: (path: string, what: "directory" | "file" | "socket") =>
      what === "socket"
        ? Effect.callback<void>((resume) => {
            const server = createServer().listen(path, () => resume(Effect.void))
            server.unref()
          })
        : Effect.sync(() => (what === "directory" ? mkdirSync(path) : writeFileSync(path, "")))
  }
})

volumesContract("this host", hostUnderTest)

const canMount = ((): string | false => {
  if (process.getuid?.() !== 0) return "needs root"
  const folder = mkdtempSync(join(tmpdir(), "chronode-mount-"))
  try {
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", folder], { stdio: "ignore" })
    execFileSync("umount", [folder])
    return false
  } catch {
    return "this machine does not let us mount"
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})()

const modeOf = (path: string): number => statSync(path).mode & 0o7777
const request = (name: string, medium: "" | "Memory", more = {}) => ({
  podUid: "u-1",
  name,
  source: { kind: "emptyDir" as const, medium, ...more }
})

describe("an emptyDir on this host", () => {
  const withIt = (use: (it: Effect.Success<typeof hostUnderTest>) => Effect.Effect<void, unknown>) =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(hostUnderTest, use)))

  it("is world writable, and keeps its content and mode when it is found again", () =>
    withIt(({ volumes }) =>
      Effect.gen(function* () {
        const path = yield* volumes.mount(request("a", ""))
        assert.equal(modeOf(path), 0o777)
        writeFileSync(join(path, "data"), "kept")
        chmodSync(path, 0o700)
        yield* volumes.mount(request("a", ""))
        assert.equal(modeOf(path), 0o700)
        assert.equal(readFileSync(join(path, "data"), "utf8"), "kept")
      })
    ))

  it("belongs to the pod's group where there is one", { skip: process.getuid?.() === 0 ? false : "needs root" }, () =>
    withIt(({ volumes }) =>
      Effect.gen(function* () {
        const path = yield* volumes.mount({ ...request("a", ""), fsGroup: 2345 })
        assert.equal(statSync(path).gid, 2345)
        assert.equal(modeOf(path), 0o2777)
      })
    )
  )

  it("leaves nothing of the pod's volumes behind, nor what a crash left half made, nor follows links out of it", () =>
    withIt(({ volumes, root, free }) =>
      Effect.gen(function* () {
        const [a, b] = [yield* volumes.mount(request("a", "")), yield* volumes.mount(request("b", ""))]
        writeFileSync(join(free, "precious"), "x")
        symlinkSync(free, join(a, "out"))
        mkdirSync(join(a, "..", ".half-made"))
        yield* volumes.unmount("u-1", "a")
        assert.ok(existsSync(b))
        yield* volumes.unmount("u-1", "b")
        assert.deepEqual(readdirSync(join(root, "lib", "pods", "u-1")), [])
        assert.ok(existsSync(join(free, "precious")))
      })
    ))

  it("in memory is a file system of the given size, mounted once, and gone after", { skip: canMount }, () =>
    withIt(({ volumes }) =>
      Effect.gen(function* () {
        const asked = { ...request("mem", "Memory", { sizeLimitBytes: 1024 * 1024 }), fsGroup: 2345 }
        const path = yield* volumes.mount(asked)
        yield* volumes.mount(asked)
        const count = () => Effect.promise(async () => (await mountPoints()).filter((p) => p === path).length)
        assert.equal(yield* count(), 1)
        const { blocks, bsize } = statfsSync(path)
        assert.equal(blocks * bsize, 1024 * 1024)
        assert.equal(modeOf(path), 0o2777)
        assert.equal(statSync(path).gid, 2345)
        // As after a crash: another instance takes it down.
        yield* volumes.unmount("u-1", "mem")
        assert.equal(yield* count(), 0)
        assert.ok(!existsSync(path))
      })
    )
  )

  it("is found among the mounts also where the root directory is a symbolic link", { skip: canMount }, () =>
    withIt(({ root }) =>
      Effect.gen(function* () {
        mkdirSync(join(root, "real"))
        symlinkSync(join(root, "real"), join(root, "link"))
        const volumes = make({ rootDir: join(root, "link") })
        const path = yield* volumes.mount(request("mem", "Memory"))
        yield* volumes.mount(request("mem", "Memory"))
        yield* volumes.unmount("u-1", "mem")
        assert.ok(!existsSync(path))
        const left = yield* Effect.promise(mountPoints)
        assert.deepEqual(
          left.filter((point) => point.startsWith(root)),
          []
        )
      })
    )
  )

  it("is not removed while something is mounted below it", { skip: canMount }, () =>
    withIt(({ volumes }) =>
      Effect.gen(function* () {
        const path = yield* volumes.mount(request("a", ""))
        const below = join(path, "below")
        mkdirSync(below)
        execFileSync("mount", ["-t", "tmpfs", "tmpfs", below])
        writeFileSync(join(below, "precious"), "x")
        const error = yield* Effect.flip(volumes.unmount("u-1", "a"))
        assert.equal(error.message, `${below} is still mounted`)
        assert.ok(existsSync(join(below, "precious")))
        execFileSync("umount", [below])
        yield* volumes.unmount("u-1", "a")
        assert.ok(!existsSync(path))
      })
    )
  )
})

describe("volumes of one pod", () => {
  it("can come and go at the same time", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { volumes } = yield* hostUnderTest
          for (let i = 0; i < 20; i++) {
            yield* volumes.mount(request("a", ""))
            const [path] = yield* Effect.all([volumes.mount(request("b", "")), volumes.unmount("u-1", "a")], {
              concurrency: 2
            })
            assert.ok(existsSync(path))
            yield* volumes.unmount("u-1", "b")
          }
        })
      )
    ))
})

describe("a hostPath on this host", () => {
  it("may be a character device", () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { volumes } = yield* hostUnderTest
          const ask = (type: "CharDevice" | "File") =>
            volumes.mount({ podUid: "u", name: "v", source: { kind: "hostPath", path: "/dev/null", type } })
          assert.equal(yield* ask("CharDevice"), "/dev/null")
          assert.match((yield* Effect.flip(ask("File"))).message, /is no file/u)
        })
      )
    ))
})
