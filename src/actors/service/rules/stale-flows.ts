/**
 * UDP flows that the kernel keeps sending to where no server is any more (`pkg/proxy/conntrack/cleanup.go`). A flow of UDP
 * ends only by silence: one whose server is gone would swallow all that its client sends.
 */
import type { Flow } from "../../../adapters/conntrack/port.ts"
import type { IpFamily, Protocol } from "../../../events/service-shape.ts"
import { type Endpoint, endpointKey } from "./endpoint.ts"

/** One port of a Service in one family, and all its endpoints. */
export interface FlowTarget {
  readonly family: IpFamily
  readonly protocol: Protocol
  readonly port: number
  readonly nodePort?: number
  /** Cluster IP, external IPs and the load balancer's. */
  readonly addresses: ReadonlyArray<string>
  readonly endpoints: Iterable<Pick<Endpoint, "address" | "port" | "serving">>
}

/**
 * Flows to be removed: those to an address and port, or to a node port, of a Service whose answers come from no endpoint that
 * serves. A Service without such endpoints is let be: packets to it are rejected, and make no flows that last. `isNodeAddress`
 * tells which addresses answer node ports, so that flows through this node to somebody else's port are left alone.
 */
export const staleFlows = (
  flows: Iterable<Flow>,
  targets: Iterable<FlowTarget>,
  isNodeAddress: (address: string) => boolean
): ReadonlyArray<Flow> => {
  const byAddress = new Map<string, ReadonlySet<string>>()
  const byNodePort = new Map<string, ReadonlySet<string>>()
  for (const target of targets) {
    if (target.protocol !== "UDP") continue
    const serving = new Set<string>()
    for (const endpoint of target.endpoints) if (endpoint.serving) serving.add(endpointKey(endpoint))
    if (serving.size === 0) continue
    for (const address of target.addresses) byAddress.set(endpointKey({ address, port: target.port }), serving)
    if (target.nodePort !== undefined) byNodePort.set(`${target.family} ${target.nodePort}`, serving)
  }
  if (byAddress.size === 0 && byNodePort.size === 0) return []
  const stale: Array<Flow> = []
  for (const flow of flows) {
    if (flow.protocol !== "UDP") continue
    const { destination, destinationPort } = flow.original
    const serving =
      byAddress.get(endpointKey({ address: destination, port: destinationPort })) ??
      (isNodeAddress(destination) ? byNodePort.get(`${flow.family} ${destinationPort}`) : undefined)
    if (serving === undefined) continue
    if (!serving.has(endpointKey({ address: flow.reply.source, port: flow.reply.sourcePort }))) stale.push(flow)
  }
  return stale
}

/** What `staleFlows` has to know of one port of a Service in one family: of its rules, and of all its endpoints. */
export const flowTarget = (
  rules: {
    readonly family: IpFamily
    readonly protocol: Protocol
    readonly port: number
    readonly nodePort?: number
    readonly clusterIP: string
    readonly externalIPs: ReadonlyArray<string>
    readonly loadBalancerIPs: ReadonlyArray<string>
  },
  endpoints: FlowTarget["endpoints"]
): FlowTarget => ({
  family: rules.family,
  protocol: rules.protocol,
  port: rules.port,
  ...(rules.nodePort === undefined ? {} : { nodePort: rules.nodePort }),
  addresses: [rules.clusterIP, ...rules.externalIPs, ...rules.loadBalancerIPs],
  endpoints
})
