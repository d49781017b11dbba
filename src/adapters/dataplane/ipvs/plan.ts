/**
 * What the kernel has to have for some rules: virtual servers, the addresses that they need, and entries of the nftables
 * table beside them. Pure (`pkg/proxy/ipvs/proxier.go`, syncProxyRules).
 *
 * Beside kube-proxy: where a policy is Local and no server is on this node, packets are dropped, and not sent to servers of
 * other nodes; addresses that the node has on another device are not filtered by port.
 */
import { cidrContains, formatCidr, formatIp, parseCidr, parseIp } from "../../../events/ip-address.ts"
import type { IpFamily, Protocol } from "../../../events/service-shape.ts"
import type { ServiceOptions } from "../../netlink/ipvs.ts"
import { rulesKey, type Scheduler, type Server, type ServiceRules } from "../port.ts"
import { optionsOf } from "./options.ts"

/** Sets and maps of the table; each is there once for IPv4 and once for IPv6 (`services4`, `services6`). */
export const setNames = [
  /** Address, protocol and port of all virtual servers. */
  "services",
  /** Addresses on the device: all that comes for them is ours. */
  "addresses",
  /** Cluster IPs: masqueraded where the source is no pod of this cluster. */
  "cluster",
  /** Reached from outside, by policy Cluster: always masqueraded. */
  "masquerade",
  /** Source and destination of a pod that meets itself through a Service. */
  "hairpin",
  /** Load balancer addresses that only some may use. */
  "restricted",
  /** … and who may. */
  "allowed",
  /** What is done with packets for which there is no server: refused, or dropped. */
  "empty",
  /** Reached from outside, by policy Local → the cluster IP, for pods and the node itself: to them the policy does not apply. */
  "inward"
] as const
export type SetName = (typeof setNames)[number]

/** An entry as nft writes it: `10.96.0.1 . tcp . 80`; of maps with what they give: `goto refuse`, `10.96.0.1 . 80`. */
export interface Entry {
  readonly set: SetName
  readonly family: IpFamily
  readonly key: string
  readonly value?: string
}

/** Verdicts of `empty`. */
export const verdicts = { refuse: "goto refuse", drop: "drop" } as const

export type Origin = "cluster" | "external" | "loadBalancer" | "node"

export interface PlannedServer {
  /** `10.96.0.1:80/TCP`: no two of a node are alike. */
  readonly key: string
  /** The rules that it is for. */
  readonly rules: string
  readonly origin: Origin
  readonly family: IpFamily
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
  readonly options: ServiceOptions
  readonly servers: ReadonlyArray<Server>
  /** It needs its address on the device. */
  readonly binds: boolean
  readonly entries: ReadonlyArray<Entry>
}

/** What the node is like, beside the rules. */
export interface Surroundings {
  readonly scheduler: Scheduler
  /** In the flags of every virtual server of ours. */
  readonly mark: number
  /** Addresses that this node has on other devices than ours. */
  readonly nodeAddresses: ReadonlySet<string>
  readonly nodePortAddresses: ReadonlyArray<string>
}

export const virtualKey = (protocol: string, address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}/${protocol}` : `${address}:${port}/${protocol}`

const isLoopback = (address: string): boolean => address === "::1" || address.startsWith("127.")

const entryKey = (protocol: Protocol, address: string, port: number): string =>
  `${address} . ${protocol.toLowerCase()} . ${port}`

/** Who may use a load balancer's address: the ranges, and this node by that address itself, if one of its own is in them. */
const allowedSources = (rules: ServiceRules, address: string, nodeAddresses: ReadonlyArray<string>) => {
  const ranges = rules.sourceRanges.map(parseCidr).filter((range) => range !== undefined)
  const own = nodeAddresses.map(parseIp).filter((ip) => ip !== undefined)
  const isNodeIn = ranges.some((range) => own.some((ip) => cidrContains(range, ip)))
  const self = isNodeIn ? parseIp(address) : undefined
  const all = self === undefined ? ranges : [...ranges, { ...self, prefix: self.bytes.length * 8 }]
  // A set with ranges takes none that lies within another.
  const widest = all.toSorted((a, b) => a.prefix - b.prefix)
  const kept = widest.filter((range, i) => !widest.slice(0, i).some((wider) => cidrContains(wider, range)))
  return kept.map((range) => (range.prefix === range.bytes.length * 8 ? formatIp(range) : formatCidr(range)))
}

const emptyEntry = (rules: ServiceRules, key: string): Entry => ({
  ...{ set: "empty", family: rules.family, key },
  value: rules.hasAny ? verdicts.drop : verdicts.refuse
})

/** All virtual servers of some rules. Takes time in proportion to their servers. */
export const planRules = (rules: ServiceRules, around: Surroundings): ReadonlyArray<PlannedServer> => {
  const { family, protocol } = rules
  const name = rulesKey(rules)
  const options = optionsOf(rules, around.scheduler, around.mark)
  const internal = rules.internalLocal ? rules.local : rules.cluster
  const external = rules.externalLocal ? rules.local : rules.cluster
  const hairpins = (servers: ReadonlyArray<Server>): ReadonlyArray<Entry> =>
    servers.filter((server) => server.local).map(({ ip }) => ({ set: "hairpin", family, key: `${ip} . ${ip}` }))
  const [internalHairpins, externalHairpins] = [hairpins(internal), hairpins(external)]
  const inward = (key: string): Entry => ({
    ...{ set: "inward", family, key },
    value: `${rules.clusterIP} . ${rules.port}`
  })
  const planned = (origin: Origin, address: string, port: number): PlannedServer => {
    const isInternal = origin === "cluster"
    const servers = isInternal ? internal : external
    const key = entryKey(protocol, address, port)
    const entry = (set: SetName): Entry => ({ set, family, key })
    const binds = origin !== "node" && !around.nodeAddresses.has(address) && !isLoopback(address)
    const isRestricted = origin === "loadBalancer" && rules.sourceRanges.length > 0
    const entries: ReadonlyArray<Entry> = [
      entry("services"),
      ...(binds ? [{ set: "addresses", family, key: address } as const] : []),
      ...(isInternal ? [entry("cluster")] : [rules.externalLocal ? inward(key) : entry("masquerade")]),
      ...(isInternal ? internalHairpins : externalHairpins),
      ...(servers.length > 0 ? [] : [emptyEntry(rules, key)]),
      ...(isRestricted ? [entry("restricted")] : []),
      ...(isRestricted ? allowedSources(rules, address, around.nodePortAddresses) : []).map(
        (source): Entry => ({ set: "allowed", family, key: `${key} . ${source}` })
      )
    ]
    const id = { key: virtualKey(protocol, address, port), rules: name, origin, family, protocol, address, port }
    return { ...id, options, servers, binds, entries }
  }
  const { nodePort } = rules
  const nodeAddresses =
    nodePort === undefined
      ? []
      : around.nodePortAddresses.filter((a) => a.includes(":") === (family === "IPv6") && !isLoopback(a))
  return [
    planned("cluster", rules.clusterIP, rules.port),
    ...rules.externalIPs.map((address) => planned("external", address, rules.port)),
    ...rules.loadBalancerIPs.map((address) => planned("loadBalancer", address, rules.port)),
    ...nodeAddresses.map((address) => planned("node", address, nodePort!))
  ]
}
