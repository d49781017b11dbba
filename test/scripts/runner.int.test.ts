// runtimes: bun
import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { type FileResult, runFile } from "../../scripts/test/runner.ts"
import { requires } from "../support/requires.ts"

const project = fileURLToPath(new URL("../..", import.meta.url))
const sources: Readonly<Record<string, string>> = {
  mixed: `
    import assert from "node:assert/strict"
    import { describe, it } from "node:test"
    describe("suite", () => {
      it("passes", () => {})
      it("fails & \\"so\\"", () => { console.log("said before it failed"); assert.equal(1, 2) })
      it("is skipped", { skip: "needs a unicorn" }, () => {})
      it.skip("is skipped by its word", () => {})
      it("is to do", { todo: "later" }, () => {})
      describe("inner", () => { it("passes too", (t) => { t.diagnostic("x") }) })
    })
    it("skips itself", (t) => { t.skip("no moon tonight") })
    describe("a suite that is skipped", { skip: "needs a dragon" }, () => { it("never", () => { throw new Error() }) })`,
  skipped: `
    import { describe, it } from "node:test"
    describe("all", { skip: "needs a dragon" }, () => { it("never", () => {}) })`,
  crash: `
    import { it } from "node:test"
    it("passes", () => {})
    throw new Error("half-way down")`,
  floating: `
    import { it } from "node:test"
    it("passes", async () => { setTimeout(() => { throw new Error("nobody caught this") }, 5); await new Promise((r) => setTimeout(r, 100)) })`,
  hook: `
    import { after, describe, it } from "node:test"
    describe("suite", () => { after(() => { throw new Error("hook") }); it("passes", () => {}) })`,
  exit: `
    import { it } from "node:test"
    it("passes", () => {})
    it("leaves", () => { process.exit(0) })
    it("never runs", () => {})`,
  netns: `
    import assert from "node:assert/strict"
    import { execFileSync } from "node:child_process"
    import { readdirSync, readlinkSync } from "node:fs"
    import { it } from "node:test"
    const run = (line) => execFileSync("sh", ["-ec", line], { encoding: "utf8" })
    it("sees no other device", () => assert.deepEqual(readdirSync("/sys/class/net"), ["lo"]))
    it("reaches itself", () => assert.match(run("ip addr show lo"), /127[.]0[.]0[.]1/))
    it("gives namespaces names of its own", () => {
      assert.equal(run("ip netns list"), "")
      run("ip netns add runner && ip -n runner link set lo up && ip link add v0 type veth peer name v1 netns runner")
      assert.match(run("ip netns list"), /^runner/)
      assert.deepEqual(readdirSync("/sys/class/net").sort(), ["lo", "v0"])
    })
    it("keeps the cgroups", () =>
      assert.deepEqual(readdirSync("/sys/fs/cgroup"), readdirSync("/proc/" + process.ppid + "/root/sys/fs/cgroup")))
    it("is apart", () => assert.notEqual(readlinkSync("/proc/self/ns/net"), readlinkSync("/proc/" + process.ppid + "/ns/net")))`,
  empty: 'console.log("no tests here")',
  hang: `
    import { spawn } from "node:child_process"
    import { writeFileSync } from "node:fs"
    import { it } from "node:test"
    it("hangs", { timeout: 60_000 }, async () => {
      const child = spawn("sleep", ["300"], { detached: true, stdio: "ignore" })
      child.unref()
      writeFileSync(process.env.CHRONODE_TEST_DIR + "/child.pid", String(child.pid))
      await new Promise((r) => setTimeout(r, 60_000))
    })`
}

/** A zombie is dead: whether its new parent collects it is not our business. */
const isAlive = (pid: string): boolean => {
  try {
    return !/^\d+ \(.*\) [ZX] /s.test(readFileSync(`/proc/${pid}/stat`, "latin1"))
  } catch {
    return false
  }
}

for (const runtime of ["bun", "deno"] as const) {
  describe(`a test file on ${runtime}`, () => {
    let root = ""
    before(async () => {
      root = await mkdtemp(join(process.env.CHRONODE_TEST_DIR ?? tmpdir(), "runner-"))
      await mkdir(join(root, "test"))
      await mkdir(join(root, "scratch"))
      await symlink(join(project, "node_modules"), join(root, "node_modules"))
      await symlink(join(project, "test", "support"), join(root, "test", "support"))
      await writeFile(join(root, "package.json"), '{ "type": "module" }')
      for (const [name, text] of Object.entries(sources))
        await writeFile(join(root, "test", `${name}.unit.test.ts`), text)
    })
    after(() => rm(root, { recursive: true, force: true }))

    const run = (name: string, limit = 30_000, ownNetns = false): Promise<FileResult> =>
      runFile(
        { path: `test/${name}.unit.test.ts`, level: "unit", runtimes: [runtime], alone: false, ownNetns },
        runtime,
        limit,
        { root, scratch: join(root, "scratch"), rounds: undefined, both: false, coverage: undefined }
      )

    it("is counted by tests, with the reasons of skips", { timeout: 60_000 }, async () => {
      const { passed, failed, skipped, reasons, problems, output } = await run("mixed")
      assert.deepEqual({ passed, failed, skipped, problems }, { passed: 2, failed: 1, skipped: 5, problems: [] })
      assert.deepEqual([...reasons].sort(), [
        "needs a dragon",
        "needs a unicorn",
        "no moon tonight",
        "no reason given",
        "to do: later"
      ])
      assert.match(output, /said before it failed/)
    })

    it("may be skipped as a whole", { timeout: 60_000 }, async () => {
      const { passed, failed, skipped, reasons } = await run("skipped")
      assert.deepEqual(
        { passed, failed, skipped, reasons },
        { passed: 0, failed: 0, skipped: 1, reasons: ["needs a dragon"] }
      )
    })

    for (const [name, because] of [
      ["crash", "throws half-way"],
      ["floating", "throws where no test catches it"],
      ["hook", "fails in a hook"],
      ["exit", "ends the process"],
      ["empty", "has no tests"]
    ] as const) {
      it(`fails when it ${because}`, { timeout: 60_000 }, async () => assert.ok((await run(name)).failed > 0))
    }

    it("runs in a network namespace of its own, of which nothing stays", {
      timeout: 60_000,
      ...requires("root", "ip")
    }, async () => {
      const { failed, passed, output } = await run("netns", 30_000, true)
      assert.deepEqual({ failed, passed }, { failed: 0, passed: 5 }, output)
      assert.ok(!existsSync("/run/netns/runner"))
    })

    it("is stopped at its limit, with all that it started", { timeout: 60_000 }, async () => {
      const { failed, problems, remarks } = await run("hang", 4000)
      assert.equal(failed, 1)
      assert.match(problems.join(), /stopped after 4 s/)
      assert.match(remarks.join(), /sleep/)
      assert.equal(isAlive(readFileSync(join(root, "scratch", "child.pid"), "utf8")), false)
    })
  })
}
