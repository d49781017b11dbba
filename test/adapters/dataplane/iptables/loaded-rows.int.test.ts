// netns: own
/** kube-proxy's packets through what the kernel really has, one rule set after the other in one namespace. */
import "../../../support/own-netns.ts"
import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { before, describe } from "node:test"
import { promisify } from "node:util"
import { Effect } from "effect"
import { zeroCidr } from "../../../../src/adapters/dataplane/iptables/context.ts"
import { liveSurroundings, make } from "../../../../src/adapters/dataplane/iptables/live.ts"
import { make as sysctls } from "../../../../src/adapters/sysctl/live.ts"
import { itMeets, type Row, tables } from "../../../support/cases.ts"
import { loadedFrom, PacketTracer } from "../../../support/packet-tracer.ts"
import { requires } from "../../../support/requires.ts"
import { stateOf } from "./rows.ts"
import { sorted, traced } from "./traced.ts"

const execute = promisify(execFile)
const ipvs = {
  scheduler: "rr",
  strictARP: false,
  excludeCIDRs: [],
  tcpTimeout: 0,
  tcpFinTimeout: 0,
  udpTimeout: 0
} as const

describe("iptables' rules in the kernel", requires("linux", "root", "iptables"), () => {
  /** What iptables-save shows of each row's state. */
  const saved = new Map<Row, string>()
  before(async () => {
    for (const test of traced) {
      for (const { rows } of tables("iptables-traces.json", test)) {
        for (const row of rows) {
          const { context, rules, healthCheckPorts } = stateOf(row.in)
          const { family } = context
          const settings = { ...context.settings, name: "chronode", families: [family], ipvs }
          const dataplane = make(settings, sysctls(), {
            ...liveSurroundings(),
            nodeAddresses: () => context.nodeAddresses
          })
          const nodePortAddresses = context.nodePorts === "all" ? [zeroCidr[family]] : context.nodePorts
          const { refused } = await Effect.runPromise(dataplane.resync({ rules, nodePortAddresses, healthCheckPorts }))
          assert.deepEqual(refused, [])
          const again = await Effect.runPromise(dataplane.resync({ rules, nodePortAddresses, healthCheckPorts }))
          assert.deepEqual([again.missing, again.altered, again.unexpected], [0, 0, 0])
          const { stdout } = await execute(family === "IPv4" ? "iptables-save" : "ip6tables-save")
          saved.set(row, stdout)
        }
      }
    }
  })

  for (const test of traced) {
    itMeets("iptables-traces.json", test, "lead packets where kube-proxy's do", (row) => {
      const text = [...saved].find(
        ([{ name, in: input }]) => name === row.name && JSON.stringify(input) === JSON.stringify(row.in)
      )?.[1]
      assert.ok(text !== undefined)
      const tracer = new PacketTracer(loadedFrom(text), row.in.nodeIPs)
      for (const [at, packet] of row.in.packets.entries()) {
        const { output, masq } = row.want.packets[at]
        const found = tracer.trace({ ...packet, protocol: packet.protocol ?? "TCP", device: "eth0" })
        assert.deepEqual(found, { output: sorted(output), masq }, packet.name)
      }
      return undefined
    })
  }
})
