/** Chains and rules that are there whatever Services there are, and the jumps to them from the kernel's own chains. */
import { type Context, commentMatch, maskOf, type Table, zeroCidr } from "./context.ts"
import { chainNames } from "./names.ts"

export interface Jump {
  readonly table: Table
  /** A chain of the kernel's. */
  readonly from: string
  readonly to: string
  /** Arguments of the rule between the chain and `-j`. */
  readonly match: string
}

const jump = (table: Table, from: string, to: string, comment: string, isNew = false): Jump => ({
  table,
  from,
  to,
  match: `${isNew ? "-m conntrack --ctstate NEW " : ""}-m comment --comment "${comment}"`
})

const portals = "kubernetes service portals"
const external = "kubernetes externally-visible service portals"
const firewall = "kubernetes load balancer firewall"

/** In the order in which they go in, each before all that is in its chain (`iptablesJumpChains`). Always with comments. */
const commonJumps: ReadonlyArray<Jump> = [
  jump("filter", "INPUT", chainNames.externalServices, external, true),
  jump("filter", "FORWARD", chainNames.externalServices, external, true),
  // kube-proxy has none here: what the node itself sends to an address without servers would get no answer at all.
  jump("filter", "OUTPUT", chainNames.externalServices, external, true),
  jump("filter", "INPUT", chainNames.nodePorts, "kubernetes health check service ports"),
  jump("filter", "FORWARD", chainNames.services, portals, true),
  jump("filter", "OUTPUT", chainNames.services, portals, true),
  jump("filter", "FORWARD", chainNames.forward, "kubernetes forwarding rules"),
  jump("filter", "INPUT", chainNames.proxyFirewall, firewall, true),
  jump("filter", "OUTPUT", chainNames.proxyFirewall, firewall, true),
  jump("filter", "FORWARD", chainNames.proxyFirewall, firewall, true),
  jump("nat", "OUTPUT", chainNames.services, portals),
  jump("nat", "PREROUTING", chainNames.services, portals),
  jump("nat", "POSTROUTING", chainNames.postrouting, "kubernetes postrouting rules")
]

/** Node ports on 127.0.0.1 make packets from there leave the loopback device; the other way stays closed. */
const guardsLoopback = (context: Pick<Context, "family" | "settings">): boolean =>
  context.family === "IPv4" && context.settings.localhostNodePorts

export const guardJumps: ReadonlyArray<Jump> = [
  { table: "filter", from: "INPUT", to: chainNames.firewall, match: "" },
  { table: "filter", from: "OUTPUT", to: chainNames.firewall, match: "" }
]

export const jumpsOf = (context: Pick<Context, "family" | "settings">): ReadonlyArray<Jump> =>
  guardsLoopback(context) ? [...commonJumps, ...guardJumps] : commonJumps

export const jumpRule = (each: Jump): string => `${each.match === "" ? "" : `${each.match} `}-j ${each.to}`

/** Rules (without `-A CHAIN`) of each chain that is always there, but for those of Services. */
export const fixedRules = (context: Context): Readonly<Record<Table, ReadonlyMap<string, ReadonlyArray<string>>>> => {
  const mark = maskOf(context.settings.masqueradeBit)
  const [bit] = mark.split("/") as [string]
  const filter = new Map<string, ReadonlyArray<string>>([
    [chainNames.services, []],
    [chainNames.externalServices, []],
    [
      chainNames.forward,
      [
        // Answers that conntrack does not know would reset connections if they were forwarded as they are (kubernetes #74839).
        "-m conntrack --ctstate INVALID -j DROP",
        `${commentMatch(context, "kubernetes forwarding rules")}-m mark --mark ${mark} -j ACCEPT`,
        `${commentMatch(context, "kubernetes forwarding conntrack rule")}-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`
      ]
    ],
    [chainNames.nodePorts, []],
    [chainNames.proxyFirewall, []]
  ])
  if (guardsLoopback(context)) filter.set(chainNames.firewall, [guardRule])
  const nat = new Map<string, ReadonlyArray<string>>([
    [chainNames.services, []],
    [chainNames.nodePorts, []],
    [
      chainNames.postrouting,
      [
        `-m mark ! --mark ${mark} -j RETURN`,
        // A packet that is encapsulated comes by again, and is not to be masqueraded twice.
        `-j MARK --xor-mark ${bit}`,
        `${commentMatch(context, "kubernetes service traffic requiring SNAT")}-j MASQUERADE${masqueradeOptions}`
      ]
    ],
    [chainNames.markMasquerade, [`-j MARK --or-mark ${bit}`]]
  ])
  return { filter, nat }
}

/** Source ports at random: two clients at the same moment do not take the same (kube-proxy does so where it is known). */
const masqueradeOptions = " --random-fully"

export const guardRule =
  '-m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP'

/** The last rules of KUBE-SERVICES: what no Service has taken may be for a node port. */
export const lastRules = (context: Context): ReadonlyArray<string> => {
  const comment = commentMatch(context, "kubernetes service nodeports; NOTE: this must be the last rule in this chain")
  const rule = (match: string) => `${comment}${match} -j ${chainNames.nodePorts}`
  if (context.nodePorts === "all") {
    const not =
      context.family === "IPv6" ? " ! -d ::1/128" : context.settings.localhostNodePorts ? "" : " ! -d 127.0.0.0/8"
    return [rule(`-m addrtype --dst-type LOCAL${not}`)]
  }
  return context.nodePorts.filter((address) => mayAnswer(context, address)).map((address) => rule(`-d ${address}`))
}

/** Packets to ::1 never leave the loopback device, and those to 127.0.0.0/8 only with route_localnet. */
const mayAnswer = (context: Context, address: string): boolean =>
  context.family === "IPv6" ? address !== "::1" : !address.startsWith("127.") || context.settings.localhostNodePorts

/** Which of the addresses given are for this family, and whether they mean all. */
export const nodePortsOf = (addresses: ReadonlyArray<string>, family: Context["family"]): Context["nodePorts"] =>
  addresses.includes(zeroCidr[family])
    ? "all"
    : addresses.filter((address) => (address.includes(":") ? "IPv6" : "IPv4") === family)
