/** What holds of the rules of any Service with any endpoints. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import {
  type Endpoint,
  endpointKey,
  familyOf,
  isLocal,
  portKey
} from "../../../../src/actors/service/rules/endpoint.ts"
import { reachableServers, serverChanges, serviceRules } from "../../../../src/actors/service/rules/service-rules.ts"
import { rulesKey } from "../../../../src/adapters/dataplane/port.ts"
import type { Protocol, ServiceSpec } from "../../../../src/events/service-shape.ts"
import { type Random, roundsOr, seededRandom } from "../../../support/random.ts"

const vantage = { nodeName: "a", zone: "x" }
const families = ["IPv4", "IPv6"] as const

const specOf = ({ chance, int, pick }: Random): ServiceSpec => ({
  type: pick(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]),
  clusterIPs: [...(chance(0.8) ? ["10.96.0.1"] : []), ...(chance(0.5) ? ["fd00:96::1"] : [])],
  ports: Array.from({ length: int(1, 3) }, (_, i) => ({
    name: `p${i}`,
    protocol: pick(["TCP", "UDP", "SCTP"]),
    port: 80 + i,
    targetPort: 8080,
    ...(chance(0.3) ? { nodePort: 30_000 + i } : {})
  })),
  ...(chance(0.3) ? { externalIPs: ["192.0.2.1", "2001:db8::1"] } : {}),
  ...(chance(0.3) ? { loadBalancerIPs: ["198.51.100.1"] } : {}),
  ...(chance(0.3) ? { loadBalancerSourceRanges: ["10.0.0.0/8", "nonsense", "fd00::/8"] } : {}),
  ...(chance(0.3) ? { internalLocal: true } : {}),
  ...(chance(0.3) ? { externalLocal: true } : {}),
  ...(chance(0.3) ? { trafficDistribution: pick(["PreferClose", "PreferSameNode", "Unheard"]) } : {}),
  ...(chance(0.05) ? { proxyName: "other" } : {})
})

const endpointsOf = ({ chance, int, pick }: Random): ReadonlyArray<Endpoint> =>
  Array.from({ length: int(0, 8) }, (_, i) => ({
    address: chance(0.7) ? `10.0.0.${i}` : `fd00::${i}`,
    port: 8080,
    ready: chance(0.5),
    serving: chance(0.5),
    terminating: chance(0.3),
    ...(chance(0.8) ? { node: pick(["a", "b"]) } : {}),
    ...(chance(0.5) ? { zone: pick(["x", "y"]) } : {}),
    ...(chance(0.4) ? { zoneHints: [pick(["x", "y"])] } : {}),
    ...(chance(0.3) ? { nodeHints: [pick(["a", "b"])] } : {})
  }))

describe("rules of any Service", () => {
  it("send to servers of their family that are ready, or to none but those that are being ended and answer", () => {
    const random = seededRandom("rules of Services")
    for (let round = 0; round < roundsOr(3000); round++) {
      const spec = specOf(random)
      const endpoints = new Map(
        spec.ports.map(({ name, protocol }) => [portKey(name, protocol as Protocol), endpointsOf(random)])
      )
      const rules = serviceRules({ namespace: "n", name: "s", spec }, endpoints, vantage, families)
      assert.equal(new Set(rules.map(rulesKey)).size, rules.length)
      if (spec.type === "ExternalName" || spec.proxyName !== undefined) assert.deepEqual(rules, [])
      for (const one of rules) {
        const all = (endpoints.get(portKey(one.portName, one.protocol)) ?? []).filter(
          ({ address }) => familyOf(address) === one.family
        )
        const byKey = new Map(all.map((endpoint) => [endpointKey(endpoint), endpoint]))
        const usable = all.filter((e) => e.ready || (e.serving && e.terminating))
        for (const [servers, isOfPolicy] of [
          [one.cluster, () => true],
          [one.local, (endpoint: Endpoint) => isLocal(endpoint, vantage)]
        ] as const) {
          const known = servers.map(({ ip, port }) => byKey.get(endpointKey({ address: ip, port })) as Endpoint)
          assert.ok(known.every((endpoint) => endpoint !== undefined && isOfPolicy(endpoint)))
          assert.equal(new Set(known).size, known.length, "none twice")
          for (const [i, { local }] of servers.entries()) assert.equal(local, isLocal(known[i] as Endpoint, vantage))
          const anyReady = all.some((endpoint) => endpoint.ready && isOfPolicy(endpoint))
          assert.ok(known.every((e) => (anyReady ? e.ready : e.serving && e.terminating)))
        }
        const policies = one.internalLocal || one.externalLocal
        if (!one.internalLocal && usable.length > 0) assert.ok(one.cluster.length > 0, "somebody serves")
        assert.equal(one.hasAny, policies || !one.internalLocal ? usable.length > 0 : one.hasAny)
        for (const ip of [...one.externalIPs, ...one.loadBalancerIPs]) assert.equal(familyOf(ip), one.family)
        assert.deepEqual(serverChanges(one, one), { added: [], removed: [] })
        assert.equal(serverChanges(undefined, one).added.length, reachableServers(one).size)
      }
    }
  })
})
