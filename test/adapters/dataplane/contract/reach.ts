/** What of a Service can be reached, from where, and as whom the servers see it. */
import assert from "node:assert/strict"
import { it } from "node:test"
import type { IpFamily, Protocol } from "../../../../src/events/service-shape.ts"
import { plan } from "../../../support/netlab/lab.ts"
import { assertMasqueraded, families, having, type World } from "./world.ts"

export const reachTests = (its: () => World, family: IpFamily): void => {
  const { pods, node, otherNodeAddress, client } = plan[family]

  for (const protocol of ["TCP", "UDP", "SCTP"] as const satisfies ReadonlyArray<Protocol>) {
    it(`spreads ${protocol} to the cluster IP over all servers, from pods and from the node`, async (t) => {
      const world = its()
      if (!world.lab.protocols.has(protocol)) return t.skip(`this kernel has no ${protocol} sockets`)
      const rules = world.service(family, ["pod1", "pod2", "remote"], { protocol })
      await world.resync([rules])
      const to = { to: rules.clusterIP, port: 80, protocol }
      const seen = await world.reaches(["pod1", "pod2", "remote"], { from: "pod3", ...to })
      assert.deepEqual(seen, [pods.pod3], "a pod's own address is kept")
      const answers = await world.lab.ask(90, { from: "pod3", ...to })
      for (const server of ["pod1", "pod2", "remote"]) {
        const share = answers.filter((answer) => answer.outcome === "answered" && answer.server === server).length
        assert.ok(share >= 9, `${server} has ${share} of 90`)
      }
      const reason = world.subject.deviations["the node's own SCTP over IPv6"]
      if (protocol === "SCTP" && family === "IPv6" && reason !== undefined) return t.skip(reason)
      assertMasqueraded(family, await world.reaches(["pod1", "pod2", "remote"], { from: "node", ...to }))
    })

    it(`opens the node port, load balancer and external IP for ${protocol}, from everywhere`, async (t) => {
      const world = its()
      if (!world.lab.protocols.has(protocol)) return t.skip(`this kernel has no ${protocol} sockets`)
      const rules = world.service(family, ["pod1", "remote"], { protocol })
      await world.resync([rules])
      for (const [to, port] of [
        [node, rules.nodePort!],
        [rules.loadBalancerIPs[0]!, 80],
        [rules.externalIPs[0]!, 80]
      ] as const) {
        const outside = await world.reaches(["pod1", "remote"], { from: "client", to, port, protocol })
        assertMasqueraded(family, outside)
        await world.reaches(["pod1", "remote"], { from: "pod3", to, port, protocol })
        await world.reaches(["pod1", "remote"], { from: "node", to, port, protocol })
      }
    })
  }

  it("masquerades clients from outside of the cluster at the cluster IP", async () => {
    const rules = its().service(family, ["pod1", "remote"])
    await its().resync([rules])
    assertMasqueraded(
      family,
      await its().reaches(["pod1", "remote"], { from: "client", to: rules.clusterIP, port: 80 })
    )
  })

  it("leads a pod to itself through its Service", async () => {
    for (const protocol of ["TCP", "UDP"] as const) {
      const rules = its().service(family, ["pod1"], { protocol })
      await its().resync([rules])
      for (const to of [rules.clusterIP, rules.loadBalancerIPs[0]!]) {
        const seen = await its().reaches(["pod1"], { from: "pod1", to, port: 80, protocol })
        assertMasqueraded(family, seen)
      }
    }
  })

  it("answers on the Service's ports alone", async () => {
    const rules = its().service(family, ["pod1"])
    await its().resync([rules])
    await its().reaches(["pod1"], { from: "pod2", to: rules.clusterIP, port: 80 })
    await its().unanswered({ from: "pod2", to: rules.clusterIP, port: 81 })
    await its().unanswered({ from: "pod2", to: rules.clusterIP, port: 80, protocol: "UDP" })
    await its().unanswered({ from: "client", to: node, port: rules.nodePort! + 1 })
  })

  it("keeps two ports of one address apart", async () => {
    const dns = its().service(family, ["pod1"], { port: 53, protocol: "UDP", portName: "dns" })
    const { clusterIP, name } = dns
    const tcp = its().service(family, ["pod2"], { clusterIP, name, port: 53, portName: "dns-tcp" })
    const metrics = its().service(family, [], {
      ...{ clusterIP, name, port: 9153, portName: "metrics" },
      ...having(family, ["pod3"], 8081)
    })
    await its().resync([dns, tcp, metrics])
    await its().reaches(["pod1"], { from: "pod1", to: clusterIP, port: 53, protocol: "UDP" })
    await its().reaches(["pod2"], { from: "pod1", to: clusterIP, port: 53 })
    await its().reaches(["pod3"], { from: "pod1", to: clusterIP, port: 9153 })
  })

  it("opens node ports on the node port addresses alone", async (t) => {
    const reason = its().subject.deviations["node ports on some addresses only"]
    if (reason !== undefined) return t.skip(reason)
    const rules = its().service(family, ["pod1"])
    await its().resync([rules])
    const port = rules.nodePort!
    await its().reaches(["pod1"], { from: "client", to: node, port })
    await its().unanswered({ from: "client", to: otherNodeAddress, port })
    await its().unanswered({ from: "node", to: family === "IPv4" ? "127.0.0.1" : "::1", port })
    await its().resync([rules], { nodePortAddresses: families.map((each) => plan[each].otherNodeAddress) })
    await its().reaches(["pod1"], { from: "client", to: otherNodeAddress, port })
    await its().unanswered({ from: "client", to: node, port })
  })

  it("answers node ports on 127.0.0.1 where it is told to, and can", async (t) => {
    if (its().subject.mode !== "iptables") return t.skip("node ports on 127.0.0.1 are iptables' alone")
    if (family !== "IPv4") return t.skip("IPv6 has no way from ::1 to another address")
    const rules = its().service(family, ["pod1", "remote"])
    const ask = { from: "node", to: "127.0.0.1", port: rules.nodePort! } as const
    await its().restart({ localhostNodePorts: true })
    await its().resync([rules], { nodePortAddresses: [node, "127.0.0.1"] })
    await its().reaches(["pod1", "remote"], ask)
    await its().restart()
    await its().resync([rules])
    await its().unanswered(ask)
  })

  it("refuses where there is no server, however it is asked", async () => {
    for (const protocol of ["TCP", "UDP"] as const) {
      const rules = its().service(family, [], { protocol })
      await its().resync([rules])
      const own = [
        { to: rules.clusterIP, port: 80 },
        { to: node, port: rules.nodePort! }
      ]
      const others = [
        { to: rules.loadBalancerIPs[0]!, port: 80 },
        { to: rules.externalIPs[0]!, port: 80 }
      ]
      await Promise.all([
        ...(["pod1", "client"] as const).flatMap((from) =>
          [...own, ...others].map((front) => its().refuses({ from, protocol, ...front }))
        ),
        ...own.map((front) => its().refuses({ from: "node", protocol, ...front })),
        // kube-proxy's iptables has no rule for these on their way out of the node itself.
        ...others.map((front) => its().unanswered({ from: "node", protocol, ...front }))
      ])
      // The same client's same port, as soon as there is a server.
      const again = { from: "pod1", to: rules.clusterIP, port: 80, protocol, sourcePort: 7000 } as const
      await its().refuses(again)
      await its().put({ ...rules, ...having(family, ["pod2"]) })
      const answer = await its().lab.askOnce(again)
      assert.equal(answer.outcome === "answered" && answer.server, "pod2")
    }
  })

  it("leaves the health check's port to the agent", async () => {
    const port = family === "IPv4" ? 32_104 : 32_106
    await its().lab.serve("node", port, "TCP")
    await its().resync([its().service(family, ["pod1"])], { healthCheckPorts: [port] })
    const answer = await its().lab.askOnce({ from: "client", to: node, port })
    assert.deepEqual(answer.outcome === "answered" && [answer.server, answer.client], ["node", client])
  })
}
