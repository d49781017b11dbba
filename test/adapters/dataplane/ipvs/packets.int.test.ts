// runtimes: vm
// netns: own
/** The core of what IPVS does for Services, by packets; the whole contract is in contract.int.test.ts. */
import "../../../support/own-netns.ts"
import assert from "node:assert/strict"
import { after, before, describe, it } from "node:test"
import { setTimeout as pause } from "node:timers/promises"
import { Effect } from "effect"
import { connect } from "../../../../src/adapters/netlink/connection.ts"
import type { ServiceId } from "../../../../src/adapters/netlink/ipvs.ts"
import { openIpvs } from "../../../../src/adapters/netlink/ipvs-calls.ts"
import { openSocket } from "../../../../src/adapters/netlink/socket.ts"
import { plan } from "../../../support/netlab/lab.ts"
import { assertMasqueraded, families, having, sh, World } from "../contract/world.ts"
import { ipvs } from "./subject.ts"

const nothing = { missing: 0, altered: 0, unexpected: 0, examples: [], refused: [] }

/** The kernel sums its counters up every two seconds (net/netfilter/ipvs/ip_vs_est.c): so many looks, so far apart. */
const [looks, lookPause] = [40, 250]

/** What the codec reads of a virtual server's counters is what ipvsadm prints of them, and more than nothing. */
const countsAgree = async (id: Extract<ServiceId, { readonly address: string }>): Promise<void> => {
  const kernel = openIpvs(connect(openSocket("generic")))
  const at = id.family === "IPv4" ? `${id.address}:${id.port}` : `[${id.address}]:${id.port}`
  const read = () => {
    const { connections, packetsIn, packetsOut, bytesIn, bytesOut } = kernel.service(id)!.stats!
    return [connections, packetsIn, packetsOut, bytesIn, bytesOut].map(String)
  }
  try {
    for (let look = 1; ; look++) {
      const before = read()
      const printed = (await sh("ipvsadm -Ln --stats --exact")).split("\n").find((line) => line.includes(`${at} `))!
      // In between the kernel may have summed up.
      if (before.join() !== read().join() || (before.includes("0") && look < looks)) {
        await pause(lookPause)
        continue
      }
      assert.deepEqual(printed.trim().split(/\s+/).slice(2), before)
      assert.ok(!before.includes("0"), before.join(" "))
      return
    }
  } finally {
    kernel.close()
  }
}

describe("Services by IPVS", { skip: ipvs.skip }, () => {
  let world: World | undefined
  const its = (): World => world!
  before(async () => {
    world = await World.make(ipvs)
  })
  after(() => world?.close())

  for (const family of families) {
    const { pods, node, client } = plan[family]

    it(`reach their servers by cluster IP, node port and load balancer, TCP and UDP (${family})`, async () => {
      const tcp = its().service(family, ["pod1", "remote"])
      const udp = its().service(family, ["pod2"], { protocol: "UDP" })
      const empty = its().service(family, [])
      await its().resync([tcp, udp, empty])
      assert.deepEqual(await its().reaches(["pod1", "remote"], { from: "pod3", to: tcp.clusterIP, port: 80 }), [
        pods.pod3
      ])
      assertMasqueraded(
        family,
        await its().reaches(["pod1", "remote"], { from: "client", to: node, port: tcp.nodePort! })
      )
      await its().reaches(["pod2"], { from: "pod1", to: udp.clusterIP, port: 80, protocol: "UDP" })
      await its().reaches(["pod2"], { from: "client", to: udp.loadBalancerIPs[0]!, port: 80, protocol: "UDP" })
      await its().reaches(["pod2"], { from: "node", to: udp.clusterIP, port: 80, protocol: "UDP" })
      await countsAgree({ family, protocol: "UDP", address: udp.clusterIP, port: 80 })
      await its().refuses({ from: "pod1", to: empty.clusterIP, port: 80 })
      await its().unanswered({ from: "pod1", to: tcp.clusterIP, port: 22 })
      assert.deepEqual(await its().resync(), nothing)
    })

    it(`keep a client at its server, and the policy Local on this node (${family})`, async () => {
      const sticky = its().service(family, ["pod1", "pod2", "remote"], { affinitySeconds: 3600 })
      const local = its().service(family, ["pod1", "remote"], { externalLocal: true })
      await its().resync([sticky, local])
      const ask = { from: "client", to: node, port: sticky.nodePort! } as const
      const first = await its().lab.askOnce(ask)
      assert.ok(first.outcome === "answered")
      await its().reaches([first.server as "pod1"], ask)
      assert.deepEqual(await its().reaches(["pod1"], { from: "client", to: node, port: local.nodePort! }), [client])
      // Traffic of the cluster's own takes the short cut.
      await its().reaches(["pod1", "remote"], { from: "pod3", to: local.loadBalancerIPs[0]!, port: 80 })
    })

    it(`let a long connection end at a server that leaves, which goes with it (${family})`, async () => {
      const rules = its().service(family, ["pod1"])
      await its().resync([rules])
      const held = await its().lab.hold({ from: "pod3", to: rules.clusterIP, port: 80 })
      await its().put({ ...rules, ...having(family, ["pod2"]) })
      await its().reaches(["pod2"], { from: "pod3", to: rules.clusterIP, port: 80 })
      const answer = await held.say()
      assert.equal(answer.outcome === "answered" && answer.server, "pod1")
      const at = family === "IPv4" ? `${rules.clusterIP}:80` : `[${rules.clusterIP}]:80`
      const list = () => sh(`ipvsadm -Sn -t ${at} 2>/dev/null || ipvsadm -Ln -t ${at}`)
      assert.match(await list(), new RegExp(`${pods.pod1.replaceAll(".", "\\.")}\\]?:8080 +Masq +0 +1 `))
      assert.deepEqual(await its().resync(), nothing, "one that drains is as it should be")
      // It comes back, with the connection that it has kept.
      await its().put({ ...rules, ...having(family, ["pod1", "pod2"]) })
      assert.match(await list(), new RegExp(`${pods.pod1.replaceAll(".", "\\.")}\\]?:8080 +Masq +1 `))
      assert.equal((await held.say()).outcome, "answered")
      await held.release()
    })
  }

  it("leave everything of others alone, also under a clean-up", async () => {
    const theirs = await sh(ipvs.foreign.read)
    const mine = its().service("IPv4", ["pod1"])
    await sh(`ipvsadm -A -t ${mine.externalIPs[0]}:80 -s sed`)
    const { refused } = await Effect.runPromise(its().dataplane.resync(its().desired([mine])))
    assert.match(refused.map(({ message }) => message).join(), /somebody else/)
    await its().reaches(["pod1"], { from: "pod3", to: mine.clusterIP, port: 80 })
    assert.ok((await Effect.runPromise(its().dataplane.cleanup)).length > 3)
    assert.equal(await sh(ipvs.foreign.read), theirs)
    assert.match(await sh("ipvsadm -Sn"), new RegExp(`-A -t ${mine.externalIPs[0]}:80 -s sed`))
    assert.equal((await sh("ip -o link show | grep -c ipvs0 || true")).trim(), "0")
  })
})
