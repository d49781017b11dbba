/**
 * The text of tables, chains and rules for nft(8). No rule has a set without a name: the kernel numbers these, and the same
 * rule would be another one the next time.
 */
import type { IpFamily, Protocol } from "../../../events/service-shape.ts"
import type { DataplaneSettings } from "../port.ts"
import {
  type Chooser,
  choosers,
  drawsFor,
  lastDraw,
  layoutChain,
  maxAffinities,
  nftFamily,
  type Part,
  type SetShape,
  sets,
  shapes
} from "./layout.ts"

export interface Chain {
  readonly name: string
  /** Of a base chain: `type nat hook prerouting priority -100`. */
  readonly hook?: string
  readonly rules: ReadonlyArray<string>
  /** Its rules are made of this without nft (choice.ts); nft can make them only together with all of the table. */
  readonly choice?: Choice
}

/** Among how many slots, or for how long it is remembered. */
export type Choice =
  | { readonly kind: Chooser; readonly slots: number; readonly isSticky: boolean }
  | { readonly seconds: number }

/** Priorities (include/uapi/linux/netfilter_ipv4.h): DNAT at -100, filters at 0, SNAT at 100. */
const base = (
  name: string,
  type: "filter" | "nat",
  hook: string,
  priority: number,
  ...rules: ReadonlyArray<string>
) => ({
  name,
  hook: `type ${type} hook ${hook} priority ${priority}`,
  rules
})

const protocols = ["tcp", "udp", "sctp"] as const satisfies ReadonlyArray<Lowercase<Protocol>>

interface Words {
  readonly source: string
  readonly destination: string
  readonly front: string
  readonly nodePort: string
}

const words = (family: IpFamily): Words => {
  const ip = nftFamily(family)
  return {
    source: `${ip} saddr`,
    destination: `${ip} daddr`,
    front: `${ip} daddr . meta l4proto . th dport`,
    nodePort: "meta l4proto . th dport"
  }
}

/** The connection's first destination, before it was sent on. nft wants the protocol said before it knows of ports. */
const originally = (family: IpFamily, rest: (front: string, nodePort: string) => ReadonlyArray<string>) =>
  protocols.flatMap((protocol) =>
    rest(
      `meta l4proto ${protocol} ct original ${nftFamily(family)} daddr . meta l4proto . ct original proto-dst`,
      `meta l4proto ${protocol} ct original ${nftFamily(family)} daddr @${sets.nodeIPs.name} meta l4proto . ct original proto-dst`
    )
  )

const ofFamily = (cidrs: ReadonlyArray<string>, family: IpFamily): ReadonlyArray<string> =>
  cidrs.map((cidr) => cidr.trim()).filter((cidr) => cidr.includes(":") === (family === "IPv6"))

/** How packets of this node's pods are known, and all others; undefined: they are not. */
const podMatch = (
  { localDetector: detector }: DataplaneSettings,
  family: IpFamily
): { readonly isPod: ReadonlyArray<string>; readonly isNot: string; readonly isByInterface: boolean } | undefined => {
  const source = `${nftFamily(family)} saddr`
  switch (detector.by) {
    case "none":
      return undefined
    case "cidr": {
      const cidrs = ofFamily(detector.cidrs, family)
      if (cidrs.length === 0) return undefined
      return {
        isPod: cidrs.map((cidr) => `${source} ${cidr}`),
        isNot: cidrs.map((cidr) => `${source} != ${cidr}`).join(" "),
        isByInterface: false
      }
    }
    case "bridge":
      return { isPod: [`iifname "${detector.name}"`], isNot: `iifname != "${detector.name}"`, isByInterface: true }
    case "prefix":
      return {
        isPod: [`iifname "${detector.prefix}*"`],
        isNot: `iifname != "${detector.prefix}*"`,
        isByInterface: true
      }
  }
}

/** Chains that are always there, in the order in which they refer to each other. */
export const fixedChains = (settings: DataplaneSettings, family: IpFamily): ReadonlyArray<Chain> => {
  const { source, destination, front, nodePort } = words(family)
  const onNode = `${destination} @${sets.nodeIPs.name} ${nodePort}`
  const pods = podMatch(settings, family)
  const serviceCIDRs = ofFamily(settings.serviceCIDRs ?? [], family)
  const randomly = "masquerade fully-random"
  const toClusterIP = `ct original ${destination} @${sets.clusterIPs.name}`
  const shortCut = (key: string, cluster: SetShape, local: SetShape): ReadonlyArray<string> => [
    ...(pods?.isPod ?? []).map((isPod) => `${isPod} ${key} vmap @${cluster.name}`),
    `fib saddr type local ${key} vmap @${cluster.name}`,
    `${key} vmap @${local.name}`
  ]
  const mark = `0x${(2 ** settings.masqueradeBit).toString(16)}`
  // A bridge that gives its packets to netfilter tells nothing of where they came from after routing.
  const isMarked = !settings.masqueradeAll && pods?.isByInterface === true
  return [
    { name: layoutChain, rules: [] },
    { name: "rejected", rules: ["reject"] },
    { name: "masquerade-all", rules: [randomly] },
    { name: "masquerade-node", rules: [`fib saddr type local ${randomly}`] },
    { name: "external-local-policy", rules: shortCut(front, sets.externalCluster, sets.externalLocal) },
    { name: "node-port-local-policy", rules: shortCut(nodePort, sets.nodePortCluster, sets.nodePortLocal) },
    {
      name: "dispatch",
      rules: [
        ...(isMarked
          ? [`${destination} @${sets.clusterIPs.name} ${pods.isNot} meta mark set meta mark or ${mark}`]
          : []),
        `${front} vmap @${sets.services.name}`,
        `${onNode} vmap @${sets.nodePorts.name}`
      ]
    },
    {
      name: "firewall-check",
      rules: [`${source} . ${front} @${sets.vipSources.name} return`, `${front} vmap @${sets.firewall.name}`]
    },
    { name: "endpoints-check", rules: [`${front} vmap @${sets.noEndpoints.name}`] },
    { name: "node-port-endpoints-check", rules: [`${onNode} vmap @${sets.nodePortNoEndpoints.name}`] },
    {
      name: "cluster-ips-check",
      rules: [
        `${destination} @${sets.clusterIPs.name} reject`,
        ...serviceCIDRs.map((cidr) => `${destination} ${cidr} drop`)
      ]
    },
    {
      name: "masquerading",
      rules: [
        `${source} . ${front} @${sets.hairpin.name} ${randomly}`,
        ...(settings.masqueradeAll
          ? [`${toClusterIP} ${randomly}`]
          : pods === undefined
            ? []
            : pods.isByInterface
              ? [`meta mark and ${mark} != 0 meta mark set meta mark xor ${mark} ${randomly}`]
              : [`${toClusterIP} ${pods.isNot} ${randomly}`]),
        ...originally(family, (address, port) => [
          `${address} vmap @${sets.masquerade.name}`,
          `${port} vmap @${sets.nodePortMasquerade.name}`
        ])
      ]
    },
    {
      name: "remember",
      rules: originally(family, (address, port) => [
        `${address} vmap @${sets.sticky.name}`,
        `${port} vmap @${sets.nodePortSticky.name}`
      ])
    },
    base("filter-prerouting", "filter", "prerouting", -110, "ct state new jump firewall-check"),
    base("filter-output-first", "filter", "output", -110, "ct state new jump firewall-check"),
    base("nat-prerouting", "nat", "prerouting", -100, "jump dispatch"),
    base("nat-output", "nat", "output", -100, "jump dispatch"),
    base("remember-prerouting", "filter", "prerouting", -90, "ct state new ct status dnat jump remember"),
    base("remember-output", "filter", "output", -90, "ct state new ct status dnat jump remember"),
    base(
      "filter-input",
      "filter",
      "input",
      0,
      `tcp dport @${sets.healthCheckPorts.name} accept`,
      "ct state new jump node-port-endpoints-check",
      "ct state new jump endpoints-check"
    ),
    base(
      "filter-forward",
      "filter",
      "forward",
      0,
      "ct state new jump endpoints-check",
      "ct state new jump cluster-ips-check"
    ),
    base(
      "filter-output",
      "filter",
      "output",
      0,
      "ct state new jump endpoints-check",
      "ct state new jump cluster-ips-check"
    ),
    base("nat-postrouting", "nat", "postrouting", 100, "ct status dnat jump masquerading")
  ]
}

/** Chains of so many slots, and of so many seconds of memory, by their name; undefined: no such name. */
export const countedChain = (name: string, family: IpFamily): Chain | undefined => {
  const memory = /^remember-([1-9]\d*)$/.exec(name)
  if (memory !== null) return { name, rules: [], choice: { seconds: Number(memory[1]) } }
  const [, kind, slots, sticky] = /^(cluster|local|node-port|node-port-local)-([1-9]\d*)(-sticky)?$/.exec(name) ?? []
  if (kind === undefined) return undefined
  const choice = { kind: kind as Chooser, slots: Number(slots), isSticky: sticky !== undefined }
  const { front, nodePort, source } = words(family)
  const { slots: map, isNodePort } = choosers[choice.kind]
  const to = `dnat ${nftFamily(family)} to`
  const choose = (modulus: number): string =>
    `${to} ${isNodePort ? nodePort : front} . numgen random mod ${modulus} map @${map.name}`
  const draws = Array.from({ length: drawsFor(choice.slots) }, () => choose(choice.slots))
  const choices = [...draws, choose(lastDraw(choice.slots))]
  const recall = `${to} ${front} . ${source} map @${sets.affinity.name}`
  return { name, choice, rules: choice.isSticky ? [recall, ...choices] : choices }
}

/** Drops what is not from these ranges. */
export const firewallChain = (name: string, ranges: ReadonlyArray<string>, family: IpFamily): Chain => ({
  name,
  rules: [...ranges.map((range) => `${nftFamily(family)} saddr ${range} return`), "drop"]
})

const partWords = (part: Part, family: IpFamily): string => {
  switch (part) {
    case "address":
      return `${nftFamily(family)} daddr`
    case "source":
      return `${nftFamily(family)} saddr`
    case "protocol":
      return "meta l4proto"
    case "port":
      return "th dport"
    case "index":
      return "numgen random mod 2"
  }
}

export const tableText = (family: IpFamily, table: string): string => `${nftFamily(family)} ${table}`

const setText = (one: SetShape, family: IpFamily, table: string): string => {
  const key = one.key.map((part) => partWords(part, family)).join(" . ")
  const value =
    one.value === "none" ? "" : one.value === "verdict" ? " : verdict" : ` : ${nftFamily(family)} daddr . th dport`
  const flags = one.isDynamic ? ` size ${maxAffinities} ; flags dynamic,timeout ;` : ""
  return `add ${one.value === "none" ? "set" : "map"} ${tableText(family, table)} ${one.name} { typeof ${key}${value} ;${flags} }`
}

/** Creates it where it is not there, and gives it exactly these rules. */
export const chainText = ({ name, hook, rules }: Chain, family: IpFamily, table: string): ReadonlyArray<string> => {
  const chain = `${tableText(family, table)} ${name}`
  return [
    `add chain ${chain}${hook === undefined ? "" : ` { ${hook} ; policy accept ; }`}`,
    `flush chain ${chain}`,
    ...rules.map((rule) => `add rule ${chain} ${rule}`)
  ]
}

/** The table with its sets and these chains; elements that are there stay. */
export const skeletonText = (family: IpFamily, table: string, chains: ReadonlyArray<Chain>): ReadonlyArray<string> => [
  `add table ${tableText(family, table)}`,
  ...shapes.map((one) => setText(one, family, table)),
  // First all names, because rules refer to chains that come later.
  ...chains.map(
    ({ name, hook }) =>
      `add chain ${tableText(family, table)} ${name}${hook === undefined ? "" : ` { ${hook} ; policy accept ; }`}`
  ),
  ...chains.flatMap((chain) => chainText(chain, family, table))
]
