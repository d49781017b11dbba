// runtimes: bun deno vm
/**
 * The kernel's own cgroups. Self-contained: it takes whatever hierarchy the machine has (v1 or v2), so that it also runs
 * where nothing else of the project does: `bun test test/adapters/cgroupfs/live.int.test.ts` as root.
 */
import assert from "node:assert/strict"
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { describe, it } from "node:test"
import { Effect, Result } from "effect"
import { findHierarchies, type Hierarchies } from "../../../src/adapters/cgroupfs/hierarchies.ts"
import { makeCgroups } from "../../../src/adapters/cgroupfs/live.ts"
import type { CgroupValues } from "../../../src/adapters/cgroupfs/port.ts"
import { isSystemdBooted, notBooted } from "../../../src/adapters/cgroupfs/systemd.ts"
import { cgroupsContract } from "./cgroups-contract.ts"

const hierarchies: Hierarchies = await findHierarchies()
const { version, controllers } = hierarchies
const whyNot =
  process.getuid?.() !== 0
    ? "needs root"
    : version === "none"
      ? "needs a cgroup hierarchy"
      : controllers.size === 0
        ? "needs cgroup controllers at the root"
        : false
const has = (controller: string, ...values: ReadonlyArray<keyof CgroupValues>) =>
  controllers.has(controller) ? values : []
const limits = new Set<keyof CgroupValues>([
  ...has("cpu", "cpuShares", "cpuQuota", "cpuPeriod"),
  ...has("memory", "memoryLimit"),
  ...has("pids", "pidsLimit")
])

let count = 0
const underTest = (suffix = "") =>
  Effect.acquireRelease(
    Effect.sync(() => {
      count += 1
      return { cgroups: makeCgroups(hierarchies), root: `/chronode-test-${process.pid}-${count}${suffix}`, limits }
    }),
    ({ cgroups, root }) => Effect.orDie(cgroups.remove(root))
  )

cgroupsContract(`the kernel (cgroup ${version})`, underTest(), { skip: whyNot })

describe(`cgroup ${version} of the kernel`, { skip: whyNot }, () => {
  it("contains a process tree that forks until pids.max", { skip: !controllers.has("pids") && "needs pids" }, () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const { cgroups, root } = yield* underTest()
        const path = `${root}/pod`
        const most = 12
        yield* cgroups.ensure(path, { pidsLimit: most })
        const point = controllers.get("pids")!
        // It waits for a line, so that it forks only once it is inside.
        const bomb = "read go; while :; do sleep 30 & done 2>/dev/null"
        const child: ChildProcess = spawn("sh", ["-c", bomb], { stdio: ["pipe", "ignore", "ignore"] })
        const ended = new Promise((done) => child.once("exit", done))
        writeFileSync(join(point, path, "cgroup.procs"), String(child.pid))
        child.stdin?.write("go\n")
        yield* Effect.sleep("1 second")
        const current = yield* Effect.promise(async () =>
          Number(await import("node:fs/promises").then((fs) => fs.readFile(join(point, path, "pids.current"), "utf8")))
        )
        assert.ok(current > 1 && current <= most, `${current} processes`)
        yield* cgroups.remove(path)
        assert.equal(existsSync(join(point, path)), false)
        yield* Effect.promise(() => ended)
      }).pipe(Effect.scoped)
    )
  )

  it("hands processors and memory nodes on to cpusets", { skip: version !== "v1" && "v2 does so itself" }, () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const { cgroups, root } = yield* underTest()
        yield* cgroups.ensure(`${root}/a/b`, {})
        const child = spawn("sleep", ["30"], { stdio: "ignore" })
        // An empty cpuset takes no process.
        for (const point of new Set(controllers.values()))
          writeFileSync(join(point, root, "a/b/cgroup.procs"), String(child.pid))
        yield* cgroups.remove(root)
        assert.equal(yield* cgroups.exists(root), false)
      }).pipe(Effect.scoped)
    )
  )

  it("refuses slices where systemd is not the init system", { skip: isSystemdBooted() && "systemd runs here" }, () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const { cgroups } = yield* underTest()
        const result = yield* Effect.result(cgroups.ensure("/chronodetest.slice", {}))
        assert.ok(Result.isFailure(result))
        assert.equal(result.failure.reason, "Unsupported")
        assert.equal(result.failure.message, notBooted)
      }).pipe(Effect.scoped)
    )
  )

  it("starts and stops slices with systemd", { skip: !isSystemdBooted() && notBooted }, () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const name = `chronodetest${process.pid}`
        const cgroups = makeCgroups(hierarchies)
        const path = `/${name}.slice/${name}-burstable.slice/${name}-burstable-pod1.slice`
        const values: CgroupValues = {
          cpuShares: 512,
          cpuQuota: 20_000,
          cpuPeriod: 100_000,
          memoryLimit: 64 * 1024 ** 2
        }
        assert.equal(yield* cgroups.ensure(path, values), true)
        assert.equal(yield* cgroups.exists(path), true)
        const read = yield* cgroups.read(path)
        assert.equal(read.memoryLimit, 64 * 1024 ** 2)
        assert.equal(read.cpuQuota, 20_000)
        yield* cgroups.update(path, { memoryLimit: 32 * 1024 ** 2 })
        assert.equal((yield* cgroups.read(path)).memoryLimit, 32 * 1024 ** 2)
        yield* cgroups.remove(`/${name}.slice`)
        assert.equal(yield* cgroups.exists(`/${name}.slice`), false)
      })
    )
  )
})
