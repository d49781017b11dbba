import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { type ConntrackLimits, conntrackMax, conntrackWishes } from "../../../src/actors/proxy/conntrack-limits.ts"
import { itMeets, type RowValue } from "../../support/cases.ts"

/** Rows leave out what they do not ask for; a length of time is as `5s`. */
const limitsOf = (config: RowValue): ConntrackLimits => {
  const seconds = (text: string | null) => (text === null ? 0 : Number(text.replace(/s$/u, "")))
  return {
    maxPerCore: config.maxPerCore ?? 0,
    min: config.min ?? 0,
    keepsLarger: false,
    tcpEstablishedTimeout: seconds(config.tcpEstablishedTimeout),
    tcpCloseWaitTimeout: seconds(config.tcpCloseWaitTimeout),
    tcpBeLiberal: config.tcpBeLiberal,
    udpTimeout: seconds(config.udpTimeout),
    udpStreamTimeout: seconds(config.udpStreamTimeout)
  }
}

const upstream: Readonly<Record<string, string>> = {
  nf_conntrack_tcp_timeout_established: "SetTCPEstablishedTimeout",
  nf_conntrack_tcp_timeout_close_wait: "SetTCPCloseWaitTimeout",
  nf_conntrack_tcp_be_liberal: "SetTCPBeLiberal",
  nf_conntrack_udp_timeout: "SetUDPTimeout",
  nf_conntrack_udp_timeout_stream: "SetUDPStreamTimeout"
}

describe("limits of the kernel's table of connections", () => {
  itMeets("conntrack.json", "TestGetConntrackMax", "grow with the processors", ({ in: { config, cores }, want }) => {
    assert.equal(conntrackMax(limitsOf(config), cores), want.max)
    return undefined
  })

  itMeets(
    "conntrack.json",
    "TestSetupConntrack",
    "are set as far as they are asked for",
    ({ in: { config }, want }) => {
      // What the kernel refuses fails nothing here (SysctlFailed tells it): what is asked for is the same.
      const wishes = conntrackWishes(limitsOf(config), 2)
      const applied = wishes
        .map(({ name, value }) => ({ name: name.replace("net.netfilter.", ""), value }))
        .filter(({ name }) => name !== "nf_conntrack_buckets")
        .map(({ name, value }) => (name === "nf_conntrack_max" ? "SetMax" : `${upstream[name]}(${value})`))
      assert.deepEqual(applied, want.applied ?? [])
      const buckets = wishes.find(({ name }) => name.endsWith("nf_conntrack_buckets"))
      const max = wishes.find(({ name }) => name.endsWith("nf_conntrack_max"))
      assert.equal(buckets?.value, max === undefined ? undefined : String(Math.trunc(Number(max.value) / 4)))
      return undefined
    }
  )

  it("leave a larger limit of the machine where nobody gave one", () => {
    const none = { tcpEstablishedTimeout: 0, tcpCloseWaitTimeout: 0, tcpBeLiberal: false }
    const limits = { maxPerCore: 32_768, min: 131_072, keepsLarger: true, udpTimeout: 0, udpStreamTimeout: 0, ...none }
    assert.deepEqual(conntrackWishes(limits, 2), [
      { name: "net.netfilter.nf_conntrack_max", value: "131072", atLeast: true },
      { name: "net.netfilter.nf_conntrack_buckets", value: "32768", atLeast: true }
    ])
  })
})
