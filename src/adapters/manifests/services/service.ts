/**
 * A Service as it was read to what counts of it, after defaults; and what is wrong with it (ValidateService of
 * `pkg/apis/core/validation/validation.go`, Kubernetes 1.36).
 */
import ipaddr from "ipaddr.js"
import type { IpFamily, ServicePort, ServiceSpec } from "../../../events/service-shape.ts"
import { labelProblem, portNameProblem, portProblem, qualifiedNameProblem, serviceNameProblem } from "../names.ts"
import { validateServicePorts } from "../objects/validate-object.ts"
import type { Complain } from "../written.ts"
import { familyOf, usualForm } from "./addresses.ts"
import type { WrittenMetadata, WrittenService, WrittenServiceSpec } from "./shape.ts"

/** Label by which a Service asks for another proxy than this one. */
const proxyNameLabel = "service.kubernetes.io/service-proxy-name"
/** Seconds (`DefaultClientIPServiceAffinitySeconds`, `MaxClientIPServiceAffinitySeconds`). */
const defaultAffinitySeconds = 10_800
const maxAffinitySeconds = 86_400
/** Bytes of a Service in an event, where it stands twice, once as text within the command; an event has 64 KiB. */
const maxSpecBytes = 20 * 1024

const check = (field: string, wrong: string | undefined, complain: Complain): void => {
  if (wrong !== undefined) complain(field, wrong)
}

export const validateMetadata = (
  { name = "", namespace = "" }: WrittenMetadata,
  nameProblem: (name: string) => string | undefined,
  complain: Complain
): void => {
  if (name === "") complain("metadata.name", "is missing")
  else check("metadata.name", nameProblem(name), complain)
  if (namespace !== "") check("metadata.namespace", labelProblem(namespace), complain)
}

export const validateService = (service: WrittenService, complain: Complain): void => {
  const { spec = {}, metadata = {} } = service
  if (service.apiVersion !== "v1")
    complain("apiVersion", service.apiVersion === undefined ? "is missing: v1" : 'must be "v1" for a Service')
  validateMetadata(metadata, serviceNameProblem, complain)
  validateServicePorts(spec, complain)
  validateAddresses(spec, complain)
  const type = spec.type ?? "ClusterIP"
  for (const [i, { nodePort = 0, targetPort }] of (spec.ports ?? []).entries()) {
    const path = `spec.ports[${i}]`
    if (nodePort !== 0) {
      check(`${path}.nodePort`, portProblem(nodePort), complain)
      if (type !== "NodePort" && type !== "LoadBalancer")
        complain(`${path}.nodePort`, `is not allowed with type ${type}`)
    }
    if (typeof targetPort === "number") check(`${path}.targetPort`, portProblem(targetPort), complain)
    else if (targetPort !== undefined && targetPort !== "")
      check(`${path}.targetPort`, portNameProblem(targetPort), complain)
  }
  validatePolicies(spec, type, complain)
  for (const key of Object.keys(spec.selector ?? {}))
    check(`spec.selector[${JSON.stringify(key)}]`, qualifiedNameProblem(key), complain)
  const bytes = Buffer.byteLength(JSON.stringify(spec))
  if (bytes > maxSpecBytes) complain("spec", `has ${bytes} bytes, too many for an event; at most ${maxSpecBytes}`)
}

const validateAddresses = (spec: WrittenServiceSpec, complain: Complain): void => {
  const { clusterIP = "", clusterIPs = [], ipFamilies = [], externalIPs = [], loadBalancerSourceRanges = [] } = spec
  if (clusterIPs.length > 2) complain("spec.clusterIPs", "has more than two: one of each family")
  for (const [i, ip] of clusterIPs.entries()) {
    if (ip === "None" && (i > 0 || clusterIPs.length > 1)) complain(`spec.clusterIPs[${i}]`, "None stands alone")
    else if (ip !== "None" && familyOf(ip) === undefined) complain(`spec.clusterIPs[${i}]`, "is no IP address")
  }
  const [first, second] = clusterIPs.map(familyOf)
  if (first !== undefined && first === second) complain("spec.clusterIPs[1]", `is a second address of ${first}`)
  if (new Set(ipFamilies).size < ipFamilies.length) complain("spec.ipFamilies", "names a family twice")
  const given = clusterIPs.length > 0 ? clusterIPs : clusterIP === "" ? [] : [clusterIP]
  for (const [i, ip] of given.entries()) {
    const family = familyOf(ip)
    const wanted = ipFamilies[i]
    if (family !== undefined && wanted !== undefined && family !== wanted)
      complain(`spec.clusterIPs[${i}]`, `is ${family}, and ipFamilies asks for ${wanted}`)
  }
  for (const [i, ip] of externalIPs.entries()) {
    if (familyOf(ip) === undefined) complain(`spec.externalIPs[${i}]`, "is no IP address")
    else check(`spec.externalIPs[${i}]`, unreachable(ip), complain)
  }
  for (const [i, range] of loadBalancerSourceRanges.entries()) {
    if (!ipaddr.isValidCIDR(range.trim()))
      complain(`spec.loadBalancerSourceRanges[${i}]`, "is no range of addresses (10.0.0.0/8)")
  }
}

/** Why packets to it cannot arrive from elsewhere (ValidateNonSpecialIP). */
export const unreachable = (ip: string): string | undefined => {
  // As an IPv4 address where it is one within IPv6: such a loopback is none the less one.
  const range = ipaddr.process(ip).range()
  switch (range) {
    case "unspecified":
    case "loopback":
    case "linkLocal":
    case "multicast":
      return `${ip} is a ${range === "linkLocal" ? "link-local" : range} address`
    default:
      return undefined
  }
}

const validatePolicies = (spec: WrittenServiceSpec, type: string, complain: Complain): void => {
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (seconds !== undefined && (seconds < 1 || seconds > maxAffinitySeconds))
    complain("spec.sessionAffinityConfig.clientIP.timeoutSeconds", `must be 1 to ${maxAffinitySeconds}, not ${seconds}`)
  const hasOutside = type === "NodePort" || type === "LoadBalancer" || (spec.externalIPs ?? []).length > 0
  if (spec.externalTrafficPolicy === "Local" && !hasOutside)
    complain(
      "spec.externalTrafficPolicy",
      "is for Services that are reached from outside: NodePort, LoadBalancer, externalIPs"
    )
  const health = spec.healthCheckNodePort ?? 0
  if (health === 0) return
  check("spec.healthCheckNodePort", portProblem(health), complain)
  if (type !== "LoadBalancer" || spec.externalTrafficPolicy !== "Local")
    complain("spec.healthCheckNodePort", "is for type LoadBalancer with externalTrafficPolicy Local")
}

/** Of one that has no problems. */
export const serviceSpecOf = (service: WrittenService): ServiceSpec => {
  const { spec = {}, metadata = {}, status } = service
  const type = spec.type ?? "ClusterIP"
  const addresses = addressesOf(spec)
  const outside = type === "NodePort" || type === "LoadBalancer" || (spec.externalIPs ?? []).length > 0
  const { timeoutSeconds = defaultAffinitySeconds } = spec.sessionAffinityConfig?.clientIP ?? {}
  const ingress = type === "LoadBalancer" ? (status?.loadBalancer?.ingress ?? []) : []
  const balancers = ingress.flatMap(({ ip, ipMode }) =>
    ip === undefined || ipMode === "Proxy" || familyOf(ip) === undefined ? [] : [usualForm(ip)]
  )
  const proxyName = metadata.labels?.[proxyNameLabel]
  return {
    type,
    ...addresses,
    ports: (spec.ports ?? []).map(servicePort),
    ...present("selector", spec.selector, Object.keys(spec.selector ?? {}).length > 0 && type !== "ExternalName"),
    ...listed("externalIPs", (spec.externalIPs ?? []).map(usualForm)),
    ...listed("loadBalancerIPs", balancers),
    ...listed(
      "loadBalancerSourceRanges",
      (spec.loadBalancerSourceRanges ?? []).map((range) => range.trim())
    ),
    ...present("affinitySeconds", timeoutSeconds, spec.sessionAffinity === "ClientIP"),
    ...present("internalLocal", true, spec.internalTrafficPolicy === "Local"),
    ...present("externalLocal", true, outside && spec.externalTrafficPolicy === "Local"),
    ...present("healthCheckNodePort", spec.healthCheckNodePort, (spec.healthCheckNodePort ?? 0) > 0),
    ...present("trafficDistribution", spec.trafficDistribution, (spec.trafficDistribution ?? "") !== ""),
    ...present("publishNotReadyAddresses", true, spec.publishNotReadyAddresses === true),
    ...present("withoutNodePorts", true, type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts === false),
    ...present("proxyName", proxyName, proxyName !== undefined)
  }
}

const present = <K extends string, V>(key: K, value: V, isThere: boolean) =>
  (isThere ? { [key]: value } : {}) as { readonly [P in K]?: NonNullable<V> }

const listed = <K extends string, V>(key: K, list: ReadonlyArray<V>) => present(key, list, list.length > 0)

const servicePort = ({
  name = "",
  protocol = "TCP",
  port = 0,
  targetPort,
  nodePort = 0
}: NonNullable<WrittenServiceSpec["ports"]>[number]): ServicePort => ({
  name,
  protocol,
  port,
  targetPort: targetPort === undefined || targetPort === "" || targetPort === 0 ? port : targetPort,
  ...(nodePort === 0 ? {} : { nodePort })
})

/** `None` is no address: a headless Service has none, and asks for none. */
const addressesOf = (spec: WrittenServiceSpec): Pick<ServiceSpec, "clusterIPs" | "families"> => {
  if (spec.type === "ExternalName") return { clusterIPs: [] }
  const { clusterIP = "", clusterIPs = [], ipFamilies = [] } = spec
  const given = clusterIPs.length > 0 ? clusterIPs : clusterIP === "" ? [] : [clusterIP]
  if (given[0] === "None") return { clusterIPs: [] }
  const own = given.map(usualForm)
  const have = new Set(own.map(familyOf))
  const isDual = spec.ipFamilyPolicy === "RequireDualStack" || spec.ipFamilyPolicy === "PreferDualStack"
  const asked: ReadonlyArray<IpFamily> = ipFamilies.length > 0 ? ipFamilies : own.length > 0 ? [] : ["IPv4"]
  const all = isDual ? [...asked, ...(["IPv4", "IPv6"] as const).filter((family) => !asked.includes(family))] : asked
  const missing = all.filter((family) => !have.has(family))
  return { clusterIPs: own, ...(missing.length === 0 ? {} : { families: missing }) }
}
