/** Bounds of a KubeProxyConfiguration's fields (`pkg/proxy/apis/config/validation/validation.go`). Types are right already. */
import { type ProxyMode, proxyModes, schedulers } from "../../adapters/dataplane/port.ts"
import { parseCidr, parseIp } from "../../events/ip-address.ts"
import { lengthOf } from "../times.ts"
import type { ConntrackFields, IptablesFields, IpvsFields, NftablesFields, ProxyConfiguration } from "./shape.ts"

/** `field`: its path, parts of lists as numbers: `nodePortAddresses.1`. */
export type FieldProblem = readonly [field: string, message: string]

const localModes = ["ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix", ""]
const maxPort = 65_535

/** Modes that other proxies have or had, and why they are none here. */
const otherModes: Readonly<Record<string, string>> = {
  userspace: "was removed in Kubernetes 1.26, and sends every packet through a process; take nftables",
  kernelspace: "is of Windows; take nftables",
  winkernel: "is of Windows; take nftables",
  ebpf: "is not there yet; take nftables"
}

const isCidr = (text: string): boolean => parseCidr(text) !== undefined

const between = (field: string, value: number, least: number, most: number): ReadonlyArray<FieldProblem> =>
  value < least || value > most ? [[field, `must be from ${least} to ${most}, not ${value}`]] : []

const notNegative = (field: string, text: string | number): ReadonlyArray<FieldProblem> =>
  (typeof text === "number" ? text : lengthOf(text)) < 0 ? [[field, `must not be negative: ${text}`]] : []

const mustBeCidr = "must be a CIDR such as 10.0.0.0/8 or fd00::/8"

export const modeProblems = (mode: string): ReadonlyArray<FieldProblem> => {
  if (mode === "" || (proxyModes as ReadonlyArray<string>).includes(mode)) return []
  const other = otherModes[mode]
  return [["mode", other === undefined ? `must be one of ${proxyModes.join(", ")}, not '${mode}'` : `${mode} ${other}`]]
}

/** Of `iptables` or `nftables`. */
export const masqueradeProblems = (
  group: "iptables" | "nftables",
  { masqueradeBit }: Pick<IptablesFields | NftablesFields, "masqueradeBit">
): ReadonlyArray<FieldProblem> => between(`${group}.masqueradeBit`, masqueradeBit, 0, 31)

export const ipvsProblems = (ipvs: Omit<IpvsFields, "syncPeriod" | "minSyncPeriod">): ReadonlyArray<FieldProblem> => [
  ...(["tcpTimeout", "tcpFinTimeout", "udpTimeout"] as const).flatMap((field) =>
    notNegative(`ipvs.${field}`, ipvs[field])
  ),
  ...(ipvs.scheduler === "" || (schedulers as ReadonlyArray<string>).includes(ipvs.scheduler)
    ? []
    : [["ipvs.scheduler", `must be one of ${schedulers.join(", ")}, not '${ipvs.scheduler}'`] as const]),
  ...excludeCidrProblems(ipvs.excludeCIDRs ?? [])
]

export const excludeCidrProblems = (cidrs: ReadonlyArray<string>): ReadonlyArray<FieldProblem> =>
  cidrs.flatMap((cidr, i) =>
    isCidr(cidr) ? [] : [[`ipvs.excludeCIDRs.${i}`, `${mustBeCidr}, not '${cidr}'`] as const]
  )

export const conntrackProblems = (conntrack: ConntrackFields): ReadonlyArray<FieldProblem> =>
  (
    ["maxPerCore", "min", "tcpEstablishedTimeout", "tcpCloseWaitTimeout", "udpTimeout", "udpStreamTimeout"] as const
  ).flatMap((field) => notNegative(`conntrack.${field}`, conntrack[field] ?? 0))

export const oomScoreProblems = (score: number): ReadonlyArray<FieldProblem> =>
  between("oomScoreAdj", score, -1000, 1000)

export const burstProblems = (burst: number): ReadonlyArray<FieldProblem> =>
  notNegative("clientConnection.burst", burst)

/** `10.0.0.1:10256`, `[::]:10256` */
export const splitHostPort = (text: string): { readonly host: string; readonly port: string } | undefined => {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:]*)$/u.exec(text)
  return match === null ? undefined : { host: match[1] ?? match[2] ?? "", port: match[3] ?? "" }
}

export const hostPortProblems = (field: string, text: string): ReadonlyArray<FieldProblem> => {
  const parts = splitHostPort(text)
  if (parts === undefined) return [[field, `must be an IP and a port such as 0.0.0.0:10256, not '${text}'`]]
  const { host, port } = parts
  const problems: Array<FieldProblem> = []
  if (parseIp(host) === undefined) problems.push([field, `must begin with an IP address, not '${host}'`])
  if (!/^\d+$/u.test(port) || Number(port) < 1 || Number(port) > maxPort)
    problems.push([field, `must end with a port from 1 to ${maxPort}, not '${port}'`])
  return problems
}

export const nodePortAddressProblems = (addresses: ReadonlyArray<string>): ReadonlyArray<FieldProblem> => {
  if (addresses.length === 1 && addresses[0] === "primary") return []
  return addresses.flatMap((address, i): ReadonlyArray<FieldProblem> => {
    const field = `nodePortAddresses.${i}`
    if (address === "primary") return [[field, "primary stands alone: it cannot be beside CIDRs"]]
    return isCidr(address) ? [] : [[field, `${mustBeCidr}, or primary alone, not '${address}'`]]
  })
}

/** One CIDR, or one of each family. */
export const dualStackProblems = (field: string, cidrs: ReadonlyArray<string>): ReadonlyArray<FieldProblem> => {
  if (cidrs.length === 0) return [[field, "must hold at least one CIDR"]]
  const wrong = cidrs.flatMap(
    (cidr): ReadonlyArray<FieldProblem> => (isCidr(cidr) ? [] : [[field, `${mustBeCidr}, not '${cidr}'`]])
  )
  if (wrong.length > 0) return wrong
  const isPair = cidrs.length === 2 && new Set(cidrs.map((cidr) => parseCidr(cidr)?.family)).size === 2
  return cidrs.length === 1 || isPair ? [] : [[field, `must be one CIDR, or one of each family: ${cidrs.join(",")}`]]
}

/** What `clusterCIDR` says: CIDRs with commas between them. */
export const clusterCidrs = ({ clusterCIDR }: Pick<ProxyConfiguration, "clusterCIDR">): ReadonlyArray<string> =>
  clusterCIDR === "" ? [] : clusterCIDR.split(",").map((cidr) => cidr.trim())

export const detectLocalProblems = (
  mode: string,
  { bridgeInterface, interfaceNamePrefix }: ProxyConfiguration["detectLocal"],
  cidrs: ReadonlyArray<string>
): ReadonlyArray<FieldProblem> => {
  switch (mode) {
    case "BridgeInterface":
      return bridgeInterface === ""
        ? [["detectLocal.bridgeInterface", "must name a bridge with detectLocalMode BridgeInterface"]]
        : []
    case "InterfaceNamePrefix":
      return interfaceNamePrefix === ""
        ? [["detectLocal.interfaceNamePrefix", "must be given with detectLocalMode InterfaceNamePrefix"]]
        : []
    case "ClusterCIDR":
    case "NodeCIDR":
    case "":
      return cidrs.length === 0 ? [] : dualStackProblems("clusterCIDR", cidrs)
    default:
      return [["detectLocalMode", `must be one of ${localModes.filter((m) => m !== "").join(", ")}, not '${mode}'`]]
  }
}

export const periodProblems = (
  group: ProxyMode,
  { syncPeriod, minSyncPeriod }: { readonly syncPeriod: string; readonly minSyncPeriod: string }
): ReadonlyArray<FieldProblem> => {
  const problems: Array<FieldProblem> = []
  if (lengthOf(syncPeriod) <= 0) problems.push([`${group}.syncPeriod`, `must be more than 0, not ${syncPeriod}`])
  problems.push(...notNegative(`${group}.minSyncPeriod`, minSyncPeriod))
  if (lengthOf(minSyncPeriod) > lengthOf(syncPeriod))
    problems.push([`${group}.syncPeriod`, `must be at least minSyncPeriod (${minSyncPeriod}), not ${syncPeriod}`])
  return problems
}

const loggingFormats = ["text", "json"]

/** @param config with defaults @param modes that can come into force: fields of others are not looked at, as with kube-proxy */
export const proxyProblems = (
  config: ProxyConfiguration,
  modes: ReadonlySet<ProxyMode>
): ReadonlyArray<FieldProblem> => {
  const { iptables, nftables, ipvs, conntrack, clientConnection, logging } = config
  return [
    ...modeProblems(config.mode),
    ...proxyModes.filter((mode) => modes.has(mode)).flatMap((mode) => periodProblems(mode, config[mode])),
    ...masqueradeProblems("iptables", iptables),
    ...masqueradeProblems("nftables", nftables),
    ...(modes.has("ipvs") ? ipvsProblems(ipvs) : []),
    ...conntrackProblems(conntrack),
    ...oomScoreProblems(config.oomScoreAdj),
    ...burstProblems(Number(clientConnection?.burst ?? 0)),
    ...(lengthOf(config.configSyncPeriod) <= 0
      ? [["configSyncPeriod", `must be more than 0, not ${config.configSyncPeriod}`] as const]
      : []),
    ...(parseIp(config.bindAddress) === undefined
      ? [["bindAddress", `must be an IP address without a port, not '${config.bindAddress}'`] as const]
      : []),
    ...(config.healthzBindAddress === "" ? [] : hostPortProblems("healthzBindAddress", config.healthzBindAddress)),
    ...hostPortProblems("metricsBindAddress", config.metricsBindAddress),
    ...nodePortAddressProblems(config.nodePortAddresses ?? []),
    ...detectLocalProblems(config.detectLocalMode, config.detectLocal, clusterCidrs(config)),
    ...(logging?.format === undefined || loggingFormats.includes(logging.format)
      ? []
      : [["logging.format", `must be one of ${loggingFormats.join(", ")}, not '${logging.format}'`] as const])
  ]
}
