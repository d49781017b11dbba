/**
 * Addresses and node ports that nobody gave, where there is no API server to give them. Where to begin is told by the
 * Service's name, so that a node which lost its journal allots the same; what was allotted stays for the Service's life.
 * As the API server does (KEP-3070, KEP-3668), the low end of a range is left to those who choose for themselves.
 */
import { createHash } from "node:crypto"
import { type Cidr, formatIp, parseCidr } from "../../events/ip-address.ts"
import type { ServiceProblem } from "../../events/kinds/service.ts"
import type { IpFamily, ServicePort, ServiceSpec } from "../../events/service-shape.ts"
import { type Claims, nodePortClaim } from "./claims.ts"

export interface AllotmentRanges {
  /** At most one of each family. */
  readonly clusterIPs: ReadonlyArray<string>
  readonly nodePorts: { readonly first: number; readonly last: number }
}

export const defaultClusterIpRange = "10.96.0.0/12"
export const defaultNodePorts = { first: 30_000, last: 32_767 } as const

/** What was in force of a Service. */
export interface FormerSpec {
  readonly spec: ServiceSpec
  readonly allotted?: ReadonlyArray<string>
}

export interface Allotment {
  readonly spec: ServiceSpec
  readonly allotted: ReadonlyArray<string>
  readonly problems: ReadonlyArray<ServiceProblem>
}

/** Addresses of a range that are looked at. */
const maxOffsets = 2 ** 20
/** Tries before a range counts as used up. */
const maxProbes = 2 ** 16

const startOf = (text: string, size: number): number =>
  createHash("sha256").update(text).digest().readUInt32BE(0) % size

/** `min(max(16, size / divisor), most)`, as KEP-3070 (256 of addresses) and KEP-3668 (128 of ports) have it. */
const staticBand = (size: number, divisor: number, most: number): number =>
  size < 32 ? 0 : Math.min(Math.max(16, Math.floor(size / divisor)), most)

/** Tries all of a range from where the name points to, what is left to others last. */
const probe = <A>(
  size: number,
  band: number,
  name: string,
  at: (offset: number) => A,
  isFree: (one: A) => boolean
): A | undefined => {
  const room = size - band
  const start = room > 0 ? startOf(name, room) : 0
  for (let i = 0; i < Math.min(room, maxProbes); i++) {
    const one = at(band + ((start + i) % room))
    if (isFree(one)) return one
  }
  for (let i = 0; i < band; i++) {
    const one = at(i)
    if (isFree(one)) return one
  }
  return undefined
}

const addressAt = ({ family, bytes }: Cidr, offset: number): string => {
  const sum = [...bytes]
  let carry = offset
  for (let i = sum.length - 1; i >= 0 && carry > 0; i--) {
    const value = (sum[i] ?? 0) + (carry % 256)
    sum[i] = value % 256
    carry = Math.floor(carry / 256) + (value > 255 ? 1 : 0)
  }
  return formatIp({ family, bytes: sum })
}

/** Without the network's own address and, in IPv4, the broadcast address. */
const sizeOf = ({ family, prefix }: Cidr): number => {
  const bits = (family === "IPv4" ? 32 : 128) - prefix
  const all = bits >= 20 ? maxOffsets : 2 ** bits
  return Math.max(0, all - (family === "IPv4" ? 2 : 1))
}

const rangeFor = (family: IpFamily, { clusterIPs }: AllotmentRanges): Cidr | undefined =>
  clusterIPs.map(parseCidr).find((cidr) => cidr?.family === family)

const familyOf = (ip: string): IpFamily => (ip.includes(":") ? "IPv6" : "IPv4")

/** What the Service is with all that it needs. `service`: `namespace/name`. */
export const allot = (
  service: string,
  spec: ServiceSpec,
  former: FormerSpec | undefined,
  claims: Claims,
  ranges: AllotmentRanges
): Allotment => {
  if (spec.type === "ExternalName" || spec.proxyName !== undefined) return { spec, allotted: [], problems: [] }
  const problems: Array<ServiceProblem> = []
  const allotted: Array<string> = []
  const kept = new Set(former?.allotted)
  let result = spec

  if (spec.clusterIPs.length === 0 && spec.families !== undefined) {
    const before = kept.has("clusterIPs") ? (former?.spec.clusterIPs ?? []) : []
    const ips: Array<string> = []
    for (const [i, family] of spec.families.entries()) {
      const known = before.find((ip) => familyOf(ip) === family && claims.isFreeAddress(service, ip))
      const range = rangeFor(family, ranges)
      const ip =
        known ??
        (range === undefined
          ? undefined
          : probe(
              sizeOf(range),
              staticBand(sizeOf(range), 16, 256),
              `${service} ${family}`,
              (offset) => addressAt(range, offset + 1),
              (one) => claims.isFreeAddress(service, one)
            ))
      if (ip !== undefined) ips.push(ip)
      else
        problems.push({
          field: `spec.ipFamilies[${i}]`,
          message:
            range === undefined
              ? `there is no range of ${family} to take a cluster IP from; give one with --service-cluster-ip-range, or write the address`
              : `the range of cluster IPs for ${family} is used up; give a larger one with --service-cluster-ip-range`
        })
    }
    result = { ...result, clusterIPs: ips }
    allotted.push("clusterIPs")
  }

  const own = new Set<string>()
  const portFor = (protocol: string, known: number | undefined, name: string): number | undefined => {
    const isFree = (port: number): boolean => {
      const claim = nodePortClaim(protocol, port)
      return !own.has(claim) && claims.isFree(service, claim)
    }
    const { first, last } = ranges.nodePorts
    const size = last - first + 1
    const port =
      known !== undefined && isFree(known)
        ? known
        : probe(size, staticBand(size, 32, 128), `${service} ${name}`, (offset) => first + offset, isFree)
    if (port !== undefined) own.add(nodePortClaim(protocol, port))
    return port
  }
  const usedUp = (field: string): void => {
    const message = "all node ports are taken; give a larger range with --service-node-port-range"
    problems.push({ field, message })
  }
  for (const { protocol, nodePort } of spec.ports)
    if (nodePort !== undefined) own.add(nodePortClaim(protocol, nodePort))
  if (spec.healthCheckNodePort !== undefined) own.add(nodePortClaim("TCP", spec.healthCheckNodePort))

  const takesPorts = spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.withoutNodePorts !== true)
  if (takesPorts && spec.ports.some(({ nodePort }) => nodePort === undefined)) {
    const ports = spec.ports.map((port, i): ServicePort => {
      if (port.nodePort !== undefined) return port
      const nodePort = portFor(port.protocol, formerPort(former, port), `${port.protocol}/${port.port}`)
      if (nodePort === undefined) {
        usedUp(`spec.ports[${i}].nodePort`)
        return port
      }
      allotted.push(`ports[${i}].nodePort`)
      return { ...port, nodePort }
    })
    result = { ...result, ports }
  }
  if (spec.type === "LoadBalancer" && spec.externalLocal === true && spec.healthCheckNodePort === undefined) {
    const known = kept.has("healthCheckNodePort") ? former?.spec.healthCheckNodePort : undefined
    const healthCheckNodePort = portFor("TCP", known, "health check")
    if (healthCheckNodePort === undefined) usedUp("spec.healthCheckNodePort")
    else {
      allotted.push("healthCheckNodePort")
      result = { ...result, healthCheckNodePort }
    }
  }
  return { spec: result, allotted, problems }
}

/** The node port that this port of the Service was given, wherever it stands in the list now. */
const formerPort = (former: FormerSpec | undefined, port: ServicePort): number | undefined => {
  if (former === undefined) return undefined
  const i = former.spec.ports.findIndex(
    ({ protocol, port: number }) => protocol === port.protocol && number === port.port
  )
  return i >= 0 && former.allotted?.includes(`ports[${i}].nodePort`) === true
    ? former.spec.ports[i]?.nodePort
    : undefined
}
