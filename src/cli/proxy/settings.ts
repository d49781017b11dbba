/** Flags over ChronodeConfiguration over KubeProxyConfiguration over defaults, to how Services are put into the kernel. */
import type { ConntrackLimits } from "../../actors/proxy/conntrack-limits.ts"
import {
  type DataplaneSettings,
  defaultName,
  type LocalDetector,
  type ProxyMode,
  type Scheduler
} from "../../adapters/dataplane/port.ts"
import type { IpFamily } from "../../events/service-shape.ts"
import type { ChronodeConfiguration } from "../configuration/configuration.ts"
import { UsageError } from "../exit.ts"
import type { ProxyModeOptions, ProxyOptions } from "../run/agent-options.ts"
import { lengthOf } from "../times.ts"
import {
  defaultProxyMode,
  noProxyConfiguration,
  type ReadProxyConfiguration,
  readProxyConfiguration
} from "./configuration.ts"
import { proxyFieldTable } from "./fields.ts"
import { clusterIpRanges, nodePortRange } from "./service-ranges.ts"
import { clusterCidrs, hostPortProblems } from "./validation.ts"

const proxyFlagNames = [
  "services",
  "proxyConfig",
  "proxyMode",
  "proxyModeFallback",
  "healthzBindAddress",
  "metricsBindAddress",
  "dataplaneName",
  "serviceClusterIpRange",
  "serviceNodePortRange",
  "zone"
] as const satisfies ReadonlyArray<keyof ChronodeConfiguration>

/** As `chronode run` was given them, by the names of a ChronodeConfiguration. Absent: not given. */
export type ProxyFlags = Pick<ChronodeConfiguration, (typeof proxyFlagNames)[number]>

/** A name of tables, chains and devices, which the kernel holds to 15 characters with what is put to it. */
const dataplaneNamePattern = /^[a-z][a-z0-9]{0,8}$/u

/** Flags over what a ChronodeConfiguration says of the same. */
export const proxyFlags = (flags: ProxyFlags, chronode: ChronodeConfiguration): ProxyFlags => {
  const told: Partial<Record<keyof ProxyFlags, string>> = {}
  for (const name of proxyFlagNames) {
    const value = flags[name] ?? chronode[name]
    if (value !== undefined) told[name] = value
  }
  return told as ProxyFlags
}

/** The file that flags name. @throws CommandFailed that names file, line and field of every problem */
export const readProxy = ({
  services,
  proxyConfig,
  proxyMode,
  proxyModeFallback
}: ProxyFlags): ReadProxyConfiguration => {
  if (proxyConfig === undefined) return noProxyConfiguration
  if (services === undefined)
    throw new UsageError("--proxy-config says how Services are served, and no --services DIR says which")
  return readProxyConfiguration(proxyConfig, { mode: proxyMode, fallback: proxyModeFallback })
}

/** @param families that this machine has. Undefined: no Services are served. @throws UsageError */
export const proxyOptions = (
  flags: ProxyFlags,
  read: ReadProxyConfiguration,
  families: ReadonlyArray<IpFamily>
): ProxyOptions | undefined => {
  if (flags.services === undefined) return undefined
  const { config, written } = read
  const mode = flags.proxyMode ?? ((config.mode || defaultProxyMode) as ProxyMode)
  const fallback = flags.proxyModeFallback
  if (fallback === mode) throw new UsageError(`--proxy-mode-fallback: ${mode} is the mode itself; name another one`)
  const name = flags.dataplaneName ?? defaultName
  if (!dataplaneNamePattern.test(name))
    throw new UsageError(`--dataplane-name: '${name}' is no name of at most 9 lower case letters and digits`)
  const localDetector = localDetectorOf(read)
  const { iptables, nftables, ipvs, conntrack } = config
  const nodePortAddresses = config.nodePortAddresses ?? []
  const settings = settingsOf(read)

  const dataplane: DataplaneSettings = {
    name,
    families,
    masqueradeAll: iptables.masqueradeAll,
    masqueradeBit: iptables.masqueradeBit,
    localDetector,
    localhostNodePorts: iptables.localhostNodePorts,
    ipvs: {
      scheduler: (ipvs.scheduler || "rr") as Scheduler,
      strictARP: ipvs.strictARP,
      excludeCIDRs: ipvs.excludeCIDRs ?? [],
      tcpTimeout: secondsOf(ipvs.tcpTimeout),
      tcpFinTimeout: secondsOf(ipvs.tcpFinTimeout),
      udpTimeout: secondsOf(ipvs.udpTimeout)
    }
  }
  const optionsOf = (of: ProxyMode, changed: Partial<DataplaneSettings> = {}): ProxyModeOptions => ({
    dataplane: { ...dataplane, ...changed },
    syncPeriod: lengthOf(config[of].syncPeriod),
    minSyncPeriod: lengthOf(config[of].minSyncPeriod),
    nodePortAddresses: nodePortAddresses.length === 0 && of === "nftables" ? ["primary"] : nodePortAddresses,
    settings: settings(of)
  })
  return {
    services: flags.services,
    serviceClusterIpRange: clusterIpRanges(flags.serviceClusterIpRange),
    serviceNodePortRange: nodePortRange(flags.serviceNodePortRange),
    ...zoneOf(flags),
    mode,
    fallback,
    modes: {
      nftables: optionsOf("nftables", { masqueradeAll: nftables.masqueradeAll }),
      ipvs: optionsOf("ipvs"),
      iptables: optionsOf("iptables")
    },
    conntrack: {
      maxPerCore: conntrack.maxPerCore,
      min: conntrack.min,
      keepsLarger: written.conntrack?.maxPerCore == null && written.conntrack?.min == null,
      tcpEstablishedTimeout: secondsOf(conntrack.tcpEstablishedTimeout),
      tcpCloseWaitTimeout: secondsOf(conntrack.tcpCloseWaitTimeout),
      tcpBeLiberal: conntrack.tcpBeLiberal,
      udpTimeout: secondsOf(conntrack.udpTimeout),
      udpStreamTimeout: secondsOf(conntrack.udpStreamTimeout)
    } satisfies ConntrackLimits,
    healthzBindAddress: bindAddress("--healthz-bind-address", flags.healthzBindAddress, config.healthzBindAddress),
    metricsBindAddress: bindAddress("--metrics-bind-address", flags.metricsBindAddress, config.metricsBindAddress)
  }
}

/** A zone is the value of a label (`staging/src/k8s.io/apimachinery/pkg/api/validate/content/kube.go`). */
const zonePattern = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/u

const zoneOf = ({ zone }: ProxyFlags): { readonly zone?: string } => {
  if (zone === undefined || zone === "") return {}
  if (!zonePattern.test(zone)) throw new UsageError(`--zone: '${zone}' is no value of a label, such as eu-west-1a`)
  return { zone }
}

/** Go's durations become whole seconds by being cut. */
const secondsOf = (text: string): number => Math.trunc(lengthOf(text) / 1000)

/** An empty flag switches the server off; in a file an empty text is the default, as kubeadm writes it. */
const bindAddress = (flag: string, given: string | undefined, configured: string): string | undefined => {
  if (given === "") return undefined
  if (given === undefined) return configured
  const [problem] = hostPortProblems(flag, given)
  if (problem !== undefined) throw new UsageError(`${problem[0]}: ${problem[1]}`)
  return given
}

const localDetectorOf = ({ config }: ReadProxyConfiguration): LocalDetector => {
  const { bridgeInterface, interfaceNamePrefix } = config.detectLocal
  switch (config.detectLocalMode) {
    case "BridgeInterface":
      return { by: "bridge", name: bridgeInterface }
    case "InterfaceNamePrefix":
      return { by: "prefix", prefix: interfaceNamePrefix }
    default: {
      const cidrs = clusterCidrs(config)
      return cidrs.length === 0 ? { by: "none" } : { by: "cidr", cidrs }
    }
  }
}

const groups: ReadonlyArray<string> = ["nftables", "ipvs", "iptables"]
/** Groups whose fields count in a mode: what IPVS needs beside it is masqueraded as iptables is told. */
const groupsOf: Readonly<Record<ProxyMode, ReadonlyArray<string>>> = {
  nftables: ["nftables"],
  ipvs: ["ipvs", "iptables"],
  iptables: ["iptables"]
}

/** What is written, acted on in the mode, and not the default, by its name. */
const settingsOf =
  ({ written }: ReadProxyConfiguration) =>
  (mode: ProxyMode): Readonly<Record<string, string>> => {
    const settings: Record<string, string> = {}
    for (const [field, { isHonoured, otherwise }] of Object.entries(proxyFieldTable)) {
      const [group, name] = field.split(".") as [string, string | undefined]
      if (!isHonoured || field === "mode" || (groups.includes(group) && !groupsOf[mode].includes(group))) continue
      const top = written[group]
      const value = name === undefined ? top : (top as Readonly<Record<string, unknown>> | null | undefined)?.[name]
      const text = Array.isArray(value) ? value.join(",") : String(value ?? "")
      if (text !== "" && text !== otherwise) settings[field] = text
    }
    return settings
  }
