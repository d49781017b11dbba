/** Columns survive the way into a report and out of it. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { packColumns, unpackColumns } from "../../../src/reports/html/columns.ts"
import { packTimeline } from "../../../src/reports/html/pack.ts"
import { timelineOfGiven } from "../timeline/given.ts"

describe("columns", () => {
  it("come back as they were, of every width and any length, in any order", () => {
    const columns = [
      ["a", "u8", [0, 255, 7]],
      ["b", "i32", [-1, 2 ** 31 - 1]],
      ["c", "f64", [1.5, Date.UTC(2026, 0, 1)]],
      ["d", "u16", [65_535]],
      ["e", "u32", []],
      ["f", "u32", [2 ** 32 - 1]]
    ] as const
    const { bytes, layout } = packColumns(columns)
    const back = unpackColumns(bytes, layout)
    for (const [name, , values] of columns) assert.deepEqual([...back.get(name)!], [...values], name)
  })

  it("of a timeline are as long as its events, bars and troubles", () => {
    const timeline = timelineOfGiven([
      { event: { _tag: "RuntimeDisconnected", endpoint: "e", message: "m" } },
      { event: { _tag: "PodRemoved", uid: "u" }, cause: "e1" }
    ])
    const { bytes, head } = packTimeline(timeline, { file: "a.ndjson", writtenBy: "chronode", remarks: ["cut"] })
    const columns = unpackColumns(bytes, head.columns)
    assert.deepEqual([...columns.get("cause")!], [-1, 0])
    assert.deepEqual([...columns.get("troubleEvent")!], [0])
    assert.equal(head.troubleKinds[columns.get("troubleKind")![0]!], "node")
    assert.equal(columns.get("barFrom")!.length, timeline.bars.length)
    assert.deepEqual([head.node, head.remarks], ["node1", ["cut"]])
  })
})
