/** What `chronode stats` prints of a summary, and what the agent's answer is made into for `top`. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { statsDocument, statsListing } from "../../src/cli/stats.ts"
import { usageOf } from "../../src/cli/usage.ts"
import type { Summary } from "../../src/events/stats-summary.ts"

const time = "2026-11-26T10:00:00.000Z"
const podRef = { name: "web", namespace: "default", uid: "u1" }
const mebibyte = 1024 ** 2
const summary: Summary = {
  node: {
    nodeName: "n1",
    startTime: time,
    cpu: { time, usageNanoCores: 1_500_000_000 },
    memory: { time, workingSetBytes: 900 * mebibyte, availableBytes: 100 * mebibyte },
    fs: { time, usedBytes: 40 * mebibyte, availableBytes: 60 * mebibyte, inodesUsed: 7, inodesFree: 3 },
    rlimit: { time, maxpid: 1_000, curproc: 400 },
    systemContainers: [{ name: "pods", startTime: time, memory: { time, workingSetBytes: 5 * mebibyte } }]
  },
  pods: [
    {
      podRef,
      startTime: time,
      cpu: { time, usageNanoCores: 250_400_000 },
      memory: { time, workingSetBytes: 24 * mebibyte },
      network: { time, name: "eth0", rxBytes: 1_000, txBytes: 2_048, interfaces: [] },
      "ephemeral-storage": { time, usedBytes: 3 * mebibyte },
      process_stats: { process_count: 4 },
      containers: [
        { name: "app", startTime: time, memory: { time, workingSetBytes: mebibyte }, logs: { time, usedBytes: 8_192 } }
      ],
      volume: [{ time, name: "data", usedBytes: 2 * mebibyte, inodesUsed: 3, availableBytes: 60 * mebibyte }]
    }
  ]
}

describe("what is used", () => {
  it("is printed by pod, container, volume and node; what is not known as -", () => {
    const rows = (what: Parameters<typeof statsListing>[1]) => statsListing(summary, what).rows
    assert.deepEqual(rows("pods"), [["default", "web", "250m", "24.0 MiB", "3.0 MiB", "4", "1000 B", "2.0 KiB"]])
    assert.deepEqual(rows("containers"), [["default", "web", "app", "-", "1.0 MiB", "-", "8.0 KiB"]])
    assert.deepEqual(rows("volumes"), [["default", "web", "data", "2.0 MiB", "3", "60.0 MiB"]])
    assert.deepEqual(rows("node"), [
      ["cpu", "1500m", "-"],
      ["memory", "900 MiB", "100 MiB"],
      ["swap", "-", "-"],
      ["processes", "400", "600"],
      ["disk", "40.0 MiB", "60.0 MiB"],
      ["disk inodes", "7", "3"],
      ["cgroup of pods", "- 5.0 MiB", "-"]
    ])
    for (const what of ["pods", "containers", "volumes", "node"] as const) {
      const { header, rows: printed } = statsListing(summary, what)
      for (const row of printed) assert.equal(row.length, header.length)
    }
  })

  it("is a document in kubelet's JSON", () => {
    assert.equal(statsDocument(summary, "node"), summary.node)
    assert.equal(statsDocument(summary, "pods"), summary.pods)
    assert.deepEqual(statsDocument(summary, "volumes"), [{ podRef, ...summary.pods[0]?.volume?.[0] }])
    assert.deepEqual(statsDocument(summary, "containers"), [{ podRef, ...summary.pods[0]?.containers[0] }])
  })

  it("is known by the rows of the table that lives", () => {
    assert.deepEqual(
      [...usageOf(summary)],
      [
        ["node", { cpu: 1_500, memory: 900 * mebibyte }],
        ["pod/default/web", { cpu: 250, memory: 24 * mebibyte }],
        ["container/default/web/app", { memory: mebibyte }]
      ]
    )
  })
})
