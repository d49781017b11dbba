/** Metrics of an agent that runs pods on a real containerd, read strictly, and by promtool. */
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { after, before, describe, it } from "node:test"
import { Effect } from "effect"
import { askAgent } from "../../src/cli/local-api.ts"
import { eventually, type NodeUnderTest } from "../support/agent.ts"
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
  const text = async (path: string): Promise<string> => {
    const { status, body } = await Effect.runPromise(askAgent(node.dataDir, { method: "GET", path }))
    assert.equal(status, 200, path)
    return body
  }
  const read = async (path: string): Promise<ReadonlyArray<Family>> => parsePrometheus(await text(path))

  before(async () => {
    if (whyNotHere() !== undefined) return
    world = await startWorld()
    node = world.node("metrics")
    node.put("web.json", web)
    await node.start()
    await node.waitFor("ContainerReadinessChanged", "pod/default/web", { container: "app", ready: true })
    await node.waitFor("ContainerStarted", "pod/default/web", { container: "side" })
  })
  after(() => world?.close())

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
})
