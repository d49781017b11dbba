/** kube-proxy's metrics under its names, labels and buckets (`pkg/proxy/metrics/metrics.go`). */
import type { IpFamily } from "../../events/service-shape.ts"
import { addProcessMetrics } from "../metrics/process.ts"
import { exponentialBuckets, linearBuckets, makeRegistry } from "../metrics/registry.ts"

/** Of the syncs, seconds: 1 ms to 16 s. */
const syncBuckets = exponentialBuckets(0.001, 2, 15)
/** Seconds: quarters, each second of the first minute, then coarser up to five minutes. */
const programmingBuckets = [
  ...linearBuckets(0.25, 0.25, 2),
  ...linearBuckets(1, 1, 59),
  ...linearBuckets(60, 5, 12),
  ...linearBuckets(120, 30, 7)
]

export type ProxyMetrics = ReturnType<typeof makeProxyMetrics>

/** @param build what is told of the program: `version`, `runtime` */
export const makeProxyMetrics = (families: ReadonlyArray<IpFamily>, build: Readonly<Record<string, string>>) => {
  const registry = makeRegistry()
  const byFamily = families.map((family) => ({ ip_family: family }))
  const byCode = [{ code: "200" }, { code: "503" }]
  const named = (name: string, help: string, series = byFamily as ReadonlyArray<Readonly<Record<string, string>>>) => ({
    name: `kubeproxy_${name}`,
    help,
    series
  })
  const sync = (name: string, help: string) => named(`sync_proxy_rules_${name}`, help)

  const metrics = {
    syncDuration: registry.histogram(
      sync("duration_seconds", "What one change of the kernel took, in seconds."),
      syncBuckets
    ),
    fullSyncDuration: registry.histogram(
      named("sync_full_proxy_rules_duration_seconds", "What a comparison of all with the kernel took, in seconds."),
      syncBuckets
    ),
    partialSyncDuration: registry.histogram(
      named("sync_partial_proxy_rules_duration_seconds", "What a change of some Services took, in seconds."),
      syncBuckets
    ),
    lastSync: registry.gauge(sync("last_timestamp_seconds", "When the kernel last had all that it should.")),
    lastQueued: registry.gauge(sync("last_queued_timestamp_seconds", "When a change was last asked for.")),
    programming: registry.histogram(
      named("network_programming_duration_seconds", "From the change of an endpoint to the kernel, in seconds."),
      programmingBuckets
    ),
    endpointsPending: registry.gauge(
      sync("endpoint_changes_pending", "Changes of endpoints that the kernel does not have yet.")
    ),
    endpointsTotal: registry.counter(sync("endpoint_changes_total", "Changes of endpoints.")),
    servicesPending: registry.gauge(
      sync("service_changes_pending", "Changes of Services that the kernel does not have yet.")
    ),
    servicesTotal: registry.counter(sync("service_changes_total", "Changes of Services.")),
    noLocalEndpoints: registry.gauge({
      ...sync("no_local_endpoints_total", "Ports of Services with a policy Local and no endpoint on this node."),
      series: ["internal", "external"].flatMap((policy) =>
        byFamily.map((family) => ({ ...family, traffic_policy: policy }))
      )
    }),
    nftablesSyncFailures: registry.counter(
      sync("nftables_sync_failures_total", "Changes that the kernel did not take, with nftables.")
    ),
    // A removal is a part of the change that it belongs to: it never fails by itself.
    nftablesCleanupFailures: registry.counter(
      sync(
        "nftables_cleanup_failures_total",
        "Removals that failed after a change, with nftables: there are none here."
      )
    ),
    iptablesRestoreFailures: registry.counter(sync("iptables_restore_failures_total", "Failures of iptables-restore.")),
    iptablesPartialFailures: registry.counter(
      sync("iptables_partial_restore_failures_total", "Failures of iptables-restore for some Services alone.")
    ),
    iptablesTotal: registry.gauge({
      ...sync("iptables_total", "Rules of ours in the kernel, with iptables."),
      series: tableSeries(byFamily)
    }),
    iptablesLast: registry.gauge({
      ...sync("iptables_last", "Rules that the last change wrote, with iptables."),
      series: tableSeries(byFamily)
    }),
    conntrackDuration: registry.histogram(
      named("conntrack_reconciler_sync_duration_seconds", "What a look for stale flows took, in seconds."),
      syncBuckets
    ),
    conntrackDeleted: registry.counter(
      named("conntrack_reconciler_deleted_entries_total", "Stale flows that were removed.")
    ),
    healthz: registry.counter(named("proxy_healthz_total", "Answers of /healthz by their code.", byCode)),
    livez: registry.counter(named("proxy_livez_total", "Answers of /livez by their code.", byCode))
  }

  addProcessMetrics(registry, build)

  return {
    ...metrics,
    families: byFamily,
    /** Families of other modes are left out, as kube-proxy registers them by its mode. */
    text: (mode: string) => registry.text((name) => /_(nftables|iptables)_/u.exec(name)?.[1] === otherThan(mode))
  }
}

const tableSeries = (byFamily: ReadonlyArray<{ readonly ip_family: IpFamily }>) =>
  ["filter", "nat"].flatMap((table) => byFamily.map((family) => ({ ...family, table })))

/** What IPVS needs beside it stands in nftables. */
const otherThan = (mode: string): string => (mode === "iptables" ? "nftables" : "iptables")
