/** On which addresses of this node node ports are answered (`pkg/proxy/util/nodeport_addresses.go`). */
import { type Cidr, cidrContains, isZeroCidr, parseCidr, parseIp } from "../../../events/ip-address.ts"
import type { IpFamily } from "../../../events/service-shape.ts"

/** An address that an interface of the node has. */
export interface InterfaceAddress {
  readonly interface: string
  readonly address: string
}

export interface NodePortAddresses {
  /** No address of the family is left out. */
  readonly matchAll: boolean
  /** In the order of the interfaces. */
  readonly addresses: ReadonlyArray<string>
}

const cidrsOf = (ranges: ReadonlyArray<string>, family: IpFamily): ReadonlyArray<Cidr> =>
  ranges.flatMap((range) => {
    const cidr = parseCidr(range)
    return cidr?.family === family ? [cidr] : []
  })

/** `ranges` that are unreadable, or of the other family, are left out; none of this family: every address of it. */
export const nodePortAddresses = (
  ranges: ReadonlyArray<string>,
  interfaces: ReadonlyArray<InterfaceAddress>,
  family: IpFamily
): NodePortAddresses => {
  const cidrs = cidrsOf(ranges, family)
  const matchAll = cidrs.length === 0 || cidrs.some(isZeroCidr)
  const addresses = interfaces.flatMap(({ address }) => {
    const parsed = parseIp(address)
    if (parsed?.family !== family) return []
    return matchAll || cidrs.some((cidr) => cidrContains(cidr, parsed)) ? [address] : []
  })
  return { matchAll, addresses: [...new Set(addresses)] }
}

const loopback = parseCidr("127.0.0.0/8") as Cidr

/** Whether node ports are asked for on 127.0.0.1 (ContainsIPv4Loopback): iptables needs route_localnet for it. */
export const includesIpv4Loopback = (ranges: ReadonlyArray<string>): boolean => {
  const cidrs = cidrsOf(ranges, "IPv4")
  if (ranges.length === 0) return true
  return cidrs.some(
    (cidr) =>
      isZeroCidr(cidr) ||
      cidrContains(cidr, { family: "IPv4", bytes: loopback.bytes }) ||
      cidrContains(loopback, { family: "IPv4", bytes: cidr.bytes })
  )
}
