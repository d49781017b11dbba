// netns: own
/** Traces of another proxy, in a network namespace where there is nothing else. */
import "../../support/own-netns.ts"
import assert from "node:assert/strict"
import { execFileSync, spawn } from "node:child_process"
import { copyFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { otherProxies } from "../../../src/adapters/dataplane/others.ts"
import { eventually } from "../../support/agent.ts"
import { findProgram, requires } from "../../support/requires.ts"
import { withTemporaryDirectory } from "../../support/temporary-directory.ts"

const look = (): Promise<ReadonlyArray<string>> => Effect.runPromise(otherProxies)
/** Of this namespace: whoever runs on the machine is seen from everywhere. */
const here = (found: ReadonlyArray<string>): ReadonlyArray<string> =>
  found.filter((trace) => !trace.startsWith("a kube-proxy runs"))

describe("another proxy", () => {
  it("is known by what it has in the kernel", requires("root", "nft", "iptables", "ip"), async () => {
    const nft = findProgram("nft") as string
    execFileSync(nft, ["add", "table", "ip", "chronode"])
    assert.deepEqual(here(await look()), [])
    execFileSync(nft, ["add", "table", "ip6", "kube-proxy"])
    execFileSync(nft, ["add", "table", "ip", "nat"])
    execFileSync(nft, ["add", "chain", "ip", "nat", "KUBE-SERVICES"])
    execFileSync("ip", ["link", "add", "kube-ipvs0", "type", "veth", "peer", "name", "v1"])
    assert.deepEqual(
      here(await look()).toSorted(),
      [
        "chain KUBE-SERVICES is in iptables' table ip nat",
        "device kube-ipvs0 of a kube-proxy is there",
        "table ip6 kube-proxy is in nftables"
      ].toSorted()
    )
  })

  it("is known by its process", requires("linux"), () =>
    withTemporaryDirectory(async (directory) => {
      const program = join(directory, "kube-proxy")
      copyFileSync(findProgram("sleep") as string, program)
      const child = spawn(program, ["60"], { stdio: "ignore" })
      try {
        await eventually("the process among the traces", async () =>
          (await look()).some((trace) => trace.includes("a kube-proxy runs") && trace.includes(String(child.pid)))
            ? true
            : undefined
        )
      } finally {
        child.kill("SIGKILL")
      }
    })
  )
})
