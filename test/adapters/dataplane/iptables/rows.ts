/** A state of kube-proxy's rows of iptables in the words of this program. */
import { vantageOf } from "../../../../src/actors/service/rules/endpoint.ts"
import { nodePortAddresses } from "../../../../src/actors/service/rules/node-port-addresses.ts"
import { healthCheckPortOf } from "../../../../src/actors/service/rules/service-port.ts"
import { serviceRules } from "../../../../src/actors/service/rules/service-rules.ts"
import { endpointsOfSlices } from "../../../../src/actors/service/rules/slices.ts"
import type { Context } from "../../../../src/adapters/dataplane/iptables/context.ts"
import { zeroCidr } from "../../../../src/adapters/dataplane/iptables/context.ts"
import { nodePortsOf } from "../../../../src/adapters/dataplane/iptables/fixed.ts"
import type { ServiceRules } from "../../../../src/adapters/dataplane/port.ts"
import { ipFamilyOf } from "../../../../src/events/ip-address.ts"
import { sliceOf, specOf } from "../../../actors/service/rules/from-api.ts"
import type { RowValue } from "../../../support/cases.ts"

export interface RowState {
  readonly context: Context
  readonly rules: ReadonlyArray<ServiceRules>
  readonly healthCheckPorts: ReadonlyArray<number>
}

/** Bit of the mark in all rows: 0x4000. */
const masqueradeBit = 14

export const stateOf = ({ config, services, endpointSlices, nodeIPs }: RowValue): RowState => {
  const family = config.ipFamily
  const vantage = vantageOf(config.nodeName, config.topologyLabels ?? {})
  const slices = (endpointSlices ?? []).map(sliceOf)
  const addresses: ReadonlyArray<string> = [...(nodeIPs ?? [config.nodeIP]), "127.0.0.1", "::1"]
  const { matchAll, addresses: answering } = nodePortAddresses(
    config.nodePortAddresses,
    addresses.map((address) => ({ interface: "", address })),
    family
  )
  const rules = services.flatMap((service: RowValue) => {
    const { namespace, name } = service.metadata
    const own = slices.filter((slice: RowValue) => slice.namespace === namespace && slice.service === name)
    const endpoints = new Map([...endpointsOfSlices(own)].map(([port, each]) => [port, [...each.values()]]))
    return serviceRules({ namespace, name, spec: specOf(service) }, endpoints, vantage, [family])
  })
  return {
    context: {
      family,
      settings: {
        masqueradeAll: config.masqueradeAll,
        masqueradeBit,
        localDetector:
          config.localDetector === null ? { by: "none" } : { by: "cidr", cidrs: [config.localDetector[1]] },
        localhostNodePorts: config.localhostNodePorts
      },
      nodePorts: nodePortsOf(matchAll ? [zeroCidr[family as "IPv4" | "IPv6"]] : answering, family),
      nodeAddresses: addresses.filter((address) => ipFamilyOf(address) === family && address !== "127.0.0.1"),
      comments: true
    },
    rules,
    healthCheckPorts: services.flatMap((service: RowValue) => healthCheckPortOf(specOf(service)) ?? [])
  }
}
