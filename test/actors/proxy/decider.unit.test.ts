/** What is told of the node's proxy: that it began, what it lacks, failures and recovery, drift, kernel parameters. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { ProxyCommand } from "../../../src/actors/proxy/commands.ts"
import { proxyDecider } from "../../../src/actors/proxy/decider.ts"
import { proxyActor } from "../../../src/actors/proxy/identity.ts"
import { Story, tags } from "../../support/given.ts"

const at = 1000
const started: ProxyCommand = {
  _tag: "ReportStarted",
  at,
  mode: "nftables",
  families: ["IPv4"],
  nodePortAddresses: ["192.0.2.1"],
  settings: {}
}
const synced: ProxyCommand = { _tag: "ReportSynced", at, services: 2, endpoints: 3, duration: 12 }
const failed = (attempt: number): ProxyCommand => ({
  _tag: "ReportFailed",
  at,
  reason: "Failed",
  message: "netlink: ENOBUFS",
  services: ["default/web"],
  pending: 1,
  attempt,
  retryAt: "2026-11-26T12:00:00.000Z"
})

describe("the proxy of a node", () => {
  it("lacks something once, and begins because of it", () => {
    const story = new Story(proxyDecider, proxyActor)
    const missing = [{ what: "ip_vs", remedy: "load the module" }]
    const lacks = (attempt: number): ProxyCommand => ({ _tag: "ReportUnavailable", at, mode: "ipvs", missing, attempt })
    const [unavailable] = story.when(lacks(1))
    assert.equal(unavailable?.event._tag, "ProxyUnavailable")
    assert.deepEqual(story.when(lacks(2)), [])
    const [begun] = story.when(started)
    assert.equal(begun?.cause, unavailable?.id)
    assert.equal(story.state.unavailable, null)
    const [first] = story.when(synced)
    assert.deepEqual([first?.event._tag, first?.cause], ["DataplaneSynced", begun?.id])
  })

  it("tells failures as a chain, and the recovery at its end", () => {
    const story = new Story(proxyDecider, proxyActor)
    story.when(started)
    const [first] = story.when(failed(1), "endpoint-event")
    assert.equal(first?.cause, "endpoint-event")
    const [second] = story.when(failed(2))
    assert.equal(second?.cause, first?.id)
    const end = story.when(synced)
    assert.deepEqual(tags(end), ["DataplaneRecovered", "DataplaneSynced"])
    assert.equal(end[0]?.cause, second?.id)
    assert.deepEqual(end[0]?.event, { _tag: "DataplaneRecovered", attempts: 2 })
    assert.deepEqual(story.when({ _tag: "ReportRecovered", at }), [])
    assert.deepEqual(story.refolded(), story.state)
  })

  it("tells drift and stale flows where there are any", () => {
    const story = new Story(proxyDecider, proxyActor)
    const drift = (missing: number): ProxyCommand => ({
      _tag: "ReportDrift",
      at,
      noticedBy: "resync",
      missing,
      altered: 0,
      unexpected: 0,
      examples: [],
      duration: 3
    })
    assert.deepEqual(story.when(drift(0)), [])
    assert.deepEqual(tags(story.when(drift(3))), ["DataplaneDrifted"])
    assert.deepEqual(story.when({ _tag: "ReportStaleFlows", at, count: 0, examples: [] }), [])
    assert.deepEqual(tags(story.when({ _tag: "ReportStaleFlows", at, count: 1, examples: ["10.0.0.9:53"] })), [
      "StaleFlowsRemoved"
    ])
  })

  it("remembers what a kernel parameter was before this node set it", () => {
    const story = new Story(proxyDecider, proxyActor)
    const name = "net.ipv4.ip_forward"
    story.when({ _tag: "ReportSysctl", at, name, before: "0", value: "1" })
    story.when({ _tag: "ReportSysctl", at, name, before: "5", value: "1" })
    assert.deepEqual(story.state.sysctls[name], { before: "0", value: "1" })
    const refused: ProxyCommand = { _tag: "ReportSysctl", at, name, value: "1", failure: "read-only" }
    assert.deepEqual(tags(story.when(refused)), ["SysctlFailed"])
    assert.deepEqual(story.when(refused), [])
  })
})

describe("HTTP servers of the proxy", () => {
  const failure = { message: "0.0.0.0:10256 is in use by another program", remedy: "stop it" }
  const healthz = { server: "healthz", address: "0.0.0.0:10256" } as const
  const check = { server: "health-check", address: "0.0.0.0:30100", service: "shop/web" } as const
  const report = (...listeners: Extract<ProxyCommand, { readonly _tag: "ReportListeners" }>["listeners"]) =>
    ({ _tag: "ReportListeners", at, listeners }) as const

  it("are told of when they cannot listen, once, and when they do after all", () => {
    const story = new Story(proxyDecider, proxyActor)
    assert.deepEqual(story.when(report(healthz, check)), [])
    const [failed] = story.when(report({ ...healthz, failure }, check))
    assert.deepEqual(failed?.event, { _tag: "ListenerFailed", ...healthz, ...failure })
    assert.deepEqual(story.when(report({ ...healthz, failure }, check)), [])
    const [recovered] = story.when(report(healthz, check))
    assert.deepEqual(recovered?.event, { _tag: "ListenerRecovered", ...healthz, isWanted: true })
    assert.equal(recovered?.cause, failed?.id)
    assert.deepEqual(story.state.listeners, {})
    assert.deepEqual(story.refolded(), story.state)
  })

  it("are done with when nobody wants them any more", () => {
    const story = new Story(proxyDecider, proxyActor)
    story.when(report({ ...check, failure }))
    const [gone] = story.when(report(healthz))
    assert.deepEqual(gone?.event, { _tag: "ListenerRecovered", ...check, isWanted: false })
    assert.deepEqual(story.state.listeners, {})
  })
})
