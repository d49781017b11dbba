import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { exponentialBuckets, linearBuckets, makeRegistry, maxSeries } from "../../../src/adapters/metrics/registry.ts"

describe("metrics as text", () => {
  it("are counters, gauges and histograms of Prometheus' format", () => {
    const registry = makeRegistry()
    const requests = registry.counter({ name: "requests_total", help: "All.\nReally.", series: [{ code: "200" }] })
    requests.add(2, { code: "200" })
    requests.add(1, { code: 'a"b\\c\nd' })
    registry.gauge({ name: "depth", help: "Depth." }).set(-1.5)
    const times = registry.histogram({ name: "took_seconds", help: "Time." }, [0.5, 1])
    for (const value of [0.5, 0.7, 3]) times.observe(value)
    assert.equal(
      registry.text(),
      `# HELP requests_total All.\\nReally.
# TYPE requests_total counter
requests_total{code="200"} 2
requests_total{code="a\\"b\\\\c\\nd"} 1
# HELP depth Depth.
# TYPE depth gauge
depth -1.5
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.5"} 1
took_seconds_bucket{le="1"} 2
took_seconds_bucket{le="+Inf"} 3
took_seconds_sum 4.2
took_seconds_count 3
`
    )
  })

  it("of a label without bound stop growing", () => {
    const registry = makeRegistry()
    const counter = registry.counter({ name: "c", help: "C." })
    for (let i = 0; i < 2 * maxSeries; i += 1) counter.add(1, { i: String(i) })
    assert.equal(registry.text().split("\n").length, maxSeries + 3)
  })

  it("have buckets that grow by a factor or by a step", () => {
    assert.deepEqual(exponentialBuckets(1, 2, 4), [1, 2, 4, 8])
    assert.deepEqual(linearBuckets(60, 5, 3), [60, 65, 70])
  })

  it("that are looked up come one for each series, and families without any are left out", () => {
    const registry = makeRegistry()
    const series = [
      { labels: { state: "running" }, value: 2 },
      { labels: { state: "exited" }, value: 1 },
      { labels: { state: "running" }, value: 7 }
    ]
    registry.lookedUp({ name: "pods", help: "P." }, "gauge", () => series)
    registry.lookedUp({ name: "none", help: "N." }, "gauge", () => [])
    assert.equal(
      registry.text(),
      '# HELP pods P.\n# TYPE pods gauge\npods{state="running"} 2\npods{state="exited"} 1\n'
    )
  })

  it("of what is gone are forgotten", () => {
    const registry = makeRegistry()
    const counter = registry.counter({ name: "c", help: "C.", series: [] })
    const times = registry.histogram({ name: "h", help: "H.", series: [] }, [1])
    for (const pod of ["a", "b"]) {
      counter.add(1, { pod })
      times.observe(1, { pod })
    }
    for (const { forget } of [counter, times]) forget(({ pod }) => pod === "a")
    assert.deepEqual(
      [...registry.text().matchAll(/pod="(.)"/gu)].map(([, pod]) => pod),
      ["b", "b", "b", "b", "b"]
    )
  })

  it("are told as values too", () => {
    const registry = makeRegistry()
    registry.counter({ name: "c", help: "C." }).add(3)
    registry.histogram({ name: "h", help: "H." }, [1, 2]).observe(1.5)
    assert.deepEqual(registry.values(), [
      { name: "c", help: "C.", type: "counter", samples: [{ labels: {}, value: 3 }] },
      {
        name: "h",
        help: "H.",
        type: "histogram",
        bounds: [1, 2],
        samples: [{ labels: {}, counts: [0, 1, 0], sum: 1.5 }]
      }
    ])
  })
})
