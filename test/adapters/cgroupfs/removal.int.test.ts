// runtimes: bun deno vm
/** Cgroups of the kernel itself. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { findHierarchies } from "../../../src/adapters/cgroupfs/hierarchies.ts"
import { removeCgroupTree as removeBelow } from "../../../src/adapters/cgroupfs/removal.ts"

const removeCgroupTree = async (path: string): Promise<void> => removeBelow((await findHierarchies()).mountPoints, path)

/** A hierarchy that takes directories: any of v1's, or the one of v2. */
const hierarchy = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup/memory", "/sys/fs/cgroup"].find((path) =>
  existsSync(join(path, "cgroup.procs"))
)
const whyNot =
  process.getuid?.() !== 0 ? "needs root" : hierarchy === undefined ? "needs a cgroup hierarchy" : undefined
const options = whyNot === undefined ? { timeout: 20_000 } : { timeout: 20_000, skip: whyNot }

describe("removing a pod's cgroup", () => {
  it("kills what is left in it, at any depth, and nothing else; again, it does nothing", options, async () => {
    const name = `/chronode-test-${process.pid}`
    const inner = join(hierarchy!, name, "lost")
    mkdirSync(inner, { recursive: true })
    const lost = spawn("sleep", ["60"], { stdio: "ignore" })
    const other = spawn("sleep", ["60"], { stdio: "ignore" })
    const ended = new Promise((done) => lost.once("exit", (_, signal) => done(signal)))
    try {
      writeFileSync(join(inner, "cgroup.procs"), String(lost.pid))
      await removeCgroupTree(name)
      assert.equal(existsSync(join(hierarchy!, name)), false)
      assert.equal(await ended, "SIGKILL")
      assert.equal(other.exitCode ?? other.signalCode, null)
      await removeCgroupTree(name)
    } finally {
      for (const child of [lost, other]) child.kill("SIGKILL")
    }
  })

  it("refuses what is no cgroup of a pod", options, async () => {
    for (const path of ["/", "", "kubepods", "/kubepods/../.."]) await assert.rejects(removeCgroupTree(path))
  })
})
