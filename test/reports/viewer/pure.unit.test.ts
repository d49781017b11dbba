/** The parts of a report's page that need no browser: time axis, search, groups, layout. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Lane } from "../../../src/reports/timeline/model.ts"
import { byGroup, effectsOf, firstFrom } from "../../../src/reports/viewer/groups.ts"
import { groupHeight, layOut, rowAt, rowHeight } from "../../../src/reports/viewer/layout.ts"
import { fits, hasWords, parseQuery } from "../../../src/reports/viewer/query.ts"
import { lengthText, momentText, spanText, ticks, utc } from "../../../src/reports/viewer/times.ts"

const noon = Date.UTC(2026, 10, 24, 12)
const hour = 3_600_000

describe("the time axis", () => {
  it("has round marks, no more than there is room for, and tells the day where one begins", () => {
    const marks = ticks(noon, noon + 26 * hour, 10, utc)
    assert.ok(marks.length <= 10)
    assert.deepEqual(
      marks.map(({ label }) => label),
      ["12:00", "15:00", "18:00", "21:00", "2026-11-25", "03:00", "06:00", "09:00", "12:00"]
    )
    assert.deepEqual(
      ticks(noon, noon + 40, 5, utc).map(({ label }) => label),
      ["12:00:00.000", "12:00:00.010", "12:00:00.020", "12:00:00.030", "12:00:00.040"]
    )
  })

  it("stands on round hours of a zone that is off by half of one", () => {
    const kolkata = () => 330
    assert.equal(momentText(noon, kolkata), "2026-11-24 17:30:00.000")
    const [first] = ticks(noon, noon + 5 * hour, 6, kolkata)
    assert.deepEqual([first!.label, first!.at - noon], ["18:00", hour / 2])
  })

  it("tells spans and lengths", () => {
    assert.equal(spanText(noon, noon + 1500, utc), "2026-11-24 12:00:00.000 → 12:00:01.500")
    assert.deepEqual([0, 999, 4200, 75_000, 2 * hour + 300_000, 76 * hour].map(lengthText), [
      "0 ms",
      "999 ms",
      "4.2 s",
      "1 min 15 s",
      "2 h 5 min",
      "3 d 4 h"
    ])
  })
})

describe("a search", () => {
  const exit = { type: "containerexited", pod: "default/web", kind: "container", severity: 3 }

  it("knows words, quoted words and fields", () => {
    assert.deepEqual(parseQuery('Exit "Code 1" type:ContainerExited pod:"default/web" severity:warn'), {
      words: ["exit", "code 1"],
      type: ["containerexited"],
      pod: ["default/web"],
      kind: [],
      severity: 3
    })
    assert.deepEqual(parseQuery("  http://10.0.0.1:80/ ").words, ["http://10.0.0.1:80/"])
  })

  it("wants every field, and any of its values", () => {
    assert.ok(fits(parseQuery("type:Exited type:Started pod:web"), exit))
    assert.ok(!fits(parseQuery("type:Exited pod:db"), exit))
    assert.ok(!fits(parseQuery("severity:error"), exit))
    assert.ok(!fits(parseQuery("kind:probe"), exit))
  })

  it("wants every word", () => {
    assert.ok(hasWords(["exit", "137"], "ended with exit code 137"))
    assert.ok(!hasWords(["exit", "1"], "ended with exit code 0"))
  })
})

describe("groups", () => {
  it("are in order of time, also where the clock jumped back", () => {
    const at = Float64Array.from([5, 1, 3, 2])
    const groups = byGroup(Uint32Array.from([0, 1, 0, 0]), 2, at)
    assert.deepEqual([...groups.of(0)], [3, 2, 0])
    assert.equal(firstFrom(groups.of(0), at, 3), 1)
    assert.equal(firstFrom(groups.of(0), at, 9), 3)
  })

  it("find what an event caused", () => {
    const effects = effectsOf(Int32Array.from([-1, 0, 0, -2, 1]))
    assert.deepEqual([[...effects.of(0)], [...effects.of(1)], [...effects.of(3)]], [[1, 2], [4], []])
  })
})

describe("the layout", () => {
  const lanes: ReadonlyArray<Lane> = [
    { kind: "node", name: "n", parent: -1, depth: 0 },
    { kind: "pod", name: "default/web", parent: -1, depth: 0 },
    { kind: "container", name: "app", parent: 1, depth: 1 },
    { kind: "probe", name: "liveness", parent: 2, depth: 2 }
  ]
  const shown = (folded: ReadonlySet<number>, has: (lane: number) => boolean = () => true) =>
    layOut(lanes, folded, has).rows.map(({ lane }) => lane)

  it("folds all that is below a pod", () => {
    assert.deepEqual(shown(new Set()), [0, 1, 2, 3])
    assert.deepEqual(shown(new Set([1])), [0, 1])
  })

  it("keeps what a shown lane is below", () => {
    assert.deepEqual(
      shown(new Set(), (lane) => lane === 3),
      [1, 2, 3]
    )
  })

  it("finds the row at a height", () => {
    const layout = layOut(lanes, new Set(), () => true)
    assert.equal(layout.height, 3 * rowHeight + groupHeight)
    assert.deepEqual(
      [rowAt(layout, 0), rowAt(layout, rowHeight), rowAt(layout, rowHeight + groupHeight), rowAt(layout, 1e6)],
      [0, 1, 2, 4]
    )
  })
})
