/** The files of cgroup v2 in a directory, what mounts tell, and what systemd is asked: pure parts and plain files. */
import assert from "node:assert/strict"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { Effect, Result } from "effect"
import { hierarchiesOf } from "../../../src/adapters/cgroupfs/hierarchies.ts"
import { makeCgroups } from "../../../src/adapters/cgroupfs/live.ts"
import { setCall, startCall, valueProperties } from "../../../src/adapters/cgroupfs/systemd.ts"
import { withTemporaryDirectory } from "../../support/temporary-directory.ts"

const hybrid = `tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup /sys/fs/cgroup/devices cgroup rw,devices 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
cgroup /mnt/again\\040memory cgroup rw,memory 0 0
`

describe("hierarchies", () => {
  it("are those of v1 where there are any, each controller where it is mounted first", () => {
    const { version, controllers, mountPoints } = hierarchiesOf(hybrid, () => [])
    assert.equal(version, "v1")
    assert.deepEqual(Object.fromEntries(controllers), {
      cpu: "/sys/fs/cgroup/cpu,cpuacct",
      cpuacct: "/sys/fs/cgroup/cpu,cpuacct",
      memory: "/sys/fs/cgroup/memory",
      systemd: "/sys/fs/cgroup/systemd"
    })
    assert.deepEqual(mountPoints.slice(-2), ["/sys/fs/cgroup/unified", "/mnt/again memory"])
  })

  it("of v2 have the controllers that the root has, as far as they are managed", () => {
    const { version, controllers } = hierarchiesOf("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", () => ["io", "cpu", "pids"])
    assert.equal(version, "v2")
    assert.deepEqual([...controllers.keys()], ["cpu", "pids"])
  })

  it("may be none", () => assert.equal(hierarchiesOf("proc /proc proc rw 0 0", () => []).version, "none"))
})

/** What the kernel would make in `path` and in all above it. */
const prepare = (root: string, path: string): void => {
  let at = root
  for (const part of ["", ...path.split("/").slice(1)]) {
    at = join(at, part)
    mkdirSync(at, { recursive: true })
    for (const [file, text] of [
      ["cgroup.controllers", "cpu memory pids hugetlb cpuset"],
      ["cgroup.subtree_control", part === "" ? "cpu" : ""],
      ["cpu.weight", "100"],
      ["cpu.max", "max 100000"],
      ["memory.max", "max"],
      ["pids.max", "max"],
      ["hugetlb.2MB.max", "max"]
    ] as const)
      writeFileSync(join(at, file), text)
  }
}

describe("files of cgroup v2", () => {
  const controllers = ["cpu", "cpuset", "memory", "hugetlb", "pids"]
  const at = (root: string, names = controllers) =>
    makeCgroups({ version: "v2", controllers: new Map(names.map((name) => [name, root])), mountPoints: [root] })

  it("take weights, quotas and limits in their own terms", () =>
    withTemporaryDirectory(async (root) => {
      const path = "/kubepods/burstable/pod1"
      prepare(root, path)
      // Its parents have not handed all of theirs on to it.
      writeFileSync(join(root, path, "cgroup.controllers"), "cpu")
      const cgroups = at(root)
      const values = { cpuShares: 512, cpuQuota: 20_000, cpuPeriod: 100_000, memoryLimit: 67_108_864, pidsLimit: 40 }
      await Effect.runPromise(cgroups.ensure(path, { ...values, hugePages: { "2MB": 0 } }))
      const text = (file: string): string => readFileSync(join(root, path, file), "utf8")
      // Plain files keep what was behind a shorter text; the kernel does not.
      assert.match(text("cpu.weight"), /^20/u)
      assert.equal(text("cpu.max"), "20000 100000")
      assert.equal(text("memory.max"), "67108864")
      assert.match(text("pids.max"), /^40/u)
      assert.match(text("hugetlb.2MB.max"), /^0/u)
      await Effect.runPromise(cgroups.update(path, { cpuQuota: -1 }))
      assert.match(text("cpu.max"), /^max 100000/u)
      // What the parent had on is not asked for again.
      assert.match(readFileSync(join(root, "cgroup.subtree_control"), "utf8"), /^\+pids/u)
      prepare(root, path)
      assert.equal(await Effect.runPromise(cgroups.exists(path)), true)
      assert.equal(await Effect.runPromise(at(root, [...controllers, "rdma"]).exists(path)), false)
    }))

  it("are left alone above one that has all controllers", () =>
    withTemporaryDirectory(async (root) => {
      prepare(root, "/kubepods/pod1")
      await Effect.runPromise(at(root).ensure("/kubepods/pod1", { cpuShares: 512 }))
      assert.equal(readFileSync(join(root, "cgroup.subtree_control"), "utf8"), "cpu")
      assert.equal(readFileSync(join(root, "kubepods", "cgroup.subtree_control"), "utf8"), "")
    }))

  it("say which controller the kernel lacks", () =>
    withTemporaryDirectory(async (root) => {
      prepare(root, "/pod")
      const lacking = at(root, ["cpu"])
      for (const [values, name] of [
        [{ memoryLimit: 5 }, "memory"],
        [{ pidsLimit: 5 }, "pids"],
        [{ hugePages: { "2MB": 2_097_152 } }, "hugetlb"]
      ] as const) {
        const result = await Effect.runPromise(Effect.result(lacking.update("/pod", values)))
        assert.ok(Result.isFailure(result))
        assert.equal(result.failure.reason, "Unsupported")
        assert.match(result.failure.message, new RegExp(`no cgroup controller ${name}`, "u"))
      }
      // Where no huge pages are asked for nothing has to be forbidden.
      await Effect.runPromise(lacking.update("/pod", { hugePages: { "2MB": 0 } }))
    }))

  it("fail with a reason where there is no hierarchy", async () => {
    const none = makeCgroups({ version: "none", controllers: new Map(), mountPoints: [] })
    const result = await Effect.runPromise(Effect.result(none.ensure("/kubepods", {})))
    assert.equal(Result.isFailure(result) && result.failure.reason, "Unsupported")
  })
})

describe("what systemd is asked", () => {
  it("is a slice below its parent, with accounting", () => {
    const args = startCall("kubepods-burstable.slice", "kubepods.slice", "v2").join(" ")
    assert.match(args, /StartTransientUnit ssa\(sv\)a\(sa\(sv\)\) kubepods-burstable\.slice replace 7 Description s /u)
    assert.match(args, /Wants as 1 kubepods\.slice DefaultDependencies b false MemoryAccounting b true/u)
    assert.match(args, /IOAccounting b true TasksAccounting b true 0$/u)
    assert.match(startCall("kubepods.slice", "", "v1").join(" "), / 6 Description .* BlockIOAccounting b true /u)
  })

  it("are values in its own units", () => {
    const values = { cpuShares: 1024, cpuQuota: 12_345, cpuPeriod: 100_000, memoryLimit: 4096, pidsLimit: -1 }
    assert.deepEqual(valueProperties(values, "v2"), [
      ["CPUWeight", "t", "39"],
      ["CPUQuotaPeriodUSec", "t", "100000"],
      // 123.45 ms per second, up to whole steps of 10 ms.
      ["CPUQuotaPerSecUSec", "t", "130000"],
      ["MemoryMax", "t", "4096"],
      ["TasksMax", "t", "18446744073709551615"]
    ])
    assert.deepEqual(valueProperties({ cpuShares: 2, cpuQuota: -1, memoryLimit: 1 }, "v1"), [
      ["CPUShares", "t", "2"],
      ["CPUQuotaPerSecUSec", "t", "18446744073709551615"],
      ["MemoryLimit", "t", "1"]
    ])
    assert.deepEqual(setCall("a.slice", [["TasksMax", "t", "5"]]).slice(-6), [
      "a.slice",
      "true",
      "1",
      "TasksMax",
      "t",
      "5"
    ])
  })
})
