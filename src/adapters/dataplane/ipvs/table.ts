/**
 * The nftables table beside the virtual servers, as text for nft(8): what IPVS itself cannot do. It has no chain per Service,
 * only sets that are asked for each new connection. In the order in which a packet meets them:
 *
 * - `guard`: only some sources may use a load balancer's address.
 * - `inward`: the policy Local is for traffic from outside; to pods and the node itself such an address is the cluster IP.
 * - `inspect`: packets for which there is no server are refused or dropped; on addresses that are Services' alone, ports without
 *   a Service are refused (the device makes them the node's own, and all that listens on it could be reached there).
 * - `postrouting`: masquerading. The destination is a real server by then; whose connection it is tells its first packet.
 */
import type { IpFamily } from "../../../events/service-shape.ts"
import type { DataplaneSettings } from "../port.ts"
import { type SetName, setNames } from "./plan.ts"

const families = ["IPv4", "IPv6"] as const satisfies ReadonlyArray<IpFamily>
const suffixes = { IPv4: "4", IPv6: "6" } as const
const ip = { IPv4: "ip", IPv6: "ip6" } as const
const nfproto = { IPv4: "ipv4", IPv6: "ipv6" } as const
const addressTypes = { IPv4: "ipv4_addr", IPv6: "ipv6_addr" } as const

export const setIn = (set: SetName, family: IpFamily): string => `${set}${suffixes[family]}`

/** `ports4` … → set and family. */
export const setOf = (name: string): { readonly set: SetName; readonly family: IpFamily } | undefined => {
  const set = setNames.find((known) => known === name.slice(0, -1))
  const family = families.find((one) => suffixes[one] === name.slice(-1))
  return set === undefined || family === undefined ? undefined : { set, family }
}

export const mapNames: ReadonlySet<SetName> = new Set(["empty", "inward"])

const shape = (set: SetName, family: IpFamily): string => {
  const address = addressTypes[family]
  const front = `${address} . inet_proto . inet_service`
  switch (set) {
    case "addresses":
      return `type ${address};`
    case "hairpin":
      return `type ${address} . ${address};`
    case "allowed":
      return `type ${front} . ${address}; flags interval;`
    case "empty":
      return `type ${front} : verdict;`
    case "inward":
      return `type ${front} : ${address} . inet_service;`
    default:
      return `type ${front};`
  }
}

/** Priorities (include/uapi/linux/netfilter_ipv4.h): IPVS takes packets at -98 where this node sends, and at 99 where it receives. */
const hooks = {
  "guard-prerouting": "type filter hook prerouting priority -110",
  "guard-output": "type filter hook output priority -110",
  "inward-prerouting": "type nat hook prerouting priority -100",
  "inward-output": "type nat hook output priority -100",
  "inspect-input": "type filter hook input priority 0",
  "inspect-output": "type filter hook output priority -99",
  postrouting: "type nat hook postrouting priority 100"
} as const

const masquerade = "masquerade fully-random"

const ofFamily = (cidrs: ReadonlyArray<string>, family: IpFamily): ReadonlyArray<string> =>
  cidrs.map((cidr) => cidr.trim()).filter((cidr) => cidr.includes(":") === (family === "IPv6"))

/** Where packets of pods come in, where that is how they are known: a name, or the beginning of one. */
const podDevice = ({ localDetector: by }: DataplaneSettings): string | undefined => {
  if (by.by === "bridge") return `"${by.name}"`
  return by.by === "prefix" ? `"${by.prefix}*"` : undefined
}

/** Ranges of pods' addresses, where that is how they are known. */
const podRanges = ({ localDetector: by }: DataplaneSettings, family: IpFamily): string | undefined => {
  const ranges = by.by === "cidr" ? ofFamily(by.cidrs, family).join(", ") : ""
  return ranges === "" ? undefined : `{ ${ranges} }`
}

/** The device is not known any more where IPVS has sent a packet on: a bit of its mark remembers it until it leaves. */
const markBit = (settings: DataplaneSettings): string => `0x${(2 ** settings.masqueradeBit).toString(16)}`
const otherBits = (settings: DataplaneSettings): string =>
  `0x${(0xffff_ffff - 2 ** settings.masqueradeBit).toString(16)}`

const frontOf = (family: IpFamily): string => `${ip[family]} daddr . meta l4proto . th dport`

const guarding = (family: IpFamily): ReadonlyArray<string> => {
  const front = frontOf(family)
  return [
    `${front} @${setIn("restricted", family)} ${front} . ${ip[family]} saddr != @${setIn("allowed", family)} drop`
  ]
}

/** nft wants the protocol said before it knows of ports. */
const transports = "meta l4proto { tcp, udp, sctp }"

const turning = (settings: DataplaneSettings, family: IpFamily): ReadonlyArray<string> => {
  const [ranges, device] = [podRanges(settings, family), podDevice(settings)]
  const turn = `${transports} dnat ${ip[family]} to ${frontOf(family)} map @${setIn("inward", family)}`
  return [
    ...(ranges === undefined ? [] : [`${ip[family]} saddr ${ranges} ${turn}`]),
    ...(device === undefined ? [] : [`iifname ${device} meta nfproto ${nfproto[family]} ${turn}`]),
    `meta nfproto ${nfproto[family]} fib saddr type local ${turn}`
  ]
}

const inspecting = (settings: DataplaneSettings, family: IpFamily): ReadonlyArray<string> => {
  const front = frontOf(family)
  const device = podDevice(settings)
  return [
    `${front} vmap @${setIn("empty", family)}`,
    `${transports} ${ip[family]} daddr @${setIn("addresses", family)} ${front} != @${setIn("services", family)} goto refuse`,
    ...(device === undefined || settings.masqueradeAll
      ? []
      : [`iifname != ${device} ${front} @${setIn("cluster", family)} meta mark set meta mark | ${markBit(settings)}`])
  ]
}

const protocols = ["tcp", "udp", "sctp"] as const

const masquerading = (settings: DataplaneSettings, family: IpFamily): ReadonlyArray<string> => {
  const source = `${ip[family]} saddr`
  const originally = (before: string, set: SetName): ReadonlyArray<string> =>
    protocols.map(
      (protocol) =>
        `${before}meta l4proto ${protocol} ct original ${ip[family]} daddr . meta l4proto . ct original proto-dst @${setIn(set, family)} ${masquerade}`
    )
  const pods = podRanges(settings, family)
  return [
    `${source} . ${ip[family]} daddr @${setIn("hairpin", family)} ${masquerade}`,
    ...originally("", "masquerade"),
    // The node's own connections to an address on the device come from that address, which means nothing elsewhere.
    ...originally(`${source} @${setIn("addresses", family)} `, "services"),
    ...(settings.masqueradeAll
      ? originally("", "cluster")
      : pods === undefined
        ? []
        : originally(`${source} != ${pods} `, "cluster"))
  ]
}

interface Chain {
  readonly name: string
  readonly hook?: string
  readonly rules: ReadonlyArray<string>
}

/** Chains in the order in which they refer to each other. */
const chainsOf = (settings: DataplaneSettings): ReadonlyArray<Chain> => {
  const ofBoth = (rules: (family: IpFamily) => ReadonlyArray<string>) => families.flatMap(rules)
  const marked = `meta mark & ${markBit(settings)} == ${markBit(settings)}`
  const unmarked = `meta mark set meta mark & ${otherBits(settings)}`
  const hooked = (name: keyof typeof hooks, ...rules: ReadonlyArray<string>): Chain => ({
    name,
    hook: hooks[name],
    rules
  })
  return [
    { name: "refuse", rules: ["reject"] },
    { name: "guard", rules: ofBoth(guarding) },
    { name: "inward", rules: ofBoth((family) => turning(settings, family)) },
    { name: "inspect", rules: ofBoth((family) => inspecting(settings, family)) },
    hooked("guard-prerouting", "ct state new jump guard"),
    hooked("guard-output", "ct state new jump guard"),
    hooked("inward-prerouting", "jump inward"),
    hooked("inward-output", "jump inward"),
    hooked("inspect-input", "ct state new jump inspect"),
    hooked("inspect-output", "ct state new jump inspect"),
    hooked(
      "postrouting",
      ...(podDevice(settings) === undefined ? [] : [`${marked} ${unmarked} ${masquerade}`]),
      ...ofBoth((family) => masquerading(settings, family))
    )
  ]
}

const chainText = ({ name, hook, rules }: Chain): string =>
  [
    `  chain ${name} {`,
    ...(hook === undefined ? [] : [`    ${hook}; policy accept;`]),
    ...rules.map((rule) => `    ${rule}`),
    "  }"
  ].join("\n")

/** The table with its sets, and its chains written anew; what sets hold stays. Done at once or not at all. */
export const tableText = (table: string, settings: DataplaneSettings): string => {
  const chains = chainsOf(settings)
  const declared = (parts: ReadonlyArray<string>) => `table inet ${table} {\n${parts.join("\n")}\n}\n`
  return [
    // Chains must be there to be emptied.
    declared(chains.map((one) => chainText({ ...one, rules: [] }))),
    ...chains.map(({ name }) => `flush chain inet ${table} ${name}\n`),
    declared(
      families.flatMap((family) =>
        setNames.map((set) => `  ${mapNames.has(set) ? "map" : "set"} ${setIn(set, family)} { ${shape(set, family)} }`)
      )
    ),
    declared(chains.map(chainText))
  ].join("")
}
