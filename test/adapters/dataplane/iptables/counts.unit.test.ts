import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { RuleCounts } from "../../../../src/adapters/dataplane/iptables/counts.ts"
import type { TableChange } from "../../../../src/adapters/dataplane/iptables/plan.ts"

const none: Pick<TableChange, "writes" | "edits" | "removals"> = { writes: [], edits: [], removals: [] }

describe("counted rules of iptables", () => {
  it("are those of our chains, by what was read and what was written since", () => {
    const counts = new RuleCounts()
    const nat = new Map([
      ["PREROUTING", ["-j KUBE-SERVICES"]],
      ["KUBE-SERVICES", ["a", "b"]],
      ["KUBE-SVC-X", ["c"]]
    ])
    counts.read({ filter: { chains: new Map() }, nat: { chains: nat } })
    const of = (table: string) => counts.list("IPv4").find((count) => count.table === table)
    assert.deepEqual(of("nat"), { family: "IPv4", table: "nat", total: 3, last: 0 })
    counts.written([
      {
        ...none,
        table: "nat",
        writes: [
          { chain: "KUBE-SVC-X", rules: ["c", "d", "e"] },
          { chain: "KUBE-SEP-Y", rules: ["f"] }
        ],
        edits: [
          { chain: "KUBE-SERVICES", op: "append", rule: "g" },
          { chain: "KUBE-SERVICES", op: "delete", rule: "a" }
        ]
      }
    ])
    assert.deepEqual(of("nat"), { family: "IPv4", table: "nat", total: 6, last: 5 })
    assert.deepEqual(of("filter"), { family: "IPv4", table: "filter", total: 0, last: 0 })
    counts.written([{ ...none, table: "nat", removals: ["KUBE-SVC-X", "KUBE-SEP-Y"] }])
    assert.deepEqual(of("nat"), { family: "IPv4", table: "nat", total: 2, last: 0 })
  })
})
