/**
 * The nftables table beside the virtual servers, as text for nft(8): what IPVS itself cannot do. It has no chain per Service,
 * only sets that are asked for each new connection.
 *
 * - `input`, `output`: packets for which there is no server are refused or dropped; only some sources may use a load balancer's
 *   address; on addresses that are Services' alone, ports without a Service are refused (the device makes them the node's own,
 *   and all that listens on it could be reached there).
 * - `postrouting`: masquerading. The destination is a real server by then; whose connection it is tells its first packet.
 */
import type { IpFamily } from "../../../events/service-shape.ts"
import type { DataplaneSettings } from "../port.ts"
import { type SetName, setNames } from "./plan.ts"

const families = ["IPv4", "IPv6"] as const satisfies ReadonlyArray<IpFamily>
const suffixes = { IPv4: "4", IPv6: "6" } as const
const ip = { IPv4: "ip", IPv6: "ip6" } as const
const addressTypes = { IPv4: "ipv4_addr", IPv6: "ipv6_addr" } as const

export const setIn = (set: SetName, family: IpFamily): string => `${set}${suffixes[family]}`

/** `ports4` … → set and family. */
export const setOf = (name: string): { readonly set: SetName; readonly family: IpFamily } | undefined => {
  const set = setNames.find((known) => known === name.slice(0, -1))
  const family = families.find((one) => suffixes[one] === name.slice(-1))
  return set === undefined || family === undefined ? undefined : { set, family }
}

export const mapNames: ReadonlySet<SetName> = new Set(["empty"])

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
    default:
      return `type ${front};`
  }
}

/** Priorities (include/uapi/linux/netfilter_ipv4.h): IPVS takes packets at -98 where this node sends, and at 99 where it receives. */
const priorities = { input: 0, output: -110, postrouting: 100 } as const

const masquerade = "masquerade fully-random"

const ofFamily = (cidrs: ReadonlyArray<string>, family: IpFamily): ReadonlyArray<string> =>
  cidrs.map((cidr) => cidr.trim()).filter((cidr) => cidr.includes(":") === (family === "IPv6"))

/** Where packets of pods come in, where that is how they are known: a name, or the beginning of one. */
const podDevice = ({ localDetector: by }: DataplaneSettings): string | undefined => {
  if (by.by === "bridge") return `"${by.name}"`
  return by.by === "prefix" ? `"${by.prefix}*"` : undefined
}

/** The device is not known any more where IPVS has sent a packet on: a bit of its mark remembers it until it leaves. */
const markBit = (settings: DataplaneSettings): string => `0x${(2 ** settings.masqueradeBit).toString(16)}`
const otherBits = (settings: DataplaneSettings): string =>
  `0x${(0xffff_ffff - 2 ** settings.masqueradeBit).toString(16)}`

const inspections = (settings: DataplaneSettings, family: IpFamily): ReadonlyArray<string> => {
  const address = `${ip[family]} daddr`
  const front = `${address} . meta l4proto . th dport`
  const [services, addresses, cluster] = (["services", "addresses", "cluster"] as const).map((set) =>
    setIn(set, family)
  )
  const device = podDevice(settings)
  return [
    `${front} vmap @${setIn("empty", family)}`,
    `${front} @${setIn("restricted", family)} ${front} . ${ip[family]} saddr != @${setIn("allowed", family)} drop`,
    `meta l4proto { tcp, udp, sctp } ${address} @${addresses} ${front} != @${services} goto refuse`,
    ...(device === undefined || settings.masqueradeAll
      ? []
      : [`iifname != ${device} ${front} @${cluster} meta mark set meta mark | ${markBit(settings)}`])
  ]
}

const protocols = ["tcp", "udp", "sctp"] as const

const masquerading = (settings: DataplaneSettings, family: IpFamily): ReadonlyArray<string> => {
  const source = `${ip[family]} saddr`
  // nft wants the protocol said before it knows of ports.
  const originally = (before: string, set: SetName): ReadonlyArray<string> =>
    protocols.map(
      (protocol) =>
        `${before}meta l4proto ${protocol} ct original ${ip[family]} daddr . meta l4proto . ct original proto-dst @${setIn(set, family)} ${masquerade}`
    )
  const { localDetector: detector } = settings
  const pods = detector.by === "cidr" ? ofFamily(detector.cidrs, family).join(", ") : ""
  return [
    `${source} . ${ip[family]} daddr @${setIn("hairpin", family)} ${masquerade}`,
    ...originally("", "masquerade"),
    // The node's own connections to an address on the device come from that address, which means nothing elsewhere.
    ...originally(`${source} @${setIn("addresses", family)} `, "services"),
    ...(settings.masqueradeAll
      ? originally("", "cluster")
      : pods === ""
        ? []
        : originally(`${source} != { ${pods} } `, "cluster"))
  ]
}

const chain = (name: string, rules: ReadonlyArray<string>, hook?: string): string =>
  [`  chain ${name} {`, ...(hook === undefined ? [] : [`    ${hook}; policy accept;`]), ...rules.map((r) => `    ${r}`), "  }"].join(
    "\n"
  )

const base = (type: "filter" | "nat", hook: keyof typeof priorities): string =>
  `type ${type} hook ${hook} priority ${priorities[hook]}`

/** The table with its sets, and its chains written anew; what sets hold stays. Done at once or not at all. */
export const tableText = (table: string, settings: DataplaneSettings): string => {
  const device = podDevice(settings)
  const marked = `meta mark & ${markBit(settings)} == ${markBit(settings)}`
  const unmarked = `meta mark set meta mark & ${otherBits(settings)}`
  const chains = ["refuse", "inspect", "input", "output", "postrouting"]
  const body = [
    ...families.flatMap((family) =>
      setNames.map((set) => `  ${mapNames.has(set) ? "map" : "set"} ${setIn(set, family)} { ${shape(set, family)} }`)
    ),
    chain("refuse", ["reject"]),
    chain(
      "inspect",
      families.flatMap((family) => inspections(settings, family))
    ),
    chain("input", ["ct state new jump inspect"], base("filter", "input")),
    chain("output", ["ct state new jump inspect"], base("filter", "output")),
    chain(
      "postrouting",
      [
        ...(device === undefined ? [] : [`${marked} ${unmarked} ${masquerade}`]),
        ...families.flatMap((family) => masquerading(settings, family))
      ],
      base("nat", "postrouting")
    )
  ]
  const declared = (lines: ReadonlyArray<string>) => `table inet ${table} {\n${lines.join("\n")}\n}\n`
  return [
    declared(chains.map((name) => `  chain ${name} { }`).slice(0, 2)),
    ...chains.slice(0, 2).map((name) => `flush chain inet ${table} ${name}\n`),
    declared([
      ...(["input", "output"] as const).map((name) => chain(name, [], base("filter", name))),
      chain("postrouting", [], base("nat", "postrouting"))
    ]),
    ...chains.slice(2).map((name) => `flush chain inet ${table} ${name}\n`),
    declared(body)
  ].join("")
}
