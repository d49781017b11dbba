/** docs/proxy-configuration.md: what is done with each field of a KubeProxyConfiguration, from the table that reads it. */
import { type ProxyField, proxyFieldTable } from "../../src/cli/proxy/fields.ts"

const types: Readonly<Record<string, string>> = {
  boolean: "boolean",
  integer: "number",
  number: "number",
  string: "text",
  strings: "list of texts",
  duration: "time (`1m30s`)",
  durationOrInteger: "time (`5s`)",
  booleanMap: "map of booleans"
}

const typeText = ({ type }: ProxyField): string => (typeof type === "string" ? (types[type] ?? type) : "map")

const row = (field: string, entry: ProxyField): string =>
  `| ${field} | ${typeText(entry)} | ${entry.otherwise === "" ? "" : `\`${entry.otherwise}\``} | ${entry.how} |`

const tableOf = (isHonoured: boolean, heading: string): string => {
  const rows = Object.entries(proxyFieldTable)
    .filter(([, entry]) => entry.isHonoured === isHonoured)
    .map(([field, entry]) => row(field, entry))
  return [`| field | type | default | ${heading} |`, "|---|---|---|---|", ...rows].join("\n")
}

export const proxyConfigurationPage = (): string => `# Configuration of the proxy

\`chronode run --services DIR\` serves the Services of a directory. How, is told by flags, by a ChronodeConfiguration (\`--config\`),
and by a file that was written for kube-proxy (\`--proxy-config\`): the first that says something counts, in this order.

    chronode run --manifests ./pods --services ./services --proxy-config kube-proxy.yaml

<!-- Written by scripts/generate-docs.ts from src/cli/proxy/fields.ts. -->

## The file

A KubeProxyConfiguration of \`kubeproxy.config.k8s.io/v1alpha1\` is read as it is, plain or as the text in a ConfigMap's \`data\` (as kubeadm
keeps it under \`config.conf\`), also among other documents in one file, which are left alone. Lines in messages are those of the outer
file. Empty texts, zero times and \`null\` mean the default, as with kube-proxy.

What is wrong ends the start with file, line, column, field and what would be right. An unknown field is a warning. A field that is known,
says something and is not acted on is a warning too, with the reason. \`chronode doctor --proxy-config FILE\` says the same without a start.

## The mode

nftables, ipvs or iptables; where nobody says, nftables (kube-proxy: iptables). If the kernel or the machine lacks something for it,
Services wait: ProxyUnavailable says what is missing and how to mend it, and it is looked at again every few seconds. Another mode is taken
only if \`--proxy-mode-fallback MODE\` names one, and ProxyStarted then says instead of which. \`userspace\` and \`kernelspace\` are refused with
the reason.

\`--dataplane-name\` names tables and devices of ours in the kernel (\`chronode\`), so that two agents can share a network namespace. The
chains of iptables are kube-proxy's and have no such name.

## Fields that are acted on

${tableOf(true, "what for")}

## Fields that are not

Each is warned of where it says something other than the default.

${tableOf(false, "why")}

## Health and metrics

| path | on | answers |
|---|---|---|
| \`/healthz\` | healthzBindAddress | 200, or 503 where a change has waited for the kernel for longer than two syncPeriods; JSON with lastUpdated, currentTime, nodeEligible, healthy, and status by family |
| \`/livez\` | healthzBindAddress | the same without nodeEligible |
| \`/proxyMode\` | both | \`nftables\`, \`ipvs\` or \`iptables\` |
| \`/metrics\` | metricsBindAddress | Prometheus text |
| \`/healthz\` | metricsBindAddress | \`ok\` |
| any | healthCheckNodePort of a Service | 200 where the Service has endpoints on this node and the proxy is healthy, else 503; JSON with service, localEndpoints, serviceProxyHealthy; header X-Load-Balancing-Endpoint-Weight |

Metrics bear kube-proxy's names, labels (\`ip_family\`) and buckets: \`kubeproxy_sync_proxy_rules_duration_seconds\` and its full and partial kinds,
\`kubeproxy_network_programming_duration_seconds\` (here from the event that changed an endpoint to the kernel's acknowledgement),
pending and total changes of Services and endpoints, times of the last sync and of the last change, ports without local endpoints, failures of
the mode, answers of health and liveness, and the reconciliation of connections. Of the process: CPU time, memory, open files, start.

An address that is taken is no end: ListenerFailed says who can be asked about it, and it is tried again every 5 seconds. Servers take
64 connections each, 8 KiB of headers, and 10 seconds for a request; a node answers at most 2,000 health checks.

## Kernel parameters

At the start nf_conntrack_max, the size of its hash table (nf_conntrack_buckets, grown to a quarter of that and never made smaller) and its
timeouts are set as configured, beside what the mode needs; a limit that is larger stays where the file gives none (kube-proxy would lower it). What is right already is not written. SysctlChanged tells each with the value before;
SysctlFailed what could not be set and why: in a network namespace other than the host's some belong to the host.
`
