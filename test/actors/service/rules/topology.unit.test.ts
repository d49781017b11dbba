/** Which endpoints a node uses: judged by kube-proxy's own rows, and where this program goes further. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type Endpoint, vantageOf } from "../../../../src/actors/service/rules/endpoint.ts"
import { reachableServers } from "../../../../src/actors/service/rules/service-rules.ts"
import { categorizeEndpoints } from "../../../../src/actors/service/rules/topology.ts"
import { itMeets, type RowValue } from "../../../support/cases.ts"
import { endpointOf, here } from "./from-api.ts"

const addressesOf = (endpoints: ReadonlyArray<Endpoint>): ReadonlyArray<string> =>
  endpoints.map(({ address, port }) => `${address}:${port}`).toSorted()

const policies = {
  internalLocal: false,
  externalLocal: false,
  externallyAccessible: false
}
const vantage = { nodeName: "node-a", zone: "zone-a" }
const ready = { ready: true, serving: true, terminating: false }

describe("endpoints of a Service on this node", () => {
  itMeets(
    "proxy-topology.json",
    "TestCategorizeEndpoints",
    "are chosen by policy, readiness and hints",
    ({ in: given, want, gates }) => {
      const { nodePort, loadBalancerVIPs, externalIPs, externalPolicyLocal, internalPolicyLocal } = given.service
      const nodeName = given.nodeName === "" ? here : given.nodeName
      const endpoints = given.endpoints.map((row: RowValue) => {
        const { nodeHints, ...endpoint } = endpointOf(row)
        // With the gate off, which is locked on by now, nobody read hints for nodes.
        const hints = nodeHints === undefined || gates?.["PreferSameTrafficDistribution"] === false ? {} : { nodeHints }
        return { ...endpoint, ...hints, ...(row.isLocal ? { node: nodeName } : {}) }
      })
      const found = categorizeEndpoints<Endpoint>(
        endpoints,
        {
          internalLocal: internalPolicyLocal,
          externalLocal: externalPolicyLocal,
          externallyAccessible: nodePort !== 0 || loadBalancerVIPs !== null || externalIPs !== null
        },
        vantageOf(nodeName, given.nodeLabels ?? {})
      )
      assert.deepEqual(addressesOf(found.cluster), (want.cluster ?? []).toSorted(), "cluster")
      assert.deepEqual(addressesOf(found.local), (want.local ?? []).toSorted(), "local")
      assert.equal(found.hasAny, want.hasAny, "hasAny")
      const servers = (list: ReadonlyArray<Endpoint>) =>
        list.map(({ address, port }) => ({ ip: address, port, local: false }))
      const reachable = reachableServers({ cluster: servers(found.cluster), local: servers(found.local) })
      assert.deepEqual([...reachable.keys()].toSorted(), (want.all ?? []).toSorted(), "all")
      return undefined
    }
  )

  it("are those of the node's zone where the Service asks for it and nobody gave hints", () => {
    const at = (address: string, zone?: string): Endpoint => ({
      address,
      port: 80,
      ...ready,
      ...(zone === undefined ? {} : { zone })
    })
    const chosen = (endpoints: ReadonlyArray<Endpoint>, trafficDistribution?: string) =>
      addressesOf(categorizeEndpoints(endpoints, { ...policies, trafficDistribution }, vantage).cluster)
    const both = [at("10.0.0.1", "zone-a"), at("10.0.0.2", "zone-b")]
    assert.deepEqual(chosen(both), ["10.0.0.1:80", "10.0.0.2:80"])
    assert.deepEqual(chosen(both, "PreferClose"), ["10.0.0.1:80"])
    assert.deepEqual(chosen(both, "PreferSameZone"), ["10.0.0.1:80"])
    assert.deepEqual(chosen([at("10.0.0.2", "zone-b")], "PreferSameZone"), ["10.0.0.2:80"])
    assert.deepEqual(chosen([...both, at("10.0.0.3")], "PreferSameZone").length, 3, "one is in no known zone")
  })

  it("are those of the node itself where the Service asks for it", () => {
    const at = (address: string, node: string): Endpoint => ({ address, port: 80, ...ready, node, zone: "zone-a" })
    const endpoints = [at("10.0.0.1", "node-a"), at("10.0.0.2", "node-b")]
    const chosen = (list: ReadonlyArray<Endpoint>) =>
      addressesOf(categorizeEndpoints(list, { ...policies, trafficDistribution: "PreferSameNode" }, vantage).cluster)
    assert.deepEqual(chosen(endpoints), ["10.0.0.1:80"])
    assert.deepEqual(chosen(endpoints.slice(1)), ["10.0.0.2:80"], "none is here: those of the zone")
  })

  it("keep the hints that their slice gives, whatever the Service asks for", () => {
    const endpoints: ReadonlyArray<Endpoint> = [
      { address: "10.0.0.1", port: 80, ...ready, zone: "zone-a", zoneHints: ["zone-b"] },
      { address: "10.0.0.2", port: 80, ...ready, zone: "zone-b", zoneHints: ["zone-a"] }
    ]
    const found = categorizeEndpoints(endpoints, { ...policies, trafficDistribution: "PreferSameZone" }, vantage)
    assert.deepEqual(addressesOf(found.cluster), ["10.0.0.2:80"])
  })
})
