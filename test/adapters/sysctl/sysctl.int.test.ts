import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, it } from "node:test"
import { Effect } from "effect"
import { make } from "../../../src/adapters/sysctl/live.ts"
import { make as makeMemory } from "../../../src/adapters/sysctl/memory.ts"
import type { Sysctls } from "../../../src/adapters/sysctl/port.ts"

const root = mkdtempSync(join(tmpdir(), "chronode-sysctl-"))
after(() => rmSync(root, { recursive: true, force: true }))

const start = { "net.a": "1", "net.number": "100", "net.tuple": "1 2 3" }
const onFiles = (): Sysctls["Service"] => {
  mkdirSync(join(root, "net/conf/eth0.1"), { recursive: true })
  writeFileSync(join(root, "net/a"), "1\n")
  writeFileSync(join(root, "net/number"), "100\n")
  writeFileSync(join(root, "net/tuple"), "1\t2\t3\n")
  writeFileSync(join(root, "net/conf/eth0.1/arp"), "0\n")
  return make(root)
}

for (const [where, service] of [
  ["in files", onFiles],
  ["in memory", () => makeMemory(start).service]
] as const) {
  describe(`kernel parameters ${where}`, () => {
    it("are set only where they are not right already, and the old value is told", async () => {
      const sysctls = service()
      const sets = await Effect.runPromise(
        sysctls.ensure([
          { name: "net.a", value: "1" },
          { name: "net.number", value: "50", atLeast: true },
          { name: "net.tuple", value: "1 2 3" },
          { name: "net.a", value: "2" },
          { name: "net.none", value: "1", optional: true }
        ])
      )
      assert.deepEqual(sets, [{ name: "net.a", before: "1", value: "2" }])
      assert.equal(await Effect.runPromise(sysctls.read("net.a")), "2")
    })

    it("that the kernel does not have are a failure with a remedy, and the others are set", async () => {
      const sysctls = service()
      const sets = await Effect.runPromise(
        sysctls.ensure([
          { name: "net.none", value: "1" },
          { name: "net.number", value: "101", atLeast: true }
        ])
      )
      assert.match(sets[0]?.failure ?? "", /this kernel has no net\.none/u)
      assert.deepEqual(sets[1], { name: "net.number", before: "100", value: "101" })
    })
  })
}

describe("kernel parameters in files", () => {
  it("may have a dot in the name of a device", async () => {
    const sysctls = onFiles()
    await Effect.runPromise(sysctls.write("net/conf/eth0.1/arp", "1"))
    assert.equal(readFileSync(join(root, "net/conf/eth0.1/arp"), "utf8")[0], "1")
  })

  it("never lead out of /proc/sys", async () => {
    const error = await Effect.runPromise(Effect.flip(make(root).read("net/../../etc/passwd")))
    assert.equal(error.reason, "Invalid")
  })

  it("of this kernel are read, and one that may not be written says so", async () => {
    const sysctls = make()
    assert.match(await Effect.runPromise(sysctls.read("kernel.osrelease")), /^\d+\.\d+/u)
    const refused = await Effect.runPromise(Effect.flip(sysctls.write("kernel.osrelease", "9")))
    assert.equal(refused.reason, "NoPermission")
  })
})
