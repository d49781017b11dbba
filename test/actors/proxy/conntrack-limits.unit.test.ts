import assert from "node:assert/strict"
import { describe } from "node:test"
import { type ConntrackLimits, conntrackMax, conntrackWishes } from "../../../src/actors/proxy/conntrack-limits.ts"
import { itMeets, type RowValue } from "../../support/cases.ts"

/** Rows leave out what they do not ask for; a length of time is as `5s`. */
const limitsOf = (config: RowValue): ConntrackLimits => {
  const seconds = (text: string | null) => (text === null ? 0 : Number(text.replace(/s$/u, "")))
  return {
    maxPerCore: config.maxPerCore ?? 0,
    min: config.min ?? 0,
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
})
