// runtimes: bun (deno)
/**
 * Metrics of an agent that runs pods on a real containerd: read strictly, by promtool, and scraped by Debian's Prometheus over
 * TLS; and what a collector of OpenTelemetry is sent meanwhile.
 */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { after, before, describe, it } from "node:test"
import { Effect } from "effect"
import { freePort } from "../../scripts/lab/free-port.ts"
import { startPrometheus } from "../../scripts/lab/prometheus.ts"
import { askAgent } from "../../src/cli/local-api.ts"
import { eventually, type NodeUnderTest } from "../support/agent.ts"
import { type Collector, startCollector } from "../support/otlp-collector.ts"
import { type Family, parsePrometheus, valueIn } from "../support/prometheus-text.ts"
import { requires } from "../support/requires.ts"
import { container, forever, pod } from "./manifests.ts"
import { startWorld, type World, whyNotHere, within } from "./world.ts"

const web = pod("web", {
  containers: [
    container("app", `echo here; ${forever}`, {
      readinessProbe: { exec: { command: ["true"] }, periodSeconds: 1 },
      resources: { requests: { cpu: "50m" }, limits: { cpu: "200m", memory: "64Mi" } }
    }),
    container("side", forever)
  ],
  volumes: [{ name: "scratch", emptyDir: {} }]
})
const token = "token-of-prometheus"
const paths = ["/metrics", "/metrics/cadvisor", "/metrics/resource", "/metrics/probes"] as const

/** kubelet's and cAdvisor's own names that Prometheus' linter does not like. */
const foreignNames = new RegExp(
  `^(?:${[
    ...["kubelet_evictions", "kubelet_preemptions", "kubelet_pleg_discard_events"],
    ...["kubelet_server_expiration_renew_errors", "kubelet_containers_per_pod_count"],
    ...["container_memory_failcnt", "container_fs_inodes_total", "cadvisor_version_info"]
  ].join("|")}) `,
  "u"
)

describe("metrics of a node that runs pods", { concurrency: false }, () => {
  let world: World
  let node: NodeUnderTest
  let port: number
  let collector: Collector
  const text = async (path: string): Promise<string> => {
    const { status, body } = await Effect.runPromise(askAgent(node.dataDir, { method: "GET", path }))
    assert.equal(status, 200, path)
    return body
  }
  const read = async (path: string): Promise<ReadonlyArray<Family>> => parsePrometheus(await text(path))

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    port = await freePort()
    collector = await startCollector()
    process.env.OTEL_METRIC_EXPORT_INTERVAL = "2000"
    const files = join(world.dir, "files")
    mkdirSync(files)
    const [tokens, policy] = [join(files, "tokens.csv"), join(files, "policy.json")]
    writeFileSync(tokens, `${token},prometheus,1,"monitoring"\n`, { mode: 0o600 })
    const rules = [{ groups: ["monitoring"], verbs: ["get"], resources: ["nodes/metrics"] }]
    writeFileSync(policy, JSON.stringify({ apiVersion: "chronode.dev/v1alpha1", kind: "NodeApiPolicy", rules }))
    node = world.node("metrics", {
      configuration: { enableServer: true, address: "127.0.0.1", port, healthzPort: await freePort() },
      flags: ["--token-auth-file", tokens, "--authorization-policy-file", policy, "--otlp", collector.url]
    })
    node.put("web.json", web)
    await node.start()
    await node.waitFor("ContainerReadinessChanged", "pod/default/web", { container: "app", ready: true })
    await node.waitFor("ContainerStarted", "pod/default/web", { container: "side" })
  })
  after(async () => {
    await world?.close()
    await collector?.close()
  })

  it("tells what runs, what was started, and what calls of the runtime took", within(60), async () => {
    const families = await eventually("two containers that run", async () => {
      const now = await read("/metrics")
      return valueIn(now, "kubelet_running_containers", { container_state: "running" }) === 2 ? now : undefined
    })
    assert.equal(valueIn(families, "kubelet_running_pods"), 1)
    assert.equal(valueIn(families, "kubelet_desired_pods", { static: "true" }), 1)
    assert.equal(valueIn(families, "kubelet_node_name", { node: "metrics" }), 1)
    assert.equal(valueIn(families, "kubelet_started_pods_total"), 1)
    assert.equal(valueIn(families, "kubelet_started_containers_total", { container_type: "container" }), 2)
    assert.equal(valueIn(families, "kubelet_pod_start_duration_seconds_count"), 1)
    const run = { operation_type: "run_podsandbox" }
    assert.equal(valueIn(families, "kubelet_runtime_operations_total", run), 1)
    assert.ok((valueIn(families, "kubelet_runtime_operations_duration_seconds_sum", run) ?? 0) > 0)
    assert.equal(valueIn(families, "kubelet_run_podsandbox_duration_seconds_count"), 1)
    assert.ok((valueIn(families, "kubelet_pleg_relist_duration_seconds_count") ?? 0) > 0)
    const scratch = { plugin_name: "kubernetes.io/empty-dir", state: "actual_state_of_world" }
    assert.equal(valueIn(families, "volume_manager_total_volumes", scratch), 1)
    assert.ok((valueIn(families, "chronode_journal_append_duration_seconds_count") ?? 0) > 10)
    assert.ok((valueIn(families, "chronode_journal_bytes") ?? 0) > 0)
    assert.equal(valueIn(families, "chronode_actors", { kind: "pod" }), 1)
    assert.equal(valueIn(families, "chronode_stream_connected"), 1)
  })

  it("tells answers of probes, until their pod is gone", within(60), async () => {
    const app = { container: "app", pod: "web", namespace: "default", probe_type: "Readiness", result: "successful" }
    await eventually("two answers", async () =>
      (valueIn(await read("/metrics/probes"), "prober_probe_total", app) ?? 0) > 1 ? true : undefined
    )
  })

  it("tells what containers use, with kubelet's labels", within(60), async () => {
    const app = { container: "app", pod: "web", namespace: "default" }
    const cadvisor = await eventually("figures of a container", async () => {
      const now = await read("/metrics/cadvisor")
      return valueIn(now, "container_memory_working_set_bytes", app) === undefined ? undefined : now
    })
    assert.ok((valueIn(cadvisor, "container_memory_working_set_bytes", app) ?? 0) > 0)
    assert.equal(valueIn(cadvisor, "container_spec_memory_limit_bytes", app), 64 * 2 ** 20)
    assert.equal(valueIn(cadvisor, "container_spec_cpu_quota", app), 20_000)
    const whole = { pod: "web", container: "", name: "" }
    assert.equal(valueIn(cadvisor, "container_spec_cpu_shares", whole), 51)
    const sent = { pod: "web", interface: "eth0" }
    assert.ok((valueIn(cadvisor, "container_network_receive_bytes_total", sent) ?? -1) >= 0)
    const resource = await read("/metrics/resource")
    assert.ok((valueIn(resource, "container_cpu_usage_seconds_total", app) ?? 0) > 0)
    assert.ok((valueIn(resource, "node_memory_working_set_bytes") ?? 0) > 0)
    assert.equal(valueIn(resource, "resource_scrape_error"), 0)
  })

  const promtool = requires("promtool")
  it("are of the format, as promtool reads it", { ...within(60), ...promtool }, async () => {
    for (const path of paths) {
      const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: await text(path) })
      assert.notEqual(status, 1, `${path}: ${stderr}`)
      const complaints = `${stdout}${stderr}`.split("\n").filter((line) => line !== "" && !foreignNames.test(line))
      assert.deepEqual(complaints, [], path)
    }
  })

  const prometheusHere = requires("prometheus")
  it("answers queries of Debian's Prometheus, which scrapes it by TLS", {
    ...within(120),
    ...prometheusHere
  }, async () => {
    await node.waitFor("ApiListening", undefined, { listener: "tls" })
    const jobs = paths.map((path) => ({ name: path, target: `127.0.0.1:${port}`, path, tls: true, bearerToken: token }))
    const prometheus = await startPrometheus(join(world.dir, "p"), jobs)
    try {
      const answer = (promql: string) =>
        eventually(promql, async () => {
          const found = await prometheus.query(promql)
          return found.length > 0 ? found : undefined
        })
      const [pods] = await answer("kubelet_running_pods")
      assert.deepEqual([pods?.metric.job, pods?.value], ["/metrics", 1])
      const memory = await answer(
        'sum by (pod, container) (container_memory_working_set_bytes{job="/metrics/cadvisor", container!=""})'
      )
      assert.deepEqual(
        memory.map(({ metric }) => metric).toSorted((a, b) => (a.container! < b.container! ? -1 : 1)),
        [
          { pod: "web", container: "app" },
          { pod: "web", container: "side" }
        ]
      )
      assert.ok(memory.every(({ value }) => value > 0))
      const [rate] = await answer("sum(rate(kubelet_runtime_operations_total[20s])) > 0")
      assert.ok(rate !== undefined)
      await answer("histogram_quantile(0.99, sum(rate(kubelet_pleg_relist_duration_seconds_bucket[20s])) by (le))")
      await answer('prober_probe_total{pod="web", result="successful"}')
      await answer('pod_cpu_usage_seconds_total{pod="web"}')
      assert.deepEqual(await prometheus.targets(), Object.fromEntries(paths.map((path) => [path, "up"])))
    } finally {
      await prometheus.stop()
    }
    const families = await read("/metrics")
    const scraped = { path: "metrics/cadvisor", server_type: "readwrite", method: "GET" }
    assert.ok((valueIn(families, "kubelet_http_requests_total", scraped) ?? 0) >= 1)
  })

  it("sends the pod's start as a trace, and its events as logs of that trace, to a collector", within(60), async () => {
    const spans = await eventually("the trace of the start", () => {
      const all = collector.spans()
      return all.some(({ name }) => name === "pod start") ? all : undefined
    })
    const [root] = spans.filter(({ name }) => name === "pod start")
    for (const name of ["admission", "sandbox create", "container create", "container start", "container ready"])
      assert.ok(
        spans.some((span) => span.name === name && span.traceId === root?.traceId),
        name
      )
    const record = await eventually("the event in the log", () =>
      collector
        .logs()
        .find(({ eventName, body }) => eventName?.includes("ContainerStarted") && body.stringValue.startsWith("app"))
    )
    assert.deepEqual([record.traceId, record.severityText], [root?.traceId, "INFO"])
    await eventually("the metrics", () => (collector.metrics().includes("kubelet_running_pods") ? true : undefined))
    const families = await read("/metrics")
    assert.ok((valueIn(families, "chronode_otel_sent_total", { signal: "logs" }) ?? 0) > 10)
    assert.equal(valueIn(families, "chronode_otel_dropped_total", { signal: "logs" }), 0)
    // What `chronode replay --otlp` makes of the same log bears the same ids.
    const [incident, offline] = [join(world.dir, "incident.ndjson"), await startCollector()]
    await node.command("export", "--out", incident, "--data-dir", node.dataDir)
    await node.command("replay", incident, "--otlp", offline.url)
    assert.equal(offline.spans().find(({ name }) => name === "pod start")?.traceId, root?.traceId)
    await offline.close()
  })

  it("goes on when the collector is away, and says so once", within(60), async () => {
    await collector.close()
    node.put("second.json", pod("second", { containers: [container("app", forever)] }))
    await node.waitFor("ContainerStarted", "pod/default/second")
    await eventually("the warning", () => (/logs cannot be sent to/u.test(node.log()) ? true : undefined))
    assert.equal(node.log().match(/logs cannot be sent to/gu)?.length, 1)
    const families = await read("/metrics")
    assert.ok((valueIn(families, "chronode_otel_waiting", { signal: "logs" }) ?? 0) > 0)
  })
})
