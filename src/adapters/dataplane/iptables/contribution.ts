/** What one port of a Service adds to the rules: chains of its own, and lines in the chains that all share. */
import { cidrContains, hostPort, parseCidr, parseIp } from "../../../events/ip-address.ts"
import type { Server, ServiceRules } from "../port.ts"
import { type Context, commentMatch, localMatch, type Table, zeroCidr } from "./context.ts"
import { chainNames, type PortChain, portHash, serverChain, servicePortName } from "./names.ts"

/** Rules without `-A CHAIN`. */
type Rules = ReadonlyArray<string>

export interface SharedRule {
  readonly table: Table
  readonly chain: string
  readonly rule: string
}

export interface Contribution {
  /** Chains of table nat that are this port's alone. */
  readonly chains: ReadonlyMap<string, Rules>
  readonly shared: ReadonlyArray<SharedRule>
}

/** Decimals of a probability in a rule's text. */
const probabilityDecimals = 10

/** Of `left` servers that are still to be asked, the next one takes this part of the connections. */
export const probability = (left: number): string => (1 / left).toFixed(probabilityDecimals)

const isExternal = (rules: ServiceRules): boolean =>
  rules.nodePort !== undefined || rules.externalIPs.length > 0 || rules.loadBalancerIPs.length > 0

/** How a packet that nobody here may answer is turned away. */
interface Refusing {
  readonly target: "REJECT" | "DROP"
  readonly why: string
}

const refusing = (rules: ServiceRules): Refusing =>
  rules.hasAny ? { target: "DROP", why: "has no local endpoints" } : { target: "REJECT", why: "has no endpoints" }

/** Ranges of the family; none, or one that takes in all, means everybody. */
const rangesOf = (rules: ServiceRules): ReadonlyArray<string> => {
  const ranges = rules.sourceRanges.map((range) => range.trim())
  const own = ranges.filter((range) => parseCidr(range)?.family === rules.family)
  return own.includes(zeroCidr[rules.family]) ? [] : own
}

const isWithin = (range: string, address: string): boolean => {
  const [cidr, ip] = [parseCidr(range), parseIp(address)]
  return cidr !== undefined && ip !== undefined && cidrContains(cidr, ip)
}

interface Parts {
  readonly rules: ServiceRules
  readonly context: Context
  readonly name: string
  readonly chain: (kind: Exclude<PortChain, "SEP">) => string
  /** `-m tcp -p tcp` */
  readonly protocol: string
  /** Some server may be used for traffic of the cluster's own; for traffic from outside. */
  readonly hasInternal: boolean
  readonly hasExternal: boolean
  readonly usesCluster: boolean
  readonly usesLocal: boolean
  readonly usesFirewall: boolean
}

const partsOf = (rules: ServiceRules, context: Context): Parts => {
  const hash = portHash(rules)
  const protocol = rules.protocol.toLowerCase()
  const external = isExternal(rules)
  const may = (local: boolean): boolean => rules.hasAny && (local ? rules.local : rules.cluster).length > 0
  return {
    rules,
    context,
    name: servicePortName(rules),
    chain: (kind) => `KUBE-${kind}-${hash}`,
    protocol: `-m ${protocol} -p ${protocol}`,
    hasInternal: may(rules.internalLocal),
    hasExternal: may(rules.externalLocal),
    // Traffic of pods and of the node to an outer address is never kept to local servers.
    usesCluster: rules.cluster.length > 0 && (!rules.internalLocal || external),
    usesLocal: rules.local.length > 0 && (rules.internalLocal || (rules.externalLocal && external)),
    usesFirewall: rules.hasAny && rangesOf(rules).length > 0 && rules.loadBalancerIPs.length > 0
  }
}

const to = ({ protocol }: Parts, address: string, port: number): string => `${protocol} -d ${address} --dport ${port}`

/** Lines in the chains that all share; an address that nobody answers is refused in table filter. */
const sharedOf = (parts: Parts): ReadonlyArray<SharedRule> => {
  const { rules, context, name, chain, hasInternal, hasExternal } = parts
  const shared: Array<SharedRule> = []
  const { target, why } = refusing(rules)
  const add = (table: Table, into: string, comment: string, match: string, goal: string): void => {
    shared.push({ table, chain: into, rule: `${commentMatch(context, comment)}${match} -j ${goal}` })
  }
  const refuse = (into: string, match: string): void => add("filter", into, `${name} ${why}`, match, target)
  const clusterIP = to(parts, rules.clusterIP, rules.port)
  if (hasInternal) {
    add("nat", chainNames.services, `${name} cluster IP`, clusterIP, chain(rules.internalLocal ? "SVL" : "SVC"))
  } else refuse(chainNames.services, clusterIP)

  for (const address of rules.externalIPs) {
    const match = to(parts, address, rules.port)
    if (rules.hasAny) add("nat", chainNames.services, `${name} external IP`, match, chain("EXT"))
    if (!hasExternal) refuse(chainNames.externalServices, match)
  }
  for (const address of rules.loadBalancerIPs) {
    const match = to(parts, address, rules.port)
    if (rules.hasAny) {
      add("nat", chainNames.services, `${name} loadbalancer IP`, match, chain(parts.usesFirewall ? "FW" : "EXT"))
    }
    if (parts.usesFirewall) {
      const comment = `${name} traffic not accepted by ${chain("FW")}`
      add("filter", chainNames.proxyFirewall, comment, match, "DROP")
    }
    if (!hasExternal) refuse(chainNames.externalServices, match)
  }
  if (rules.nodePort !== undefined && (context.nodePorts === "all" || context.nodePorts.length > 0)) {
    const match = `${parts.protocol} --dport ${rules.nodePort}`
    if (rules.hasAny) add("nat", chainNames.nodePorts, name, match, chain("EXT"))
    if (!hasExternal) refuse(chainNames.externalServices, `-m addrtype --dst-type LOCAL ${match}`)
  }
  return shared
}

/** Its lines in the chains that all share, alone: of a port with many servers that is little work. */
export const sharedRulesOf = (rules: ServiceRules, context: Context): ReadonlyArray<SharedRule> =>
  sharedOf(partsOf(rules, context))

const masquerade = `-j ${chainNames.markMasquerade}`

/** What stands before the choice of a server for traffic to the cluster IP: sources that are no pods are masqueraded. */
const clusterIpRules = ({ rules, context, name, ...parts }: Parts): Rules => {
  const match = `${commentMatch(context, `${name} cluster IP`)}${parts.protocol} -d ${rules.clusterIP} --dport ${rules.port}`
  if (context.settings.masqueradeAll) return [`${match} ${masquerade}`]
  const detected = localMatch(context.settings.localDetector, context.family)
  return detected === undefined ? [] : [`${match} ${detected.notLocal.join(" ")} ${masquerade}`]
}

/** KUBE-EXT: traffic to an outer address, of whatever kind. */
const externalRules = ({ rules, context, name, chain, hasExternal, usesCluster }: Parts): Rules => {
  const destinations = `${name} external destinations`
  const lines: Array<string> = []
  if (!rules.externalLocal) {
    lines.push(`${commentMatch(context, `masquerade traffic for ${destinations}`)}${masquerade}`)
  } else {
    const detected = localMatch(context.settings.localDetector, context.family)
    const cluster = `-j ${chain("SVC")}`
    if (detected !== undefined && usesCluster) {
      lines.push(`${commentMatch(context, `pod traffic for ${destinations}`)}${detected.local.join(" ")} ${cluster}`)
    }
    const here = "-m addrtype --src-type LOCAL"
    lines.push(`${commentMatch(context, `masquerade LOCAL traffic for ${destinations}`)}${here} ${masquerade}`)
    if (usesCluster) lines.push(`${commentMatch(context, `route LOCAL traffic for ${destinations}`)}${here} ${cluster}`)
  }
  if (hasExternal) lines.push(`-j ${chain(rules.externalLocal ? "SVL" : "SVC")}`)
  return lines
}

/** KUBE-FW: who is not let through here meets its end in KUBE-PROXY-FIREWALL. */
const firewallRules = ({ rules, context, name, chain }: Parts): Rules => {
  const comment = commentMatch(context, `${name} loadbalancer IP`)
  const ranges = rangesOf(rules)
  const lines = ranges.map((range) => `${comment}-s ${range} -j ${chain("EXT")}`)
  // The node may hold the load balancer's address: what it sends there itself comes from that very address.
  if (ranges.some((range) => context.nodeAddresses.some((address) => isWithin(range, address)))) {
    for (const address of rules.loadBalancerIPs) lines.push(`${comment}-s ${address} -j ${chain("EXT")}`)
  }
  const last = commentMatch(context, `other traffic to ${name} will be dropped by KUBE-PROXY-FIREWALL`).trimEnd()
  return last === "" ? lines : [...lines, last]
}

/** The choice of one server, each as probable as any other; first the one that the client had, where it is kept. */
const choiceRules = ({ rules, context, name }: Parts, servers: ReadonlyArray<Server>): Rules => {
  const each = servers
    .map((server) => ({
      comment: commentMatch(context, `${name} -> ${hostPort(server.ip, server.port)}`),
      chain: serverChain(rules, server)
    }))
    // Their order means nothing; this one changes least, and iptables over nf_tables takes it quickest.
    .sort((a, b) => (a.chain > b.chain ? -1 : 1))
  const kept =
    rules.affinitySeconds === undefined
      ? []
      : each.map(
          ({ comment, chain }) =>
            `${comment}-m recent --name ${chain} --rcheck --seconds ${rules.affinitySeconds} --reap -j ${chain}`
        )
  const chosen = each.map(({ comment, chain }, at) => {
    const left = each.length - at
    const chance = left > 1 ? `-m statistic --mode random --probability ${probability(left)} ` : ""
    return `${comment}${chance}-j ${chain}`
  })
  return [...kept, ...chosen]
}

/** KUBE-SEP: one server. Who reaches himself is masqueraded: the answer has to come back the same way. */
const serverRules = ({ rules, context, name, protocol }: Parts, server: Server): Rules => {
  const comment = commentMatch(context, name)
  const remembered = rules.affinitySeconds === undefined ? "" : `-m recent --name ${serverChain(rules, server)} --set `
  return [
    `${comment}-s ${server.ip} ${masquerade}`,
    `${comment}${remembered}${protocol} -j DNAT --to-destination ${hostPort(server.ip, server.port)}`
  ]
}

export const contributionOf = (rules: ServiceRules, context: Context): Contribution => {
  const parts = partsOf(rules, context)
  const chains = new Map<string, Rules>()
  const before = parts.hasInternal ? clusterIpRules(parts) : []
  const choose = (kind: "SVC" | "SVL", servers: ReadonlyArray<Server>): void => {
    const first = (kind === "SVL") === rules.internalLocal ? before : []
    chains.set(parts.chain(kind), [...first, ...choiceRules(parts, servers)])
  }
  if (rules.hasAny) {
    if (parts.usesCluster) choose("SVC", rules.cluster)
    if (parts.usesLocal) choose("SVL", rules.local)
    if (isExternal(rules)) chains.set(parts.chain("EXT"), externalRules(parts))
    if (parts.usesFirewall) chains.set(parts.chain("FW"), firewallRules(parts))
    for (const servers of [parts.usesCluster ? rules.cluster : [], parts.usesLocal ? rules.local : []]) {
      for (const server of servers) {
        const chain = serverChain(rules, server)
        if (!chains.has(chain)) chains.set(chain, serverRules(parts, server))
      }
    }
  }
  return { chains, shared: sharedOf(parts) }
}
