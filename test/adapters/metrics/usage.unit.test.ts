/** Metrics of usage: cAdvisor's, those of resources, and what of statistics stands in /metrics. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type CadvisorOptions, cadvisorFamilies, cadvisorText } from "../../../src/adapters/metrics/cadvisor.ts"
import { makeRegistry } from "../../../src/adapters/metrics/registry.ts"
import { resourceFamilies, resourceText } from "../../../src/adapters/metrics/resource.ts"
import { addUsageFamilies } from "../../../src/adapters/metrics/usage-families.ts"
import { machine, usageOf } from "../../support/node-usage.ts"
import { parsePrometheus, valueIn } from "../../support/prometheus-text.ts"

const at = Date.UTC(2026, 0, 15, 9, 30, 0, 250)
const options: CadvisorOptions = {
  machine,
  deviceName: (device) => `/dev/${device}`,
  specOf: ({ container }) => (container === "" ? undefined : { shares: 102, period: 100_000, quota: 20_000 })
}

describe("/metrics/cadvisor", () => {
  const families = parsePrometheus(cadvisorText(usageOf(2, 2, at), options))
  const c1 = { container: "c1", pod: "web-1", namespace: "default" }

  it("tells every family once, and of counters only rising names", () => {
    assert.deepEqual(
      families.map(({ name }) => name).toSorted(),
      cadvisorFamilies()
        .map(({ name }) => name)
        .toSorted()
    )
    // cAdvisor's own name.
    const others = families.filter(({ name, type }) => type === "counter" && !name.endsWith("_total"))
    assert.deepEqual(
      others.map(({ name }) => name),
      ["container_memory_failcnt"]
    )
  })

  it("has kubelet's labels, and the time at which the kernel was asked", () => {
    const memory = families.find(({ name }) => name === "container_memory_working_set_bytes")
    const [series] = memory?.series.filter(({ labels }) => labels.container === "c1" && labels.pod === "web-1") ?? []
    assert.deepEqual(Object.keys(series?.labels ?? {}), ["container", "id", "image", "name", "namespace", "pod"])
    assert.equal(series?.labels.image, "docker.io/library/busybox:1.36")
    assert.equal(
      series?.labels.id,
      `/kubepods/burstable/pod00000000-0000-4000-8000-000000000001/${series?.labels.name}`
    )
    assert.deepEqual([series?.value, series?.time], [40_000_000, at])
  })

  it("tells seconds, bytes and counts in the kernel's meaning", () => {
    const told = (name: string, more = {}) => valueIn(families, `container_${name}`, { ...c1, ...more })
    assert.equal(told("cpu_usage_seconds_total", { cpu: "total" }), 5)
    assert.equal(told("cpu_user_seconds_total"), 4)
    assert.equal(told("cpu_cfs_throttled_seconds_total"), 0.35)
    assert.equal(told("memory_failures_total", { failure_type: "pgmajfault", scope: "hierarchy" }), 2)
    assert.equal(told("memory_max_usage_bytes"), 80_000_000)
    assert.equal(told("oom_events_total"), 1)
    assert.equal(told("pressure_memory_waiting_seconds_total"), 1.5)
    assert.equal(told("pressure_cpu_stalled_seconds_total"), 0.5)
    assert.equal(told("fs_writes_bytes_total", { device: "/dev/259:0" }), 16_384)
    assert.equal(told("fs_usage_bytes"), 12_288)
    assert.equal(told("threads_max"), 1024)
    assert.equal(told("spec_memory_limit_bytes"), 64 * 2 ** 20)
    assert.equal(told("spec_cpu_quota"), 20_000)
    assert.equal(told("start_time_seconds"), (at - 60_000) / 1000)
    assert.equal(told("last_seen"), Math.floor(at / 1000))
    assert.equal(valueIn(families, "machine_cpu_cores"), 4)
    assert.equal(valueIn(families, "container_cpu_usage_seconds_total", { id: "/" }), 250)
  })

  it("has the network with the sandbox, which like the pod's own cgroup has no container", () => {
    const sandbox = { pod: "web-1", container: "", image: "registry.k8s.io/pause:3.9", interface: "eth0" }
    assert.equal(valueIn(families, "container_network_receive_bytes_total", sandbox), 2000)
    assert.equal(valueIn(families, "container_network_transmit_packets_dropped_total", sandbox), 4)
    const whole = { pod: "web-1", container: "", name: "" }
    assert.equal(valueIn(families, "container_memory_usage_bytes", whole), 60_000_000)
  })

  it("leaves out what a kernel does not tell", () => {
    const usage = usageOf(1, 1, at)
    const bare = {
      ...usage,
      node: { at },
      containers: usage.containers.map(({ network: _, ...container }) => ({ ...container, sample: { at } }))
    }
    const names = parsePrometheus(cadvisorText(bare, options)).map(({ name }) => name)
    assert.ok(
      !names.some((name) => /pressure|network|memory_|cfs|oom/u.test(name.replace("machine_memory", ""))),
      `${names}`
    )
    assert.ok(names.includes("container_last_seen"))
  })

  it("says so where the figures cannot be had", () => {
    const failed = parsePrometheus(cadvisorText(undefined, options))
    assert.equal(valueIn(failed, "container_scrape_error"), 1)
    assert.equal(valueIn(families, "container_scrape_error"), 0)
  })
})

describe("/metrics/resource", () => {
  const families = parsePrometheus(resourceText(usageOf(2, 2, at)))

  it("tells kubelet's families with their labels", () => {
    assert.deepEqual(
      families.map(({ name }) => name).toSorted(),
      resourceFamilies()
        .map(({ name }) => name)
        .toSorted()
    )
    const c0 = { container: "c0", pod: "web-0", namespace: "default" }
    assert.equal(valueIn(families, "container_cpu_usage_seconds_total", c0), 2.5)
    assert.equal(valueIn(families, "container_memory_working_set_bytes", c0), 20_000_000)
    assert.equal(valueIn(families, "container_swap_limit_bytes", c0), 8192 + 1024)
    assert.equal(valueIn(families, "pod_memory_working_set_bytes", { pod: "web-0" }), 40_000_000)
    assert.equal(valueIn(families, "node_cpu_usage_seconds_total"), 250)
    assert.equal(valueIn(families, "resource_scrape_error"), 0)
    const cpu = families.find(({ name }) => name === "pod_cpu_usage_seconds_total")
    assert.equal(cpu?.series[0]?.time, at)
  })

  it("says so where the figures cannot be had", () => {
    const failed = parsePrometheus(resourceText(undefined))
    assert.deepEqual([failed.length, valueIn(failed, "resource_scrape_error")], [2, 1])
  })
})

describe("statistics in /metrics", () => {
  it("are volumes with a claim, and logs", () => {
    const registry = makeRegistry()
    const usage = usageOf(2, 1, at)
    addUsageFamilies(registry, () => usage)
    const families = parsePrometheus(registry.text())
    const claim = { namespace: "default", persistentvolumeclaim: "claim" }
    assert.equal(valueIn(families, "kubelet_volume_stats_used_bytes", claim), 400)
    assert.equal(valueIn(families, "kubelet_volume_stats_inodes_free", claim), 6)
    assert.equal(valueIn(families, "kubelet_container_log_filesystem_used_bytes", { pod: "web-1" }), 2048)
  })
})
