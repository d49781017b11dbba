/** A state of kube-proxy's rows of nftables in the words of this program. */
import { vantageOf } from "../../../../src/actors/service/rules/endpoint.ts"
import { nodePortAddresses } from "../../../../src/actors/service/rules/node-port-addresses.ts"
import { healthCheckPortOf } from "../../../../src/actors/service/rules/service-port.ts"
import { serviceRules } from "../../../../src/actors/service/rules/service-rules.ts"
import { endpointsOfSlices } from "../../../../src/actors/service/rules/slices.ts"
import type { DataplaneSettings, Desired } from "../../../../src/adapters/dataplane/port.ts"
import type { IpFamily } from "../../../../src/events/service-shape.ts"
import { sliceOf, specOf } from "../../../actors/service/rules/from-api.ts"
import type { RowValue } from "../../../support/cases.ts"

export interface RowState {
  readonly family: IpFamily
  readonly settings: DataplaneSettings
  readonly desired: Desired
  readonly nodeIPs: ReadonlyArray<string>
}

export const settingsOf = (more: Partial<DataplaneSettings>): DataplaneSettings => ({
  name: "chronode",
  families: ["IPv4", "IPv6"],
  masqueradeAll: false,
  masqueradeBit: 14,
  localDetector: { by: "none" },
  localhostNodePorts: false,
  ipvs: { scheduler: "rr", strictARP: false, excludeCIDRs: [], tcpTimeout: 0, tcpFinTimeout: 0, udpTimeout: 0 },
  ...more
})

export const stateOf = ({ config, services, endpointSlices, nodeIPs }: RowValue): RowState => {
  const family: IpFamily = config.ipFamily
  const vantage = vantageOf(config.nodeName, config.topologyLabels ?? {})
  const slices = (endpointSlices ?? []).map(sliceOf)
  const onNode: ReadonlyArray<string> = nodeIPs ?? [config.nodeIP]
  const { addresses } = nodePortAddresses(
    config.nodePortAddresses,
    [...onNode, "127.0.0.1", "::1"].map((address) => ({ interface: "", address })),
    family
  )
  const rules = services.flatMap((service: RowValue) => {
    const { namespace, name } = service.metadata
    const own = slices.filter((slice: RowValue) => slice.namespace === namespace && slice.service === name)
    const endpoints = new Map([...endpointsOfSlices(own)].map(([port, each]) => [port, [...each.values()]]))
    return serviceRules({ namespace, name, spec: specOf(service) }, endpoints, vantage, [family])
  })
  const { localDetector, masqueradeAll, serviceCIDRs } = config
  return {
    family,
    settings: settingsOf({
      families: [family],
      masqueradeAll,
      localDetector: localDetector === null ? { by: "none" } : { by: "cidr", cidrs: [localDetector[1]] },
      serviceCIDRs: serviceCIDRs.split(",")
    }),
    desired: {
      rules,
      nodePortAddresses: addresses,
      healthCheckPorts: services.flatMap((service: RowValue) => healthCheckPortOf(specOf(service)) ?? [])
    },
    nodeIPs: onNode
  }
}
