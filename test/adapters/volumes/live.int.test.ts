import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
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
import { filesOf, volumesContract } from "./volumes-contract.ts"

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
    read: (path: string) => Effect.sync(() => (existsSync(path) ? readFileSync(path, "utf8") : undefined)),
    put: (path: string, what: "directory" | "file" | "socket") =>
      what === "socket"
        ? Effect.callback<void>((resume) => {
            const server = createServer().listen(path, () => resume(Effect.void))
            server.unref()
          })
        : Effect.sync(() => (what === "directory" ? mkdirSync(path) : writeFileSync(path, "")))
  }
})

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

volumesContract("this host", hostUnderTest, canMount)

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
        assert.equal(modeOf(path), 0o3777)
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

const needsRoot = process.getuid?.() === 0 ? false : "needs root"

describe("a volume of files on this host", () => {
  const withIt = (use: (it: Effect.Success<typeof hostUnderTest>) => Effect.Effect<void, unknown>) =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(hostUnderTest, use)))
  const version = (path: string) => readlinkSync(join(path, "..data"))

  it("is laid out as kubelet's atomic writer does, and is written anew only when something changes", () =>
    withIt(({ volumes }) =>
      Effect.gen(function* () {
        const path = yield* volumes.mount(filesOf({ mode: "fast", "deep/key": "one", "deep/other": "" }))
        assert.match(version(path), /^\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\w+$/u)
        assert.deepEqual(readdirSync(path).sort(), ["..data", version(path), "deep", "mode"].sort())
        assert.equal(readlinkSync(join(path, "mode")), "..data/mode")
        assert.equal(readlinkSync(join(path, "deep")), "..data/deep")
        assert.equal(modeOf(path), 0o777)
        assert.equal(modeOf(join(path, version(path))), 0o755)
        assert.equal(modeOf(join(path, "mode")), 0o644)
        const before = version(path)
        yield* volumes.mount(filesOf({ mode: "fast", "deep/key": "one", "deep/other": "" }))
        assert.equal(version(path), before)
        yield* volumes.mount(filesOf({ mode: "fast", "deep/key": "two" }))
        assert.notEqual(version(path), before)
        assert.deepEqual(readdirSync(path).sort(), ["..data", version(path), "deep", "mode"].sort())
        assert.deepEqual(readdirSync(join(path, "deep")), ["key"])
      })
    ))

  it("goes on after a crash at any point of an update", () =>
    withIt(({ volumes }) =>
      Effect.gen(function* () {
        const path = yield* volumes.mount(filesOf({ a: "1", b: "1" }))
        // Died with the new version half written, and with the link made but not renamed.
        mkdirSync(join(path, "..2026_01_01_00_00_00.half"))
        symlinkSync("..2026_01_01_00_00_00.half", join(path, "..data_tmp"))
        // Died after the rename: links of files that are gone are still there, others are not yet.
        symlinkSync("..data/gone", join(path, "gone"))
        rmSync(join(path, "b"))
        yield* volumes.mount(filesOf({ a: "1", b: "1" }))
        assert.deepEqual(readdirSync(path).sort(), ["..data", version(path), "a", "b"].sort())
        assert.equal(readFileSync(join(path, "b"), "utf8"), "1")
      })
    ))

  it("shows all of its files as of one version at any moment", () =>
    withIt(({ volumes }) =>
      Effect.gen(function* () {
        const files = (n: number) => filesOf(Object.fromEntries(["a", "b", "c"].map((k) => [k, String(n)])))
        const path = yield* volumes.mount(files(0))
        const writing = yield* Effect.forkChild(
          Effect.forEach(
            Array.from({ length: 50 }, (_, i) => i + 1),
            (n) => volumes.mount(files(n)),
            { discard: true }
          )
        )
        let looks = 0
        while (writing.pollUnsafe() === undefined) {
          const data = realpathSync(join(path, "..data"))
          try {
            const texts = ["a", "b", "c"].map((name) => readFileSync(join(data, name), "utf8"))
            assert.equal(new Set(texts).size, 1, texts.join())
            looks += 1
          } catch (error) {
            // The version that was looked at is gone meanwhile.
            assert.equal((error as NodeJS.ErrnoException).code, "ENOENT")
          }
          yield* Effect.sleep(0)
        }
        assert.ok(looks > 0)
        assert.equal(readFileSync(join(path, "a"), "utf8"), "50")
      })
    ))

  it("belongs to the pod's group, which may read it", { skip: needsRoot }, () =>
    withIt(({ volumes }) =>
      Effect.gen(function* () {
        const path = yield* volumes.mount({ ...filesOf({ "d/key": "x" }, { mode: 0o400 }), fsGroup: 2345 })
        const data = join(path, version(path))
        const found = [path, data, join(data, "d"), join(data, "d", "key")].map((p) => [modeOf(p), statSync(p).gid])
        assert.deepEqual(found, [
          [0o2777, 2345],
          [0o2755, 2345],
          [0o2755, 2345],
          [0o440, 2345]
        ])
        yield* volumes.mount({ ...filesOf({ "d/key": "y" }, { mode: 0o400 }), fsGroup: 2345 })
        assert.equal(statSync(join(path, "d", "key")).gid, 2345)
      })
    )
  )

  it("has the directories on which a container mounts other volumes", () =>
    withIt(({ volumes }) =>
      Effect.gen(function* () {
        const path = yield* volumes.mount(filesOf({ a: "1" }, { nested: ["cache/inner"] }))
        assert.ok(statSync(join(path, "cache", "inner")).isDirectory())
        yield* volumes.mount(filesOf({ a: "2" }, { nested: ["cache/inner"] }))
        assert.ok(statSync(join(path, "cache", "inner")).isDirectory())
      })
    ))

  it("is in memory where it is secret, mounted once, and gone after", { skip: canMount }, () =>
    withIt(({ volumes, root }) =>
      Effect.gen(function* () {
        const asked = filesOf({ password: "s3cret" }, { plugin: "secret", mode: 0o400 })
        const request = {
          ...asked,
          source: { ...asked.source, memory: true, sizeLimitBytes: 1024 * 1024 }
        } as typeof asked
        const path = yield* volumes.mount(request)
        yield* volumes.mount(request)
        const points = (yield* Effect.promise(mountPoints)).filter((p) => p.startsWith(root))
        assert.deepEqual(points, [path])
        assert.equal(statfsSync(path).blocks * statfsSync(path).bsize, 1024 * 1024)
        assert.equal(modeOf(path), 0o1777)
        assert.equal(modeOf(join(path, "password")), 0o400)
        // What does not fit is an error, and the files stay as they were.
        const large = {
          ...request,
          source: { ...request.source, files: [{ path: "x", data: new Uint8Array(2 ** 21), mode: 0o400 }] }
        } as typeof asked
        assert.match((yield* Effect.flip(volumes.mount(large))).message, /ENOSPC/u)
        assert.deepEqual(readdirSync(path).sort(), ["..data", version(path), "password"].sort())
        yield* volumes.unmount("u-1", "settings")
        assert.ok(!existsSync(path))
        assert.deepEqual(
          (yield* Effect.promise(mountPoints)).filter((p) => p.startsWith(root)),
          []
        )
      })
    )
  )
})

describe("an emptyDir of huge pages", () => {
  const wanted = existsSync("/sys/kernel/mm/hugepages/hugepages-2048kB")
    ? canMount
    : "this kernel has no pages of 2 MiB"
  it("is a hugetlbfs of their size", { skip: wanted }, () =>
    Effect.runPromise(
      Effect.scoped(
        Effect.gen(function* () {
          const { volumes } = yield* hostUnderTest
          const path = yield* volumes.mount({
            podUid: "u-1",
            name: "huge",
            source: { kind: "emptyDir", medium: "HugePages", pageSizeBytes: 2 * 1024 * 1024 },
            fsGroup: 2345
          })
          const line = readFileSync("/proc/self/mountinfo", "utf8")
            .split("\n")
            .find((l) => l.includes(path.replaceAll(" ", "\\040")))
          assert.match(line ?? "", / - hugetlbfs nodev rw.*pagesize=2M/u)
          assert.equal(modeOf(path), 0o2777)
          assert.equal(statSync(path).gid, 2345)
          yield* volumes.unmount("u-1", "huge")
          assert.ok(!existsSync(path))
        })
      )
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
          assert.match((yield* Effect.flip(ask("File"))).message, /is not a file$/u)
        })
      )
    ))
})
