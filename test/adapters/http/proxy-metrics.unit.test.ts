import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { makeProxyHealth } from "../../../src/adapters/http/health.ts"
import { makeProxyMetrics } from "../../../src/adapters/http/proxy-metrics.ts"

describe("the proxy's metrics", () => {
  const names = (mode: string) =>
    [
      ...makeProxyMetrics(["IPv4"], { version: "1" })
        .text(mode)
        .matchAll(/^# TYPE (\S+)/gmu)
    ].map(([, name]) => name)

  it("bear kube-proxy's names, those of the mode and no others", () => {
    const rules = "kubeproxy_sync_proxy_rules"
    const common = [
      ...[`${rules}_duration_seconds`, "kubeproxy_sync_full_proxy_rules_duration_seconds"],
      ...["kubeproxy_sync_partial_proxy_rules_duration_seconds", "kubeproxy_network_programming_duration_seconds"],
      ...[`${rules}_last_timestamp_seconds`, `${rules}_last_queued_timestamp_seconds`],
      ...[`${rules}_endpoint_changes_pending`, `${rules}_endpoint_changes_total`],
      ...[`${rules}_service_changes_pending`, `${rules}_service_changes_total`, `${rules}_no_local_endpoints_total`],
      ...["kubeproxy_conntrack_reconciler_sync_duration_seconds"],
      ...["kubeproxy_conntrack_reconciler_deleted_entries_total"],
      ...["kubeproxy_proxy_healthz_total", "kubeproxy_proxy_livez_total"],
      ...["process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"],
      ...["process_open_fds", "process_max_fds", "process_virtual_memory_bytes", "chronode_build_info"]
    ]
    const nftables = [`${rules}_nftables_sync_failures_total`, `${rules}_nftables_cleanup_failures_total`]
    const iptables = [
      ...[`${rules}_iptables_total`, `${rules}_iptables_last`, `${rules}_iptables_restore_failures_total`],
      `${rules}_iptables_partial_restore_failures_total`
    ]
    assert.deepEqual(names("nftables").toSorted(), [...common, ...nftables].toSorted())
    assert.deepEqual(names("iptables").toSorted(), [...common, ...iptables].toSorted())
  })

  it("have a series for each family from the start, and kube-proxy's buckets", () => {
    const text = makeProxyMetrics(["IPv4", "IPv6"], {}).text("nftables")
    for (const family of ["IPv4", "IPv6"]) {
      const sync = `kubeproxy_sync_proxy_rules_duration_seconds_bucket{ip_family="${family}",le=`
      assert.equal(text.split(sync).length - 1, 16)
      assert.ok(text.includes(`${sync}"0.001"} 0\n`) && text.includes(`${sync}"16.384"} 0\n`))
      const programming = `kubeproxy_network_programming_duration_seconds_bucket{ip_family="${family}",le=`
      assert.equal(text.split(programming).length - 1, 81)
      assert.ok(text.includes(`${programming}"0.25"}`) && text.includes(`${programming}"300"}`))
    }
    assert.ok(text.includes('kubeproxy_proxy_healthz_total{code="503"} 0\n'))
  })
})

describe("the proxy's health", () => {
  const clocked = () => {
    const clock = { now: Date.parse("2026-01-01T00:00:00Z") }
    return {
      clock,
      health: makeProxyHealth(
        ["IPv4"],
        () => 60_000,
        () => clock.now
      )
    }
  }

  it("is good at the start and while nothing is asked for", () => {
    const { clock, health } = clocked()
    clock.now += 3_600_000
    const { isHealthy, body } = health.report({ nodeEligible: true })
    assert.equal(isHealthy, true)
    const time = "2026-01-01T01:00:00.000Z"
    assert.deepEqual(JSON.parse(body), { lastUpdated: time, currentTime: time, nodeEligible: true, healthy: true })
  })

  it("is bad when a change waits too long, and good again when the kernel has it", () => {
    const { clock, health } = clocked()
    health.queued()
    health.synced()
    clock.now += 1000
    health.queued()
    clock.now += 59_999
    health.queued()
    assert.equal(health.isHealthy(), true)
    clock.now += 1
    const { isHealthy, body } = health.report()
    assert.equal(isHealthy, false)
    assert.deepEqual(JSON.parse(body), {
      lastUpdated: "2026-01-01T00:00:00.000Z",
      currentTime: "2026-01-01T00:01:01.000Z",
      healthy: false,
      status: { IPv4: { lastUpdated: "2026-01-01T00:00:00.000Z", healthy: false } }
    })
    health.synced()
    assert.equal(health.isHealthy(), true)
  })

  it("is bad where nothing was ever synced and something waits", () => {
    const { clock, health } = clocked()
    health.queued()
    clock.now += 60_000
    assert.equal(JSON.parse(health.report().body).lastUpdated, "0001-01-01T00:00:00Z")
    assert.equal(health.isHealthy(), false)
  })

  it("goes on waiting through syncs that leave something out", () => {
    const { clock, health } = clocked()
    health.queued()
    health.waiting(2)
    clock.now += 50_000
    health.synced()
    clock.now += 10_000
    assert.equal(health.isHealthy(), false)
    health.waiting(0)
    assert.equal(health.isHealthy(), true)
  })
})
