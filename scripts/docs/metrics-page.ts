/** The text of docs/metrics.md: how metrics are had, and all of them, as the program describes them. */

import { cadvisorFamilies } from "../../src/adapters/metrics/cadvisor.ts"
import { makeNodeMetrics } from "../../src/adapters/metrics/node-metrics.ts"
import { resourceFamilies } from "../../src/adapters/metrics/resource.ts"
import { addActors, addJournal, addPods, addStream } from "../../src/agent/gauges.ts"
import { countSending } from "../../src/agent/otel.ts"

interface Described {
  readonly name: string
  readonly type: string
  readonly help: string
}

const never = undefined as never

/** Nothing is looked up: only names, types and meanings are asked for. */
const nodeFamilies = () => {
  const metrics = makeNodeMetrics({ nodeName: "node1", build: {}, kubernetes: {}, typeOf: () => "container" })
  addPods(metrics, () => never)
  addActors(metrics, never)
  addJournal(metrics, { bytes: 0, first: 0 })
  addStream(metrics, never)
  countSending(metrics, new Map())
  return { node: metrics.registry.families(), probes: metrics.probes.families() }
}

const table = (families: ReadonlyArray<Described>): string =>
  [
    "| name | type | what it tells |",
    "|---|---|---|",
    ...families
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`)
  ].join("\n")

const head = `# Metrics and traces

The agent tells what it does and what its pods use in two ways: **Prometheus** asks for it, at the paths and under the names that
kubelet has, so that dashboards and alerts made for kubelet work; and an **OpenTelemetry** collector is sent it, where that is asked
for. This page is generated (\`npm run generate\`); the names at its end are those of the program.

## For Prometheus

| path | what |
|---|---|
| \`/metrics\` | the agent: starts, restarts, evictions, calls of the runtime, the journal |
| \`/metrics/cadvisor\` | what the node, pods and containers use, as the kernel counts it, with the time at which it was read |
| \`/metrics/resource\` | CPU, memory and swap alone |
| \`/metrics/probes\` | answers of probes |

They are answered by the node's API (port 10250, TLS; who asks needs the right \`get\` on \`nodes/metrics\`), by the read-only port if there
is one, and by the local socket:

\`\`\`
curl --unix-socket /var/lib/chronode/chronode.sock http://localhost/metrics
curl -k -H "Authorization: Bearer $TOKEN" https://127.0.0.1:10250/metrics/cadvisor
\`\`\`

For Prometheus itself, with a line \`TOKEN,prometheus,1,"monitoring"\` in the file of \`--token-auth-file\` and a rule for that group in the
file of \`--authorization-policy-file\` (\`{groups: [monitoring], verbs: [get], resources: [nodes/metrics]}\`):

\`\`\`yaml
scrape_configs:
  - job_name: kubelet
    scheme: https
    authorization: {credentials_file: /etc/prometheus/chronode.token}
    tls_config: {insecure_skip_verify: true} # or ca_file, with a certificate of your own
    static_configs: [{targets: ["node1:10250"]}]
  - job_name: cadvisor
    metrics_path: /metrics/cadvisor
    # as above; the same for /metrics/resource and /metrics/probes
\`\`\`

Counts of what happened are made of committed events: what was not written did not happen, and a start of the agent begins at zero.
Figures of usage come from the pass over the cgroups ([statistics.md](statistics.md)), at most five seconds old, so that the paths are
served by one pass. Nothing is counted by a request. A family with a label that grows without bound stops at 1,000 series. A pod's
probes are forgotten with the pod.

### What differs from kubelet

* \`/metrics/cadvisor\`: as with containerd under kubelet, a pod's own cgroup and its sandbox have no \`container\`; the network stands with
  the sandbox. Told are the root, pods, sandboxes and containers; of other cgroups of the system nothing. Not told, since the pass does
  not read them: \`container_tasks_state\`, \`container_cpu_load_average_10s\`, \`container_memory_kernel_usage\`,
  \`container_memory_total_*_file_bytes\`, \`container_processes\`, \`container_sockets\`, \`container_file_descriptors\`,
  \`container_ulimits_soft\`, \`container_blkio_device_usage_total\`, reservations and swap limits of \`container_spec_\`, and
  times of I/O in \`container_fs_\`. PSI (\`container_pressure_*\`) is there where the kernel has it.
* \`kubelet_pod_worker_duration_seconds\`: there are no workers; it is what an actor did about one of its pod's events.
* \`kubelet_pod_status_sync_duration_seconds\`: there is no API server; it is the time until the journal has the change.
* \`kubelet_pod_start_*\`: from the manifest that was read to the phase Running.
* \`static\` is always \`"true"\`: all pods are of manifests on the node.
* \`storage_operation_duration_seconds\` knows no plugin at \`volume_unmount\`.
* \`kubernetes_build_info\` names the Kubernetes whose kubelet this behaves like; the program itself is \`chronode_build_info\`.
* Not there: metrics of what Chronode does not have (device plugins, CPU, memory and topology manager, pod resources, HTTP clients of an
  API server, workqueues, Go's runtime, evented PLEG, Windows), and \`/metrics/slis\`.

## For OpenTelemetry

Off by default. \`--otlp URL\` (or the configuration, or OpenTelemetry's variables of the environment) names an OTLP/HTTP receiver; three
kinds of things go there, as JSON:

* **traces** of pods' starts, from the manifest to readiness, a span for each step; what went wrong on the way stands in span events.
  The same traces, with the same ids, are made of a file by \`chronode replay incident.ndjson --otlp URL\`: the trace's id follows from the
  pod's uid and the event of its admission, or from the event's \`traceparent\` where it has one;
* **logs**: every event, with its severity, what it says, its own fields (\`chronode.…\`), its id (\`cloudevents.event_id\`) and that of its
  cause (\`chronode.cause\`). Those of a pod are joined to the trace of its last start;
* **metrics**: all of \`/metrics\`, every minute.

\`\`\`yaml
apiVersion: chronode.dev/v1alpha1
kind: ChronodeConfiguration
otel:
  endpoint: http://collector:4318
  traces: true   # each is on, unless it is false
  metrics: true
  logs: false
  interval: 15s  # of metrics
\`\`\`

\`OTEL_EXPORTER_OTLP_ENDPOINT\`, \`OTEL_EXPORTER_OTLP_{TRACES,METRICS,LOGS}_ENDPOINT\`, \`OTEL_{TRACES,METRICS,LOGS}_EXPORTER=none\`,
\`OTEL_METRIC_EXPORT_INTERVAL\` and \`OTEL_SDK_DISABLED\` mean what OpenTelemetry says; \`OTEL_EXPORTER_OTLP_HEADERS\` (also for
credentials), \`…_CERTIFICATE\`, \`…_COMPRESSION\` too. kubelet's own field \`tracing\` names a gRPC receiver and is not acted on.

Nothing waits for a collector: 500 traces and 10,000 log records wait at most, what comes then is dropped and counted
(\`chronode_otel_dropped_total\`). A collector that does not answer is tried again, ever more seldom (up to a minute), and the agent's
log says so once, and when it is there again.
`

export const metricsPage = (): string => {
  const { node, probes } = nodeFamilies()
  const starting = (prefix: string) => node.filter(({ name }) => name.startsWith(prefix))
  const own = starting("chronode_")
  const kubelets = node.filter((family) => !own.includes(family))
  return `${head}
## Names

### /metrics: as kubelet

${table(kubelets)}

### /metrics: Chronode's own

${table(own)}

### /metrics/cadvisor

${table(cadvisorFamilies())}

### /metrics/resource

${table(resourceFamilies())}

### /metrics/probes

${table(probes)}
`
}
