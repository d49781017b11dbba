// runtimes: bun deno (vm)
// netns: own
import "../own-netns.ts"
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { requires } from "../requires.ts"
import { Lab, plan, silenceLimit } from "./lab.ts"

describe("the network lab", requires("root", "ip"), () => {
  let lab: Lab
  before(async () => {
    lab = await Lab.make()
  })
  after(() => lab?.close())

  for (const family of ["IPv4", "IPv6"] as const) {
    const { pods, client, node, clusterCidr } = plan[family]
    const nowhere = clusterCidr.replace(/0?\/.*/, "9")
    for (const protocol of ["TCP", "UDP", "SCTP"] as const) {
      it(`carries ${protocol} over ${family} between all that know each other`, async (t) => {
        if (!lab.protocols.has(protocol)) return t.skip(`this kernel has no ${protocol} sockets`)
        for (const [from, source] of [
          ["node", undefined],
          ["pod1", pods.pod1],
          ["remote", pods.remote]
        ] as const) {
          for (const [server, to] of Object.entries(pods)) {
            const answer = await lab.askOnce({ from, to, port: 8081, protocol })
            assert.equal(answer.outcome, "answered", `${from} → ${server}`)
            assert.ok(answer.outcome === "answered" && answer.server === server)
            if (source !== undefined) assert.equal(answer.client, source)
          }
        }
      })
      it(`tells refusal from silence, ${protocol} over ${family}`, async (t) => {
        if (!lab.protocols.has(protocol)) return t.skip(`this kernel has no ${protocol} sockets`)
        const ask = (from: "client" | "pod1", to: string) =>
          lab.askOnce({ from, to, port: 81, protocol, timeout: silenceLimit })
        // An ICMP message of SCTP's is none that a socket takes for an answer.
        if (protocol !== "SCTP") {
          assert.deepEqual(await ask("pod1", pods.pod2), { outcome: "refused" })
          assert.deepEqual(await ask("client", node), { outcome: "refused" })
        }
        assert.deepEqual(await ask("client", nowhere), { outcome: "timed out" })
      })
    }
    it(`keeps a connection, and a client's port, over ${family}`, async () => {
      const held = await lab.hold({ from: "pod1", to: pods.pod2, port: 8080, sourcePort: 5000 })
      const said = [held.first, await held.say(), await held.say()]
      for (const answer of said) {
        assert.deepEqual(answer, { outcome: "answered", server: "pod2", client: pods.pod1, clientPort: 5000 })
      }
      await held.release()
    })
    it(`counts what a loop of clients meets over ${family}`, async () => {
      const loop = await lab.loop(5, { from: "client", to: node, port: 8099, timeout: silenceLimit })
      await lab.serve("node", 8099, "TCP").catch(() => undefined)
      await new Promise((done) => setTimeout(done, 200))
      const { asked, failures, servers } = await loop.stop()
      assert.ok(asked > 5, `${asked}`)
      assert.equal(asked, failures.length + (servers.node ?? 0))
      assert.ok((servers.node ?? 0) > 3, JSON.stringify(servers))
    })
    it(`gives a client of ${family} the address it wants`, async () => {
      await lab.serve("node", 8098, "UDP").catch(() => undefined)
      const { otherClient } = plan[family]
      const ask = { from: "client", to: node, port: 8098, protocol: "UDP" } as const
      const seen = [await lab.askOnce(ask), await lab.askOnce({ ...ask, source: otherClient })]
      assert.deepEqual(
        seen.map((answer) => answer.outcome === "answered" && answer.client),
        [client, otherClient]
      )
    })
  }
})
