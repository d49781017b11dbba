/**
 * What of a Service holds for one of its ports in one family of addresses (`pkg/proxy/serviceport.go`,
 * `pkg/proxy/servicechangetracker.go`): addresses and source ranges of the other family do not count, and a Service
 * without a cluster IP of the family has none at all.
 */
import { formatCidr, isZeroCidr, parseCidr } from "../../../events/ip-address.ts"
import type { IpFamily, ServicePort, ServiceSpec } from "../../../events/service-shape.ts"
import { familyOf } from "./endpoint.ts"

/** What all ports of a Service have in common in one family. */
export interface ServiceAddresses {
  readonly family: IpFamily
  readonly clusterIP: string
  readonly externalIPs: ReadonlyArray<string>
  readonly loadBalancerIPs: ReadonlyArray<string>
  /** Empty: all may use the load balancer's addresses. */
  readonly sourceRanges: ReadonlyArray<string>
}

/** Services that no dataplane ever hears of (`pkg/proxy/util/utils.go`, ShouldSkipService), and those of another proxy. */
export const isProxied = (spec: Pick<ServiceSpec, "type" | "clusterIPs" | "proxyName">): boolean =>
  spec.clusterIPs.length > 0 && spec.type !== "ExternalName" && spec.proxyName === undefined

export const clusterIPOf = (spec: Pick<ServiceSpec, "clusterIPs">, family: IpFamily): string | undefined =>
  spec.clusterIPs.find((ip) => familyOf(ip) === family)

/**
 * Ranges of a family in their usual form; blanks around them are let pass, as the API server lets them. A range that takes in
 * all addresses says as much as none.
 */
export const sourceRangesOf = (ranges: ReadonlyArray<string>, family: IpFamily): ReadonlyArray<string> => {
  const found = ranges.map((range) => parseCidr(range.trim())).filter((cidr) => cidr?.family === family)
  if (found.some((cidr) => cidr !== undefined && isZeroCidr(cidr))) return []
  return found.flatMap((cidr) => (cidr === undefined ? [] : [formatCidr(cidr)]))
}

/** Most Services have none of these: one empty list for all. */
const none: ReadonlyArray<string> = []
const sharedWhenEmpty = (list: ReadonlyArray<string>): ReadonlyArray<string> => (list.length === 0 ? none : list)

/** Undefined: it is not to be reached by this family. */
export const addressesOf = (spec: ServiceSpec, family: IpFamily): ServiceAddresses | undefined => {
  const clusterIP = isProxied(spec) ? clusterIPOf(spec, family) : undefined
  if (clusterIP === undefined) return undefined
  const own = (ips: ReadonlyArray<string> = none) => sharedWhenEmpty(ips.filter((ip) => familyOf(ip) === family))
  return {
    family,
    clusterIP,
    externalIPs: own(spec.externalIPs),
    loadBalancerIPs: own(spec.loadBalancerIPs),
    sourceRanges: sharedWhenEmpty(sourceRangesOf(spec.loadBalancerSourceRanges ?? none, family))
  }
}

/** `pkg/apis/core/v1/helper/service`, ExternallyAccessible and ExternalPolicyLocal: elsewhere the field means nothing. */
export const isExternalLocal = (spec: ServiceSpec): boolean =>
  spec.externalLocal === true &&
  (spec.type === "NodePort" ||
    spec.type === "LoadBalancer" ||
    (spec.type === "ClusterIP" && (spec.externalIPs?.length ?? 0) > 0))

/** Port at which load balancers ask whether this node has servers of the Service; only these Services have one. */
export const healthCheckPortOf = (spec: ServiceSpec): number | undefined =>
  spec.type === "LoadBalancer" && isExternalLocal(spec) ? spec.healthCheckNodePort : undefined

export const isExternallyAccessible = (
  port: Pick<ServicePort, "nodePort">,
  addresses: Pick<ServiceAddresses, "externalIPs" | "loadBalancerIPs">
): boolean => port.nodePort !== undefined || addresses.externalIPs.length > 0 || addresses.loadBalancerIPs.length > 0
