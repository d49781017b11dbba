/**
 * Which endpoints of a port this node uses, for traffic of policy Cluster and of policy Local (`pkg/proxy/topology.go`,
 * CategorizeEndpoints). Ready ones; where none is ready, those that are being ended and still answer, decided for each policy
 * by itself. Hints count for policy Cluster alone, and only where every ready endpoint has them and one is meant for here.
 */
import type { EndpointFacts } from "../../../events/service-shape.ts"
import { isLocal, type Vantage } from "./endpoint.ts"

export interface TrafficPolicies {
  readonly internalLocal: boolean
  readonly externalLocal: boolean
  /** It has a node port, an address of a load balancer or an external IP. */
  readonly externallyAccessible: boolean
  /** `spec.trafficDistribution`. Endpoints without hints are taken as if this had made them. */
  readonly trafficDistribution?: string | undefined
}

export interface Categorized<E> {
  /** For policy Cluster; empty too where no traffic of the port has this policy. */
  readonly cluster: ReadonlyArray<E>
  /** For policy Local; empty too where no traffic of the port has this policy. */
  readonly local: ReadonlyArray<E>
  /** Whether any endpoint, on whatever node, could be used. */
  readonly hasAny: boolean
}

/** Also where the external policy is Local: from within, external addresses are reached by policy Cluster. */
export const usesCluster = (policies: TrafficPolicies): boolean =>
  !policies.internalLocal || policies.externallyAccessible

export const usesLocal = (policies: TrafficPolicies): boolean =>
  policies.internalLocal || (policies.externalLocal && policies.externallyAccessible)

const isDraining = (endpoint: EndpointFacts): boolean => endpoint.serving && endpoint.terminating

const none: ReadonlyArray<string> = []

/** Hints, or what the EndpointSlice controller would hint (`staging/src/k8s.io/endpointslice/trafficdist`). */
const zoneHints = (endpoint: EndpointFacts, distribution: string | undefined): ReadonlyArray<string> => {
  if (endpoint.zoneHints !== undefined) return endpoint.zoneHints
  if (distribution === undefined || endpoint.zone === undefined || endpoint.nodeHints !== undefined) return none
  return [endpoint.zone]
}

const nodeHints = (endpoint: EndpointFacts, distribution: string | undefined): ReadonlyArray<string> => {
  if (endpoint.nodeHints !== undefined) return endpoint.nodeHints
  if (distribution !== "PreferSameNode" || endpoint.node === undefined || endpoint.zoneHints !== undefined) return none
  return [endpoint.node]
}

type Nearness = "all" | "same zone" | "same node"

const nearness = (
  endpoints: ReadonlyArray<EndpointFacts>,
  distribution: string | undefined,
  { nodeName, zone }: Vantage
): Nearness => {
  let [allForNodes, allForZones, someHere, someInZone] = [true, true, false, false]
  for (const endpoint of endpoints) {
    if (!endpoint.ready) continue
    const nodes = nodeHints(endpoint, distribution)
    const zones = zoneHints(endpoint, distribution)
    allForNodes &&= nodes.length > 0
    allForZones &&= zones.length > 0
    if (!allForNodes && !allForZones) return "all"
    someHere ||= nodes.includes(nodeName)
    someInZone ||= zone !== undefined && zones.includes(zone)
  }
  if (allForNodes && someHere) return "same node"
  return allForZones && someInZone ? "same zone" : "all"
}

const clusterEndpoints = <E extends EndpointFacts>(
  endpoints: ReadonlyArray<E>,
  distribution: string | undefined,
  vantage: Vantage
): ReadonlyArray<E> => {
  const near = nearness(endpoints, distribution, vantage)
  const ready = endpoints.filter((endpoint) => {
    if (!endpoint.ready) return false
    if (near === "all") return true
    return near === "same node"
      ? nodeHints(endpoint, distribution).includes(vantage.nodeName)
      : zoneHints(endpoint, distribution).includes(vantage.zone as string)
  })
  return ready.length > 0 ? ready : endpoints.filter(isDraining)
}

const localEndpoints = <E extends EndpointFacts>(endpoints: ReadonlyArray<E>, vantage: Vantage): ReadonlyArray<E> => {
  const here = endpoints.filter((endpoint) => isLocal(endpoint, vantage))
  const ready = here.filter((endpoint) => endpoint.ready)
  return ready.length > 0 ? ready : here.filter(isDraining)
}

/** Takes time in proportion to the endpoints. */
export const categorizeEndpoints = <E extends EndpointFacts>(
  endpoints: ReadonlyArray<E>,
  policies: TrafficPolicies,
  vantage: Vantage
): Categorized<E> => {
  const cluster = usesCluster(policies) ? clusterEndpoints(endpoints, policies.trafficDistribution, vantage) : []
  if (!usesLocal(policies)) return { cluster, local: [], hasAny: cluster.length > 0 }
  const hasAny = cluster.length > 0 || endpoints.some((endpoint) => endpoint.ready || isDraining(endpoint))
  return { cluster, local: localEndpoints(endpoints, vantage), hasAny }
}
