/** A KubeProxyConfiguration as written, and with its defaults (`pkg/proxy/apis/config/v1alpha1/defaults.go`). */
import { canonicalIp, hostPort, ipFamilyOf } from "../../events/ip-address.ts"
import { lengthOf } from "../times.ts"

/** As written; types are right, lengths of time are text, null is absent. */
export interface WrittenProxyConfiguration {
  readonly mode?: string
  readonly hostnameOverride?: string
  readonly bindAddress?: string
  readonly healthzBindAddress?: string
  readonly metricsBindAddress?: string
  readonly clusterCIDR?: string
  readonly detectLocalMode?: string
  readonly detectLocal?: { readonly bridgeInterface?: string; readonly interfaceNamePrefix?: string } | null
  readonly nodePortAddresses?: ReadonlyArray<string> | null
  readonly nftables?: Partial<NftablesFields> | null
  readonly ipvs?: Partial<IpvsFields> | null
  readonly iptables?: Partial<IptablesFields> | null
  readonly conntrack?: Partial<ConntrackFields> | null
  readonly oomScoreAdj?: number | null
  readonly configSyncPeriod?: string
  readonly clientConnection?: Readonly<Record<string, string | number>> | null
  readonly logging?: { readonly format?: string; readonly [field: string]: unknown } | null
  readonly [field: string]: unknown
}

interface Periods {
  readonly syncPeriod: string
  readonly minSyncPeriod: string
}
export interface NftablesFields extends Periods {
  readonly masqueradeBit: number
  readonly masqueradeAll: boolean
}
export interface IptablesFields extends NftablesFields {
  readonly localhostNodePorts: boolean
}
export interface IpvsFields extends Periods {
  readonly scheduler: string
  readonly excludeCIDRs: ReadonlyArray<string> | null
  readonly strictARP: boolean
  readonly tcpTimeout: string
  readonly tcpFinTimeout: string
  readonly udpTimeout: string
}
export interface ConntrackFields {
  readonly maxPerCore: number
  readonly min: number
  readonly tcpEstablishedTimeout: string
  readonly tcpCloseWaitTimeout: string
  readonly tcpBeLiberal: boolean
  readonly udpTimeout: string
  readonly udpStreamTimeout: string
}

export interface ProxyConfiguration extends WrittenProxyConfiguration {
  readonly mode: string
  readonly bindAddress: string
  readonly healthzBindAddress: string
  readonly metricsBindAddress: string
  readonly clusterCIDR: string
  readonly detectLocalMode: string
  readonly detectLocal: { readonly bridgeInterface: string; readonly interfaceNamePrefix: string }
  readonly nftables: NftablesFields
  readonly ipvs: IpvsFields
  readonly iptables: IptablesFields
  readonly conntrack: ConntrackFields
  readonly oomScoreAdj: number
  readonly configSyncPeriod: string
}

const healthzPort = 10_256
const metricsPort = 10_249

/** Fields of `values` that are neither absent nor null. */
const given = <A extends object>(values: A | null | undefined): Partial<A> =>
  Object.fromEntries(Object.entries(values ?? {}).filter(([, value]) => value !== null)) as Partial<A>

/** Go's zero of a length of time counts as absent. */
const length = (text: string | undefined, otherwise: string): string =>
  text === undefined || lengthOf(text) === 0 ? otherwise : text

/** An address that is no more than an IP gets the port (`AppendPortIfNeeded`). */
const withPort = (address: string, port: number): string =>
  canonicalIp(address) === undefined ? address : hostPort(address, port)

export const withProxyDefaults = (written: WrittenProxyConfiguration): ProxyConfiguration => {
  const bindAddress = written.bindAddress || "0.0.0.0"
  const [any, loopback] = ipFamilyOf(bindAddress) === "IPv6" ? ["::", "::1"] : ["0.0.0.0", "127.0.0.1"]
  const iptables = given(written.iptables)
  const nftables = given(written.nftables)
  const ipvs = given(written.ipvs)
  const conntrack = given(written.conntrack)
  const client = given(written.clientConnection)
  const logging = given(written.logging)
  return {
    ...written,
    bindAddress,
    mode: written.mode ?? "",
    clusterCIDR: written.clusterCIDR ?? "",
    detectLocalMode: written.detectLocalMode ?? "",
    detectLocal: { bridgeInterface: "", interfaceNamePrefix: "", ...given(written.detectLocal) },
    healthzBindAddress: withPort(written.healthzBindAddress || any, healthzPort),
    metricsBindAddress: withPort(written.metricsBindAddress || loopback, metricsPort),
    iptables: {
      masqueradeBit: 14,
      masqueradeAll: false,
      localhostNodePorts: true,
      ...iptables,
      syncPeriod: length(iptables.syncPeriod, "30s"),
      minSyncPeriod: length(iptables.minSyncPeriod, "1s")
    },
    nftables: {
      masqueradeBit: 14,
      masqueradeAll: false,
      ...nftables,
      syncPeriod: length(nftables.syncPeriod, "30s"),
      minSyncPeriod: length(nftables.minSyncPeriod, "1s")
    },
    ipvs: {
      minSyncPeriod: "0s",
      scheduler: "",
      excludeCIDRs: null,
      strictARP: false,
      tcpTimeout: "0s",
      tcpFinTimeout: "0s",
      udpTimeout: "0s",
      ...ipvs,
      syncPeriod: length(ipvs.syncPeriod, "30s")
    },
    conntrack: {
      maxPerCore: 32_768,
      min: 131_072,
      tcpEstablishedTimeout: "24h0m0s",
      tcpCloseWaitTimeout: "1h0m0s",
      tcpBeLiberal: false,
      udpTimeout: "0s",
      udpStreamTimeout: "0s",
      ...conntrack
    },
    oomScoreAdj: written.oomScoreAdj ?? -999,
    configSyncPeriod: length(written.configSyncPeriod, "15m0s"),
    clientConnection: {
      ...client,
      contentType: client.contentType || "application/vnd.kubernetes.protobuf",
      qps: client.qps || 5,
      burst: client.burst || 10
    },
    logging: {
      ...logging,
      format: logging.format || "text",
      flushFrequency: logging.flushFrequency || "5s"
    }
  }
}

/**
 * What counts here of `minSyncPeriod`: what is written, and no second where nothing is. kube-proxy's default is there because
 * each of its syncs costs what all Services cost.
 */
export const minSyncPeriodOf = (written: WrittenProxyConfiguration, mode: "nftables" | "ipvs" | "iptables"): string =>
  written[mode]?.minSyncPeriod || "0s"

/** With kube-proxy's defaults, but for those of `minSyncPeriod`. */
export const withOwnDefaults = (written: WrittenProxyConfiguration): ProxyConfiguration => {
  const config = withProxyDefaults(written)
  return {
    ...config,
    nftables: { ...config.nftables, minSyncPeriod: minSyncPeriodOf(written, "nftables") },
    ipvs: { ...config.ipvs, minSyncPeriod: minSyncPeriodOf(written, "ipvs") },
    iptables: { ...config.iptables, minSyncPeriod: minSyncPeriodOf(written, "iptables") }
  }
}
