/** Which UDP flows lead nowhere: judged by kube-proxy's own rows. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { serviceRules } from "../../../../src/actors/service/rules/service-rules.ts"
import { endpointsOfSlices } from "../../../../src/actors/service/rules/slices.ts"
import { flowTarget, staleFlows } from "../../../../src/actors/service/rules/stale-flows.ts"
import type { Flow } from "../../../../src/adapters/conntrack/port.ts"
import { itMeets, type RowValue } from "../../../support/cases.ts"
import { sliceOf, specOf } from "./from-api.ts"

const flowOf = ({ forward, reverse }: RowValue): Flow => ({
  family: "IPv4",
  protocol: forward.protocol,
  original: {
    source: "",
    destination: forward.dstIP ?? "",
    sourcePort: 0,
    destinationPort: forward.dstPort
  },
  reply: { source: reverse.srcIP, destination: "", sourcePort: reverse.srcPort ?? 0, destinationPort: 0 }
})
const sorted = (flows: ReadonlyArray<Flow>) => flows.map((flow) => JSON.stringify(flow)).toSorted()

describe("UDP flows", () => {
  itMeets(
    "conntrack.json",
    "TestCleanStaleEntries, TestServiceWithoutEndpoints",
    "to servers that are gone go, and no others",
    ({ in: { service, endpointSlice, ipFamily, flows }, want }) => {
      const { namespace, name } = service.metadata
      const slice = sliceOf(endpointSlice)
      const endpoints = endpointsOfSlices(slice?.service === name ? [slice as NonNullable<typeof slice>] : [])
      const rules = serviceRules({ namespace, name, spec: specOf(service) }, new Map(), { nodeName: "here" }, [
        ipFamily
      ])
      const targets = rules.map((port) =>
        flowTarget(port, endpoints.get(`${port.portName}/${port.protocol}`)?.values() ?? [])
      )
      const all: ReadonlyArray<Flow> = flows.map(flowOf)
      // Rows of node ports name no address.
      const stale = new Set(staleFlows(all, targets, (address) => address === ""))
      assert.deepEqual(sorted(all.filter((flow) => !stale.has(flow))), sorted(want.flows.map(flowOf)))
      return undefined
    }
  )

  it("through this node to somebody else's port are left alone, though a Service has that number as node port", () => {
    const target = flowTarget(
      {
        family: "IPv4",
        protocol: "UDP",
        port: 53,
        nodePort: 32_000,
        clusterIP: "10.96.0.10",
        externalIPs: [],
        loadBalancerIPs: []
      },
      [{ address: "10.0.0.1", port: 53, serving: true }]
    )
    const flow = (destination: string, family: "IPv4" | "IPv6" = "IPv4"): Flow => ({
      family,
      protocol: "UDP",
      original: { source: "10.0.0.9", destination, sourcePort: 4000, destinationPort: 32_000 },
      reply: { source: "10.0.0.2", destination: "10.0.0.9", sourcePort: 53, destinationPort: 4000 }
    })
    const own = flow("192.0.2.1")
    const flows = [own, flow("198.51.100.7"), flow("2001:db8::1", "IPv6")]
    const found = staleFlows(flows, [target], (address) => address === "192.0.2.1" || address === "2001:db8::1")
    assert.deepEqual(found, [own])
  })
})
