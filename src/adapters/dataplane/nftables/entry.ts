/** What is kept of one port of a Service: its addresses packed as keys, and its servers in the order of their slots. */
import { createHash } from "node:crypto"
import ipaddr from "ipaddr.js"
import type { IpFamily } from "../../../events/service-shape.ts"
import { rulesKey, type Server, type ServiceRules } from "../port.ts"
import {
  addressText,
  type Bytes,
  isPort,
  packAddress,
  packProtocol,
  packServer,
  paddedPort,
  serverBytes
} from "./bytes.ts"

export interface Firewall {
  /** One chain for all Services with the same ranges. */
  readonly chain: string
  /** CIDRs that do not overlap, in order. */
  readonly ranges: ReadonlyArray<string>
  /** Addresses of the load balancer come from this node too. */
  readonly fromNode: boolean
}

export interface Entry {
  readonly key: string
  /** What it was made of: the same rules need not be looked at again. */
  readonly rules: ServiceRules
  readonly family: IpFamily
  readonly clusterIP: Bytes
  /** Keys of its addresses: address, protocol and port. */
  readonly clusterFront: Bytes
  readonly externalFronts: ReadonlyArray<Bytes>
  readonly balancerFronts: ReadonlyArray<Bytes>
  /** Protocol and port; undefined: none. */
  readonly nodePort: Bytes | undefined
  readonly firewall: Firewall | undefined
  /** Seconds; 0: clients are not remembered. */
  readonly affinity: number
  readonly internalLocal: boolean
  readonly externalLocal: boolean
  readonly hasAny: boolean
  /** Servers one behind the other, slot by slot. */
  readonly cluster: Bytes
  readonly local: Bytes
  /** Servers on this node: their own packets may come back to them. */
  readonly onNode: Bytes
}

/** Servers of one policy: a number below 2^20 is plenty, and stays far from what numgen can count. */
export const maxServers = 1_000_000
/** Seconds of affinity that Services may ask for (`pkg/apis/core/validation`): a day. */
export const maxAffinitySeconds = 86_400

/** Why rules cannot be put into the kernel. */
export class Unusable {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/** Each server once; those on this node go into `onNode`, too. */
const packAll = (
  servers: ReadonlyArray<Server>,
  family: IpFamily,
  onNode: Set<Bytes>,
  areOnNode: boolean
): Set<Bytes> | Unusable => {
  const packed = new Set<Bytes>()
  for (const server of servers) {
    const one = packServer(server, family)
    if (one === undefined) return new Unusable(`server ${server.ip}:${server.port} is no ${family} address and port`)
    packed.add(one)
    if (areOnNode || server.local) onNode.add(one)
  }
  return packed.size > maxServers ? new Unusable(`more than ${maxServers} servers`) : packed
}

/** Each address once. */
const packAddresses = (texts: ReadonlyArray<string>, family: IpFamily): ReadonlyArray<Bytes> | Unusable => {
  if (texts.length === 0) return none
  const packed = new Set<Bytes>()
  for (const text of texts) {
    const address = packAddress(text, family)
    if (address === undefined) return new Unusable(`${text} is no ${family} address`)
    packed.add(address)
  }
  return [...packed]
}

const none: ReadonlyArray<Bytes> = []

/**
 * Servers in slots so that as few as possible change: those that stay keep theirs, new ones and then the last ones fill
 * the holes.
 */
export const arrange = (before: Bytes, wanted: ReadonlySet<Bytes>, family: IpFamily): Bytes => {
  if (before === "") return [...wanted].join("")
  const width = serverBytes(family)
  const rest = new Set(wanted)
  const slots: Array<Bytes | undefined> = new Array(wanted.size).fill(undefined)
  const beyond: Array<Bytes> = []
  for (let at = 0, index = 0; at < before.length; at += width, index++) {
    const server = before.slice(at, at + width)
    if (!rest.delete(server)) continue
    if (index < slots.length) slots[index] = server
    else beyond.push(server)
  }
  if (rest.size === 0 && beyond.length === 0) return slots.join("")
  const fill = [...rest, ...beyond]
  let next = 0
  for (let index = 0; index < slots.length; index++) slots[index] ??= fill[next++]
  return slots.join("")
}

/** Ranges of this family as nft takes them in one set; undefined: all addresses are in one of them, or there are none. */
const distinctRanges = (
  texts: ReadonlyArray<string>,
  family: IpFamily
): ReadonlyArray<string> | undefined | Unusable => {
  const kind = family === "IPv4" ? "ipv4" : "ipv6"
  const ranges: Array<readonly [ipaddr.IPv4 | ipaddr.IPv6, number]> = []
  for (const text of texts) {
    const trimmed = text.trim()
    if (!ipaddr.isValidCIDR(trimmed)) return new Unusable(`source range ${text} is no CIDR`)
    const [address, bits] = ipaddr.parseCIDR(trimmed)
    if (address.kind() !== kind) continue
    if (bits === 0) return undefined
    ranges.push([
      family === "IPv4" ? ipaddr.IPv4.networkAddressFromCIDR(trimmed) : ipaddr.IPv6.networkAddressFromCIDR(trimmed),
      bits
    ])
  }
  ranges.sort(([a, m], [b, n]) => m - n || (a.toString() < b.toString() ? -1 : 1))
  const kept: Array<readonly [ipaddr.IPv4 | ipaddr.IPv6, number]> = []
  for (const range of ranges) if (!kept.some((wider) => contains(wider, range[0]))) kept.push(range)
  return kept.length === 0 ? undefined : kept.map(([address, bits]) => `${address.toString()}/${bits}`).sort()
}

const contains = (range: readonly [ipaddr.IPv4 | ipaddr.IPv6, number], address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  address.kind() === range[0].kind() && (address as ipaddr.IPv4).match(range as [ipaddr.IPv4, number])

const firewallOf = (rules: ServiceRules, nodeAddresses: ReadonlyArray<string>): Firewall | undefined | Unusable => {
  if (rules.loadBalancerIPs.length === 0 || rules.sourceRanges.length === 0) return undefined
  const ranges = distinctRanges(rules.sourceRanges, rules.family)
  if (ranges === undefined || ranges instanceof Unusable) return ranges
  const hash = createHash("sha256").update(ranges.join(",")).digest("hex").slice(0, 16)
  const fromNode = ranges.some((range) =>
    nodeAddresses.some((address) => contains(ipaddr.parseCIDR(range), ipaddr.parse(address)))
  )
  return { chain: `firewall-${hash}`, ranges, fromNode }
}

/**
 * @param before its entry so far: servers that stay keep their slots
 * @param nodeAddresses valid addresses of this node: a range that has one of them lets this node itself in
 */
export const entryOf = (
  rules: ServiceRules,
  before: Pick<Entry, "cluster" | "local"> | undefined,
  nodeAddresses: ReadonlyArray<string>
): Entry | Unusable => {
  const { family } = rules
  if (!isPort(rules.port)) return new Unusable(`${rules.port} is no port`)
  const suffix = packProtocol(rules.protocol) + paddedPort(rules.port)
  const clusterIP = packAddress(rules.clusterIP, family)
  if (clusterIP === undefined) return new Unusable(`${rules.clusterIP} is no ${family} address`)
  const external = packAddresses(rules.externalIPs, family)
  if (external instanceof Unusable) return external
  const balancers = packAddresses(rules.loadBalancerIPs, family)
  if (balancers instanceof Unusable) return balancers
  const nodePort = rules.nodePort ?? 0
  if (nodePort !== 0 && !isPort(nodePort)) return new Unusable(`${nodePort} is no port`)
  const onNode = new Set<Bytes>()
  const cluster = packAll(rules.cluster, family, onNode, false)
  if (cluster instanceof Unusable) return cluster
  const local = packAll(rules.local, family, onNode, true)
  if (local instanceof Unusable) return local
  const firewall = firewallOf(rules, nodeAddresses)
  if (firewall instanceof Unusable) return firewall
  const fronts = (list: ReadonlyArray<Bytes>): ReadonlyArray<Bytes> =>
    list.length === 0 ? none : list.map((address) => address + suffix)
  const clusterFront = clusterIP + suffix
  return {
    key: rulesKey(rules),
    rules,
    family,
    clusterIP,
    clusterFront,
    // An address stands once, whatever it is given as.
    externalFronts: fronts(external.filter((one) => one !== clusterIP && !balancers.includes(one))),
    balancerFronts: fronts(balancers.filter((one) => one !== clusterIP)),
    nodePort: nodePort === 0 ? undefined : packProtocol(rules.protocol) + paddedPort(nodePort),
    firewall,
    affinity: Math.min(rules.affinitySeconds ?? 0, maxAffinitySeconds),
    internalLocal: rules.internalLocal,
    externalLocal: rules.externalLocal,
    hasAny: rules.hasAny,
    cluster: arrange(before?.cluster ?? "", cluster, family),
    local: arrange(before?.local ?? "", local, family),
    onNode: onNode.size === 0 ? "" : [...onNode].sort().join("")
  }
}

/** `10.96.0.1 TCP port 80`, of the key of an address. */
export const frontText = (front: Bytes, family: IpFamily): string => {
  const width = family === "IPv4" ? 4 : 16
  const port = (front.charCodeAt(width + 4) << 8) | front.charCodeAt(width + 5)
  const protocol = { 6: "TCP", 17: "UDP", 132: "SCTP" }[front.charCodeAt(width)] ?? "?"
  return `${addressText(front.slice(0, width))} ${protocol} port ${port}`
}
