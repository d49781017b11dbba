/** What a dataplane hears of a Service: judged by kube-proxy's own rows. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { healthCheckPortOf, isProxied, sourceRangesOf } from "../../../../src/actors/service/rules/service-port.ts"
import { serviceRules } from "../../../../src/actors/service/rules/service-rules.ts"
import { rulesKey } from "../../../../src/adapters/dataplane/port.ts"
import { itMeets, type RowValue } from "../../../support/cases.ts"
import { specOf } from "./from-api.ts"

const vantage = { nodeName: "here" }

describe("a Service", () => {
  itMeets(
    "proxy-services.json",
    "TestServiceToServiceMap",
    "gives one entry for each port, with what is of the family",
    ({ in: { service, ipFamily }, want }) => {
      if (service === null) {
        assert.deepEqual(want.ports, {})
        return undefined
      }
      const { namespace, name } = service.metadata
      const spec = specOf(service)
      const rules = serviceRules({ namespace, name, spec }, new Map(), vantage, [ipFamily])
      const found = Object.fromEntries(
        rules.map((port) => {
          const orNull = (list: ReadonlyArray<string>) => (list.length === 0 ? null : list)
          const key = rulesKey(port).slice(0, -"/IPv4".length)
          return [
            key,
            {
              clusterIP: port.clusterIP,
              port: port.port,
              protocol: port.protocol,
              nodePort: port.nodePort ?? 0,
              loadBalancerVIPs: orNull(port.loadBalancerIPs),
              sessionAffinityType: port.affinitySeconds === undefined ? "" : "ClientIP",
              stickyMaxAgeSeconds: port.affinitySeconds ?? 0,
              externalIPs: orNull(port.externalIPs),
              loadBalancerSourceRanges: orNull(port.sourceRanges),
              healthCheckNodePort: healthCheckPortOf(spec) ?? 0,
              externalPolicyLocal: port.externalLocal,
              internalPolicyLocal: port.internalLocal
            }
          ]
        })
      )
      assert.deepEqual(found, want.ports)
      return undefined
    }
  )
  itMeets("proxy-util.json", "TestShouldSkipService", "is left alone where no address leads to it", (row) => {
    assert.equal(!isProxied(specOf(row.in.service)), row.want.shouldSkip)
    return undefined
  })

  it("of another proxy is left alone", () => {
    assert.equal(isProxied({ type: "ClusterIP", clusterIPs: ["10.0.0.1"], proxyName: "other" }), false)
  })

  it("that lets all sources in has no source ranges", () => {
    assert.deepEqual(sourceRangesOf(["10.1.0.0/16", "0.0.0.0/0", "fd00::/8"], "IPv4"), [])
    assert.deepEqual(sourceRangesOf(["10.1.2.3/16", "nonsense", "::/0"], "IPv4"), ["10.1.0.0/16"])
  })

  it("has an external policy only where it is reached from outside", () => {
    const spec = {
      type: "ClusterIP",
      clusterIPs: ["10.0.0.1"],
      ports: [{ name: "", protocol: "TCP", port: 80, targetPort: 80 }],
      externalLocal: true,
      healthCheckNodePort: 31_000
    } as const
    const externalLocal = (more: RowValue) =>
      serviceRules({ namespace: "a", name: "b", spec: { ...spec, ...more } }, new Map(), vantage, ["IPv4"])[0]
        ?.externalLocal
    assert.equal(externalLocal({}), false)
    assert.equal(externalLocal({ externalIPs: ["192.0.2.1"] }), true)
    assert.equal(externalLocal({ type: "NodePort" }), true)
    assert.equal(healthCheckPortOf({ ...spec, type: "NodePort" }), undefined)
    assert.equal(healthCheckPortOf({ ...spec, type: "LoadBalancer" }), 31_000)
  })
})
