/** resolv.conf of a pod: DNS policy, the node's own file, the cluster's servers (`pkg/kubelet/network/dns/dns.go`). */
import type { SandboxConfig } from "../../../adapters/cri/port.ts"
import { describePod, type PolicyPod, type PolicyPodSpec } from "../spec-extension.ts"

export type DnsConfig = NonNullable<SandboxConfig["dnsConfig"]>

/** `pkg/apis/core/validation`: MaxDNSNameservers, MaxDNSSearchPaths, MaxDNSSearchListChars; RFC 1123 for a name. */
export const dnsLimits = { nameservers: 3, searches: 32, searchCharacters: 2048, searchNameLength: 253 } as const

/** Asks a name with fewer than five dots in the search domains first. */
const clusterOptions = ["ndots:5"]

export interface ResolvConf extends DnsConfig {
  /** Lines that make the file unusable, in words; the rest is read all the same. */
  readonly problems: ReadonlyArray<string>
}

export interface NodeDns {
  /** Servers of the cluster's DNS; none: `ClusterFirst` falls back to the node's. */
  readonly clusterDns: ReadonlyArray<string>
  /** `cluster.local`; empty: no cluster search domains. */
  readonly clusterDomain: string
  /** Text of the node's resolv.conf. Absent: none is configured, and pods get a resolver on localhost. */
  readonly resolvConf?: string
  readonly nodeIps?: ReadonlyArray<string>
}

const unique = <A>(list: ReadonlyArray<A>): ReadonlyArray<A> => [...new Set(list)]

/** Option name to value; a repeated name keeps its last value and, as a resolver would see them, one entry. */
const optionMap = (options: ReadonlyArray<string>): Map<string, string> => {
  const map = new Map<string, string>()
  for (const option of options) {
    const at = option.indexOf(":")
    map.set(at === -1 ? option : option.slice(0, at), at === -1 ? "" : option.slice(at + 1))
  }
  return map
}
const optionTexts = (map: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  [...map].map(([name, value]) => (value === "" ? name : `${name}:${value}`))

/**
 * Reads a resolv.conf. Name servers add up; the last `search` line counts; `options` lines add up by name. Search domains
 * lose their final dot, and a bare `.` is dropped.
 */
export const parseResolvConf = (text: string): ResolvConf => {
  const servers: Array<string> = []
  const problems: Array<string> = []
  let searches: ReadonlyArray<string> = []
  let options: ReadonlyArray<string> = []
  for (const line of text.split("\n")) {
    const [keyword, ...values] = line.split(/\s+/u).filter((field) => field !== "")
    if (keyword === undefined || keyword.startsWith("#")) continue
    if (keyword === "nameserver") {
      if (values[0] === undefined) problems.push("a nameserver line names no server")
      else servers.push(values[0])
    } else if (keyword === "search") {
      searches = values.map((domain) => domain.replace(/\.$/u, "")).filter((domain) => domain !== "")
    } else if (keyword === "options") {
      options = optionTexts(optionMap([...options, ...values]))
    }
  }
  return { servers, searches, options, problems }
}

/** Options by name; the pod's own win. */
export const mergeDnsOptions = (
  existing: ReadonlyArray<string>,
  own: ReadonlyArray<{ readonly name: string; readonly value?: string }>
): ReadonlyArray<string> => {
  const map = optionMap(existing)
  for (const { name, value } of own) map.set(name, value ?? "")
  return optionTexts(map)
}

export type DnsKind = "cluster" | "host" | "none"

/** Where a pod's DNS comes from; `undefined`: no such policy. An absent policy is `ClusterFirst`, the API's default. */
export const dnsKind = (spec: Pick<PolicyPodSpec, "dnsPolicy" | "hostNetwork">): DnsKind | undefined => {
  switch (spec.dnsPolicy ?? "ClusterFirst") {
    case "None":
      return "none"
    case "ClusterFirstWithHostNet":
      return "cluster"
    case "ClusterFirst":
      return spec.hostNetwork === true ? "host" : "cluster"
    case "Default":
      return "host"
    default:
      return undefined
  }
}

/** What stood in or was left out: kubelet's reason and words. */
export interface DnsWarning {
  readonly reason: "MissingClusterDNS" | "DNSConfigForming"
  readonly message: string
}

export const searchesOmitted = (applied: ReadonlyArray<string>): DnsWarning => ({
  reason: "DNSConfigForming",
  message: `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${applied.join(" ")}`
})

const nameserversOmitted = (applied: ReadonlyArray<string>): DnsWarning => ({
  reason: "DNSConfigForming",
  message: `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${applied.join(" ")}`
})

const missingClusterDns = (pod: PolicyPod): DnsWarning => ({
  reason: "MissingClusterDNS",
  message: `pod: "${describePod(pod)}". kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.`
})

/** Cut to what resolvers bear; `omitted` tells whether anything was left out. */
export const limitSearches = (
  searches: ReadonlyArray<string>
): { readonly searches: ReadonlyArray<string>; readonly omitted: boolean } => {
  // glibc aborts on a search name longer than 255 characters.
  const kept = searches.slice(0, dnsLimits.searches).filter((domain) => domain.length <= dnsLimits.searchNameLength)
  let length = kept.join(" ").length
  while (length > dnsLimits.searchCharacters) length -= kept.pop()!.length + 1
  return { searches: kept, omitted: kept.length < searches.length }
}
export const limitNameservers = (
  servers: ReadonlyArray<string>
): { readonly servers: ReadonlyArray<string>; readonly omitted: boolean } => ({
  servers: servers.slice(0, dnsLimits.nameservers),
  omitted: servers.length > dnsLimits.nameservers
})

const localResolver = (nodeIps: ReadonlyArray<string>): DnsConfig => ({
  servers: nodeIps.length === 0 ? ["127.0.0.1"] : nodeIps.map((ip) => (ip.includes(":") ? "::1" : "127.0.0.1")),
  searches: ["."],
  options: []
})

const baseConfig = (pod: PolicyPod, node: NodeDns): { config: DnsConfig; warnings: ReadonlyArray<DnsWarning> } => {
  const kind = dnsKind(pod.spec) ?? "cluster"
  if (kind === "none") return { config: { servers: [], searches: [], options: [] }, warnings: [] }
  const { problems, ...host } = parseResolvConf(node.resolvConf ?? "")
  const unreadable = problems.map(
    (problem): DnsWarning => ({ reason: "DNSConfigForming", message: `the node's resolv.conf: ${problem}` })
  )
  if (kind === "cluster" && node.clusterDns.length > 0) {
    const cluster =
      node.clusterDomain === ""
        ? []
        : [`${pod.metadata.namespace}.svc.${node.clusterDomain}`, `svc.${node.clusterDomain}`, node.clusterDomain]
    return {
      config: { servers: node.clusterDns, searches: unique([...cluster, ...host.searches]), options: clusterOptions },
      warnings: unreadable
    }
  }
  const config = node.resolvConf === undefined ? localResolver(node.nodeIps ?? []) : host
  const missing = kind === "cluster" ? [missingClusterDns(pod)] : []
  return { config, warnings: [...missing, ...unreadable] }
}

/** DNS settings of a pod, and warnings of what was left out or stood in. */
export const podDns = (
  pod: PolicyPod,
  node: NodeDns
): { readonly config: DnsConfig; readonly warnings: ReadonlyArray<DnsWarning> } => {
  const base = baseConfig(pod, node)
  const own = pod.spec.dnsConfig
  const servers = limitNameservers(unique([...base.config.servers, ...(own?.nameservers ?? [])]))
  const searches = limitSearches(unique([...base.config.searches, ...(own?.searches ?? [])]))
  const options = own === undefined ? base.config.options : mergeDnsOptions(base.config.options, own.options ?? [])
  return {
    config: { servers: servers.servers, searches: searches.searches, options },
    warnings: [
      ...base.warnings,
      ...(servers.omitted ? [nameserversOmitted(servers.servers)] : []),
      ...(searches.omitted ? [searchesOmitted(searches.searches)] : [])
    ]
  }
}
