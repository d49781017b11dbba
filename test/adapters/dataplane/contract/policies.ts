/** Which servers traffic may go to, by where it comes from: traffic policies, source ranges, masquerading. */
import assert from "node:assert/strict"
import { it } from "node:test"
import type { IpFamily } from "../../../../src/events/service-shape.ts"
import { plan } from "../../../support/netlab/lab.ts"
import { assertMasqueraded, having, type World } from "./world.ts"

export const policyTests = (its: () => World, family: IpFamily): void => {
  const { pods, node, client, otherClient, podCidr } = plan[family]

  it("keeps outside traffic of the policy Local on this node, with the client's address", async () => {
    for (const protocol of ["TCP", "UDP"] as const) {
      const rules = its().service(family, ["pod1", "remote"], { protocol, externalLocal: true })
      await its().resync([rules])
      const fronts = [
        [node, rules.nodePort!],
        [rules.loadBalancerIPs[0]!, 80],
        [rules.externalIPs[0]!, 80]
      ] as const
      for (const [to, port] of fronts) {
        assert.deepEqual(await its().reaches(["pod1"], { from: "client", to, port, protocol }), [client])
        // Traffic of the cluster's own takes the short cut: all servers are good for it.
        await its().reaches(["pod1", "remote"], { from: "pod3", to, port, protocol })
        await its().reaches(["pod1", "remote"], { from: "node", to, port, protocol })
      }
      await its().reaches(["pod1", "remote"], { from: "pod3", to: rules.clusterIP, port: 80, protocol })
    }
  })

  it("drops outside traffic of the policy Local where no server is on this node", async (t) => {
    const reason = its().subject.deviations["dropped without a local server"]
    if (reason !== undefined) return t.skip(reason)
    const rules = its().service(family, ["remote"], { externalLocal: true })
    await its().resync([rules])
    await Promise.all([
      its().silent({ from: "client", to: node, port: rules.nodePort! }),
      its().silent({ from: "client", to: rules.loadBalancerIPs[0]!, port: 80 }),
      its().silent({ from: "client", to: rules.externalIPs[0]!, port: 80 }),
      its().reaches(["remote"], { from: "pod1", to: rules.loadBalancerIPs[0]!, port: 80 }),
      its().reaches(["remote"], { from: "pod1", to: rules.clusterIP, port: 80 })
    ])
    await its().put({ ...rules, ...having(family, ["remote", "pod2"]) })
    assert.deepEqual(await its().reaches(["pod2"], { from: "client", to: node, port: rules.nodePort! }), [client])
  })

  it("keeps the cluster's own traffic of the policy Local on this node", async () => {
    const rules = its().service(family, ["pod1", "remote"], { internalLocal: true })
    await its().resync([rules])
    await its().reaches(["pod1"], { from: "pod3", to: rules.clusterIP, port: 80 })
    await its().reaches(["pod1"], { from: "node", to: rules.clusterIP, port: 80 })
    await its().reaches(["pod1", "remote"], { from: "client", to: node, port: rules.nodePort! })
  })

  it("drops the cluster's own traffic of the policy Local where no server is on this node", async (t) => {
    const reason = its().subject.deviations["dropped without a local server"]
    if (reason !== undefined) return t.skip(reason)
    const rules = its().service(family, ["remote"], { internalLocal: true })
    await its().resync([rules])
    await Promise.all([
      its().silent({ from: "pod3", to: rules.clusterIP, port: 80 }),
      its().unanswered({ from: "node", to: rules.clusterIP, port: 80 }),
      its().reaches(["remote"], { from: "client", to: node, port: rules.nodePort! })
    ])
  })

  it("lets the source ranges alone use the load balancer's address", async () => {
    for (const protocol of ["TCP", "UDP"] as const) {
      const one = family === "IPv4" ? 32 : 128
      const rules = its().service(family, ["pod1"], { protocol, sourceRanges: [`${client}/${one}`] })
      await its().resync([rules])
      const balancer = { to: rules.loadBalancerIPs[0]!, port: 80, protocol }
      await Promise.all([
        its().reaches(["pod1"], { from: "client", ...balancer }),
        its().silent({ from: "client", source: otherClient, ...balancer }),
        // Its other addresses are open to all.
        its().reaches(["pod1"], { from: "client", source: otherClient, to: node, port: rules.nodePort!, protocol }),
        its().reaches(["pod1"], {
          ...{ from: "client", source: otherClient, to: rules.externalIPs[0]!, port: 80, protocol }
        })
      ])
      await its().put({ ...rules, sourceRanges: [] })
      await its().reaches(["pod1"], { from: "client", source: otherClient, ...balancer })
    }
  })

  it("judges pods and the node by the source ranges too", async (t) => {
    const reason = its().subject.deviations["source ranges for pods and the node"]
    if (reason !== undefined) return t.skip(reason)
    const rules = its().service(family, ["pod1"], { sourceRanges: [podCidr] })
    await its().resync([rules])
    const balancer = { to: rules.loadBalancerIPs[0]!, port: 80 }
    await Promise.all([
      its().reaches(["pod1"], { from: "pod3", ...balancer }),
      its().silent({ from: "client", ...balancer }),
      its().unanswered({ from: "node", ...balancer }),
      its().reaches(["pod1"], { from: "node", to: rules.clusterIP, port: 80 })
    ])
  })

  it("masquerades all when it is told to", async () => {
    await its().restart({ masqueradeAll: true })
    const rules = its().service(family, ["pod1", "remote"])
    await its().resync([rules])
    const to = { to: rules.clusterIP, port: 80 }
    assertMasqueraded(family, await its().reaches(["pod1", "remote"], { from: "pod3", ...to }))
    await its().restart()
    await its().resync([rules])
    assert.deepEqual(await its().reaches(["pod1", "remote"], { from: "pod3", ...to }), [pods.pod3])
  })

  it("tells pods by the interface that they come from", async (t) => {
    const reason = its().subject.deviations["masquerades by interface"]
    if (reason !== undefined) return t.skip(reason)
    for (const localDetector of [
      { by: "bridge", name: "pods" },
      { by: "prefix", prefix: "po" }
    ] as const) {
      await its().restart({ localDetector })
      const rules = its().service(family, ["pod1"])
      await its().resync([rules])
      const to = { to: rules.clusterIP, port: 80 }
      assert.deepEqual(await its().reaches(["pod1"], { from: "pod3", ...to }), [pods.pod3], localDetector.by)
      assertMasqueraded(family, await its().reaches(["pod1"], { from: "client", ...to }))
    }
    await its().restart()
  })

  it("keeps all addresses at the cluster IP where it cannot tell pods from others", async () => {
    await its().restart({ localDetector: { by: "none" } })
    const rules = its().service(family, ["pod1"])
    await its().resync([rules])
    const to = { to: rules.clusterIP, port: 80 }
    assert.deepEqual(await its().reaches(["pod1"], { from: "client", ...to }), [client])
    assertMasqueraded(family, await its().reaches(["pod1"], { from: "client", to: node, port: rules.nodePort! }))
    await its().restart()
  })
}
