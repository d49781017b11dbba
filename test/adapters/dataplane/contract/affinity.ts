/** A client that keeps its server for a time. */
import assert from "node:assert/strict"
import { it } from "node:test"
import { setTimeout as pause } from "node:timers/promises"
import type { IpFamily } from "../../../../src/events/service-shape.ts"
import { type Ask, type PodName, plan } from "../../../support/netlab/lab.ts"
import { having, type World } from "./world.ts"

/** Seconds; and how much later it must be over. */
const [affinitySeconds, slack] = [2, 1]
const servers = ["pod1", "pod2", "remote"] as const satisfies ReadonlyArray<PodName>

export const affinityTests = (its: () => World, family: IpFamily): void => {
  const { client, otherClient, node } = plan[family]
  const serverOf = async (ask: Ask): Promise<PodName> => {
    const answer = await its().lab.askOnce(ask)
    assert.ok(answer.outcome === "answered", JSON.stringify(answer))
    return answer.server as PodName
  }
  const keepers = (to: string, port: number) =>
    [
      { from: "pod1" },
      { from: "pod2" },
      { from: "pod3" },
      { from: "node" },
      { from: "client", source: client },
      { from: "client", source: otherClient }
    ].map((from) => ({ ...from, to, port }) as Ask)

  it("keeps a client at its server, each client on its own, and lets it go when its time is over", async (t) => {
    const rules = its().service(family, servers, { affinitySeconds })
    await its().resync([rules])
    const clients = keepers(rules.clusterIP, 80)
    const chosen = new Map<Ask, PodName>()
    for (const ask of clients) {
      const server = await serverOf(ask)
      await its().reaches([server], ask)
      chosen.set(ask, server)
    }
    const reason = its().subject.deviations["affinity ends with its time"]
    if (reason !== undefined) return t.skip(reason)
    // All six of them at the same server again, twice: one time in 500,000.
    let moved = 0
    for (let round = 0; round < 2 && moved === 0; round++) {
      await pause((affinitySeconds + slack) * 1000)
      for (const [ask, server] of chosen) if ((await serverOf(ask)) !== server) moved++
    }
    assert.ok(moved > 0, "nobody was let go")
  })

  it("holds for UDP and for node ports too, and each use prolongs it", async () => {
    const rules = its().service(family, servers, { affinitySeconds, protocol: "UDP" })
    await its().resync([rules])
    const ask = { from: "client", to: node, port: rules.nodePort!, protocol: "UDP" } as const
    const server = await serverOf(ask)
    for (let uses = 0; uses < 4; uses++) {
      await pause(affinitySeconds * 400)
      await its().reaches([server], ask)
    }
  })

  it("ends with its server", async () => {
    const rules = its().service(family, servers, { affinitySeconds: 3600 })
    await its().resync([rules])
    const ask = { from: "pod3", to: rules.clusterIP, port: 80 } as const
    const first = await serverOf(ask)
    const left = servers.filter((name) => name !== first)
    await its().put({ ...rules, ...having(family, left) })
    const second = await serverOf(ask)
    assert.ok(left.includes(second as (typeof left)[number]))
    await its().reaches([second], ask)
    // A server that comes takes no client that has one.
    await its().put(rules)
    await its().reaches([second], ask)
  })

  it("comes and goes with the Service's setting", async () => {
    const rules = its().service(family, servers)
    await its().resync([rules])
    const ask = { from: "pod3", to: rules.clusterIP, port: 80 } as const
    await its().reaches(servers, ask)
    await its().put({ ...rules, affinitySeconds: 3600 })
    await its().reaches([await serverOf(ask)], ask)
    await its().put(rules)
    await its().reaches(servers, ask)
  })
}
