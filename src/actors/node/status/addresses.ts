/** Under which addresses a node is known (`pkg/kubelet/nodestatus/setters.go` NodeAddress, `kubelet_node_status.go`). Pure. */
import {
  type Cidr,
  canonicalIp,
  cidrContains,
  formatIp,
  type IpAddress,
  parseCidr,
  parseIp
} from "../../../events/ip-address.ts"

export interface NodeAddress {
  readonly type: "InternalIP" | "Hostname"
  readonly address: string
}

const ranges = (...texts: ReadonlyArray<string>): ReadonlyArray<Cidr> => texts.map((text) => parseCidr(text) as Cidr)

/** In the order in which kubelet asks. */
const refused: ReadonlyArray<readonly [what: string, ranges: ReadonlyArray<Cidr>]> = [
  ["can't be loopback address", ranges("127.0.0.0/8", "::1/128")],
  ["can't be a multicast address", ranges("224.0.0.0/4", "ff00::/8")],
  ["can't be a link-local unicast address", ranges("169.254.0.0/16", "fe80::/10")],
  ["can't be an all zeros address", ranges("0.0.0.0/32", "::/128")]
]

const isWithin = (address: IpAddress, within: ReadonlyArray<Cidr>): boolean =>
  within.some((cidr) => cidr.family === address.family && cidrContains(cidr, address))

/** Why an address cannot be that of the node; undefined: it can. `own`: all that the node's interfaces have. */
export const nodeIpProblem = (nodeIp: string, own: ReadonlyArray<string>): string | undefined => {
  const address = parseIp(nodeIp)
  if (address === undefined) return "nodeIP must be a valid IP address"
  for (const [what, within] of refused) if (isWithin(address, within)) return `nodeIP ${what}`
  const isOwn = own.some((text) => canonicalIp(text) === formatIp(address))
  return isOwn ? undefined : `node IP: "${nodeIp}" not found in the host's network interfaces`
}

/** `nodeIps`: those that are configured, at most one of each family; `resolved`: what the node was found to have. */
export interface AddressInputs {
  readonly nodeIps: ReadonlyArray<string>
  readonly resolved: string | undefined
  readonly hostname: string
}

const isUnspecified = (ip: string): boolean => ip === "0.0.0.0" || ip === "::"

/** Without a cloud provider, which only an API server brings. Throws nothing: no address is no InternalIP. */
export const nodeAddresses = ({ nodeIps, resolved, hostname }: AddressInputs): ReadonlyArray<NodeAddress> => {
  const given = nodeIps.filter((ip) => !isUnspecified(ip))
  const internal = given.length > 0 ? given : resolved === undefined ? [] : [resolved]
  return [
    ...internal.map((address): NodeAddress => ({ type: "InternalIP", address })),
    { type: "Hostname", address: hostname }
  ]
}
