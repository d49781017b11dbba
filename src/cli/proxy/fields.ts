/**
 * The fields of a KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1, staging/src/k8s.io/kube-proxy/config/v1alpha1/types.go):
 * their types, their defaults, and what Chronode does with each. docs/proxy-configuration.md is made of this table.
 */
import { type Fields, type FieldType, loggingFields, typeMeta } from "../configuration/fields.ts"

export interface ProxyField {
  readonly type: FieldType
  /** As people read it; empty: none. */
  readonly otherwise: string
  /** Whether it is acted on. */
  readonly isHonoured: boolean
  /** How it is acted on, or why it is not. */
  readonly how: string
}

const honoured = (type: FieldType, otherwise: string, how: string): ProxyField => ({
  type,
  otherwise,
  isHonoured: true,
  how
})
const ignored = (type: FieldType, otherwise: string, how: string): ProxyField => ({
  type,
  otherwise,
  isHonoured: false,
  how
})

const noApiServer = "there is no API server here"
const windows = "of Windows"
const ownLog = "the agent's log is `--log-format` and `--log-level`"
const syncPeriod = "how often all is compared with the kernel"
const minSyncPeriod =
  "least time from one change of the kernel to the next. Absent or 0: each change at once, where kube-proxy has 1s: here a change costs only what changed"

/** By path, in the order of the documentation. */
export const proxyFieldTable: Readonly<Record<string, ProxyField>> = {
  mode: honoured(
    "string",
    "nftables",
    "`nftables`, `ipvs` or `iptables`; `--proxy-mode` wins over it. Empty is nftables, where kube-proxy has iptables. What the kernel cannot do is not replaced by another unless `--proxy-mode-fallback` says so"
  ),
  hostnameOverride: honoured("string", "", "name of the node, where neither `--node-name` nor `nodeName` give one"),
  bindAddress: honoured(
    "string",
    "0.0.0.0",
    "its family is that of the default addresses of health and metrics; nothing else, as with kube-proxy"
  ),
  healthzBindAddress: honoured(
    "string",
    "0.0.0.0:10256",
    "where `/healthz`, `/livez` and `/proxyMode` are served. Without a port: 10256. `--healthz-bind-address` wins over it, and switches it off if empty"
  ),
  metricsBindAddress: honoured(
    "string",
    "127.0.0.1:10249",
    "where `/metrics`, `/healthz` and `/proxyMode` are served. Without a port: 10249. `--metrics-bind-address` wins over it, and switches it off if empty"
  ),
  bindAddressHardFail: ignored(
    "boolean",
    "false",
    "the agent runs pods too, and does not end for a port that is taken: an event says so, and it is tried again"
  ),
  clusterCIDR: honoured(
    "string",
    "",
    "of pods, for `detectLocalMode: ClusterCIDR`: one CIDR, or one of each family with a comma"
  ),
  detectLocalMode: honoured(
    "string",
    "ClusterCIDR",
    "`ClusterCIDR`, `BridgeInterface` or `InterfaceNamePrefix`. `NodeCIDR` needs a Node of an API server: it is warned of, and clusterCIDR counts"
  ),
  "detectLocal.bridgeInterface": honoured("string", "", "for `detectLocalMode: BridgeInterface`"),
  "detectLocal.interfaceNamePrefix": honoured("string", "", "for `detectLocalMode: InterfaceNamePrefix`"),
  nodePortAddresses: honoured(
    "strings",
    "",
    "`primary` alone, or CIDRs; empty: the primary addresses with nftables, all of the node with others, as with kube-proxy"
  ),
  "nftables.masqueradeAll": honoured("boolean", "false", "with nftables: all traffic to Services is masqueraded"),
  "nftables.masqueradeBit": ignored("integer", "14", "packets are not marked with nftables"),
  "nftables.syncPeriod": honoured("duration", "30s", `with nftables: ${syncPeriod}`),
  "nftables.minSyncPeriod": honoured("duration", "0s", `with nftables: ${minSyncPeriod}`),
  "ipvs.scheduler": honoured("string", "rr", "with ipvs: rr, wrr, lc, wlc, sh, dh, sed, nq or mh"),
  "ipvs.strictARP": honoured("boolean", "false", "with ipvs: sets arp_ignore to 1 and arp_announce to 2"),
  "ipvs.excludeCIDRs": honoured(
    "strings",
    "",
    "with ipvs: virtual servers within them are others', and are left alone"
  ),
  "ipvs.tcpTimeout": honoured("duration", "0s", "with ipvs: of idle TCP connections; 0: the kernel's"),
  "ipvs.tcpFinTimeout": honoured("duration", "0s", "with ipvs: of TCP connections after a FIN; 0: the kernel's"),
  "ipvs.udpTimeout": honoured("duration", "0s", "with ipvs: of UDP flows; 0: the kernel's"),
  "ipvs.syncPeriod": honoured("duration", "30s", `with ipvs: ${syncPeriod}`),
  "ipvs.minSyncPeriod": honoured("duration", "0s", `with ipvs: ${minSyncPeriod}`),
  "iptables.masqueradeAll": honoured(
    "boolean",
    "false",
    "with iptables and ipvs: all traffic to Services is masqueraded"
  ),
  "iptables.masqueradeBit": honoured(
    "integer",
    "14",
    "with iptables: bit of the packet's mark that asks for masquerading"
  ),
  "iptables.localhostNodePorts": honoured(
    "boolean",
    "true",
    "with iptables: node ports are answered on 127.0.0.1 too; sets route_localnet"
  ),
  "iptables.syncPeriod": honoured("duration", "30s", `with iptables: ${syncPeriod}`),
  "iptables.minSyncPeriod": honoured("duration", "0s", `with iptables: ${minSyncPeriod}`),
  "conntrack.maxPerCore": honoured(
    "integer",
    "32768",
    "nf_conntrack_max is this for each processor; 0: left alone. Where neither this nor min is given, a larger limit stays"
  ),
  "conntrack.min": honoured("integer", "131072", "nf_conntrack_max is this at least"),
  "conntrack.tcpEstablishedTimeout": honoured(
    "duration",
    "24h0m0s",
    "nf_conntrack_tcp_timeout_established; 0: left alone"
  ),
  "conntrack.tcpCloseWaitTimeout": honoured("duration", "1h0m0s", "nf_conntrack_tcp_timeout_close_wait; 0: left alone"),
  "conntrack.tcpBeLiberal": honoured("boolean", "false", "true: sets nf_conntrack_tcp_be_liberal"),
  "conntrack.udpTimeout": honoured("duration", "0s", "nf_conntrack_udp_timeout; 0: left alone"),
  "conntrack.udpStreamTimeout": honoured("duration", "0s", "nf_conntrack_udp_timeout_stream; 0: left alone"),
  showHiddenMetricsForVersion: ignored("string", "", "no metric is hidden"),
  enableProfiling: ignored("boolean", "false", "there is no /debug/pprof"),
  featureGates: ignored("booleanMap", "", "there are no feature gates"),
  oomScoreAdj: ignored("integer", "-999", "the agent's own is set by what starts it (OOMScoreAdjust= of systemd)"),
  configSyncPeriod: ignored(
    "duration",
    "15m0s",
    `${noApiServer}; the directory of Services is watched, and read every 20 s`
  ),
  "clientConnection.kubeconfig": ignored("string", "", noApiServer),
  "clientConnection.acceptContentTypes": ignored("string", "", noApiServer),
  "clientConnection.contentType": ignored("string", "application/vnd.kubernetes.protobuf", noApiServer),
  "clientConnection.qps": ignored("number", "5", noApiServer),
  "clientConnection.burst": ignored("integer", "10", noApiServer),
  "logging.format": ignored("string", "text", ownLog),
  "logging.flushFrequency": ignored("durationOrInteger", "5s", ownLog),
  "logging.verbosity": ignored("integer", "0", ownLog),
  "logging.vmodule": ignored(loggingFields.vmodule as FieldType, "", ownLog),
  "logging.options": ignored(loggingFields.options as FieldType, "", ownLog),
  portRange: ignored("string", "", "of the userspace mode, which was removed in Kubernetes 1.26"),
  windowsRunAsService: ignored("boolean", "false", windows),
  "winkernel.networkName": ignored("string", "", windows),
  "winkernel.sourceVip": ignored("string", "", windows),
  "winkernel.enableDSR": ignored("boolean", "false", windows),
  "winkernel.rootHnsEndpointName": ignored("string", "", windows),
  "winkernel.forwardHealthCheckVip": ignored("boolean", "false", windows)
}

/** The same as a tree, for the check of types. */
export const proxyFields: Fields = (() => {
  const root: Record<string, FieldType> = { ...typeMeta }
  const groups: Record<string, Record<string, FieldType>> = {}
  for (const [path, { type }] of Object.entries(proxyFieldTable)) {
    const [first, second] = path.split(".") as [string, string | undefined]
    if (second === undefined) {
      root[first] = type
      continue
    }
    const group = groups[first] ?? {}
    groups[first] = group
    group[second] = type
    root[first] = { fields: group }
  }
  return root
})()
