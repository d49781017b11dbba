/** A Service and its endpoints → what the kernel has to know of it, one entry per port and family of addresses. Pure. */
import type { Server, ServiceRules } from "../../../adapters/dataplane/port.ts"
import type { IpFamily, ServicePort, ServiceSpec } from "../../../events/service-shape.ts"
import { type Endpoint, endpointKey, familyOf, isLocal, portKey, type Vantage } from "./endpoint.ts"
import {
  addressesOf,
  healthCheckPortOf,
  isExternalLocal,
  isExternallyAccessible,
  type ServiceAddresses
} from "./service-port.ts"
import { categorizeEndpoints } from "./topology.ts"

export interface ServedService {
  readonly namespace: string
  readonly name: string
  readonly spec: ServiceSpec
}

/** Endpoints of a Service by `portKey`, of both families; a port without any may be absent. */
export type EndpointsByPort = Pick<ReadonlyMap<string, Iterable<Endpoint>>, "get" | "values">

/**
 * Rules of one port in one family. `endpoints` are all of this port and family; takes time in proportion to them, and is
 * cheap for few: call it for the ports whose endpoints changed. Undefined: the Service is not to be reached by this family.
 */
export const portRules = (
  service: ServedService,
  port: ServicePort,
  family: IpFamily,
  endpoints: ReadonlyArray<Endpoint>,
  vantage: Vantage
): ServiceRules | undefined => {
  const addresses = addressesOf(service.spec, family)
  return addresses === undefined ? undefined : rulesFor(service, port, addresses, endpoints, vantage)
}

const rulesFor = (
  { namespace, name, spec }: ServedService,
  port: ServicePort,
  addresses: ServiceAddresses,
  endpoints: ReadonlyArray<Endpoint>,
  vantage: Vantage
): ServiceRules => {
  const internalLocal = spec.internalLocal === true
  const externalLocal = isExternalLocal(spec)
  const { cluster, local, hasAny } = categorizeEndpoints(
    endpoints,
    {
      internalLocal,
      externalLocal,
      externallyAccessible: isExternallyAccessible(port, addresses),
      trafficDistribution: spec.trafficDistribution
    },
    vantage
  )
  const serverOf = (endpoint: Endpoint): Server => ({
    ip: endpoint.address,
    port: endpoint.port,
    local: isLocal(endpoint, vantage)
  })
  return {
    namespace,
    name,
    portName: port.name,
    family: addresses.family,
    protocol: port.protocol,
    clusterIP: addresses.clusterIP,
    port: port.port,
    ...(port.nodePort === undefined ? {} : { nodePort: port.nodePort }),
    externalIPs: addresses.externalIPs,
    loadBalancerIPs: addresses.loadBalancerIPs,
    sourceRanges: addresses.sourceRanges,
    ...(spec.affinitySeconds === undefined ? {} : { affinitySeconds: spec.affinitySeconds }),
    internalLocal,
    externalLocal,
    cluster: cluster.map(serverOf),
    local: local.map(serverOf),
    hasAny
  }
}

const noEndpoints: ReadonlyArray<Endpoint> = []

/** Rules of all ports of a Service in these families; none of a Service that is headless, ExternalName or another proxy's. */
export const serviceRules = (
  service: ServedService,
  endpoints: EndpointsByPort,
  vantage: Vantage,
  families: ReadonlyArray<IpFamily>
): ReadonlyArray<ServiceRules> =>
  families.flatMap((family) => {
    const addresses = addressesOf(service.spec, family)
    if (addresses === undefined) return []
    return service.spec.ports.map((port) => {
      const all = endpoints.get(portKey(port.name, port.protocol))
      const own =
        all === undefined ? noEndpoints : Array.from(all).filter(({ address }) => familyOf(address) === family)
      return rulesFor(service, port, addresses, own, vantage)
    })
  })

/**
 * What a load balancer is told at the health check node port: how many ready endpoints of the Service are on this node, each
 * address once (`pkg/proxy/endpointschangetracker.go`, LocalReadyEndpoints). Undefined: it has no such port.
 */
export const healthCheckOf = (
  service: ServedService,
  endpoints: EndpointsByPort,
  vantage: Vantage
): { readonly port: number; readonly localReady: number } | undefined => {
  const port = healthCheckPortOf(service.spec)
  return port === undefined ? undefined : { port, localReady: localReadyAddresses(endpoints, vantage).size }
}

/** Addresses of ready endpoints on this node. */
export const localReadyAddresses = (endpoints: EndpointsByPort, vantage: Vantage): ReadonlySet<string> => {
  const addresses = new Set<string>()
  for (const ofPort of endpoints.values()) {
    for (const endpoint of ofPort) {
      if (endpoint.ready && isLocal(endpoint, vantage)) addresses.add(endpoint.address)
    }
  }
  return addresses
}

/** All servers that rules send anything to, by `endpointKey`: those for policy Cluster and those for policy Local. */
export const reachableServers = (rules: Pick<ServiceRules, "cluster" | "local">): ReadonlyMap<string, Server> => {
  const servers = new Map<string, Server>()
  for (const list of [rules.cluster, rules.local]) {
    for (const server of list) servers.set(endpointKey({ address: server.ip, port: server.port }), server)
  }
  return servers
}

/** Servers that came and that went from one state of some rules to the next, as `endpointKey`. */
export const serverChanges = (
  before: Pick<ServiceRules, "cluster" | "local"> | undefined,
  after: Pick<ServiceRules, "cluster" | "local"> | undefined
): { readonly added: ReadonlyArray<string>; readonly removed: ReadonlyArray<string> } => {
  const old = before === undefined ? undefined : reachableServers(before)
  const now = after === undefined ? undefined : reachableServers(after)
  return {
    added: now === undefined ? [] : [...now.keys()].filter((key) => old?.has(key) !== true),
    removed: old === undefined ? [] : [...old.keys()].filter((key) => now?.has(key) !== true)
  }
}
