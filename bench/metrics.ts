/**
 * The texts of /metrics, /metrics/cadvisor, /metrics/resource and /metrics/probes of a node with 110 pods × 2 containers, to the
 * bytes that are sent, against the bare joining and encoding of the same lines. The pass over the cgroups is a benchmark of its
 * own (cgroups-pass). Limit: 50 ms each. What one event and one call of the runtime cost to be counted is printed too.
 *
 *   bun bench/metrics.ts
 */
import process from "node:process"
import { cadvisorText } from "../src/adapters/metrics/cadvisor.ts"
import { makeNodeMetrics } from "../src/adapters/metrics/node-metrics.ts"
import { resourceText } from "../src/adapters/metrics/resource.ts"
import { actorId } from "../src/events/actor-id.ts"
import type { RecordedEvent } from "../src/events/envelope.ts"
import { machine as node, usageOf } from "../test/support/node-usage.ts"
import { machine } from "./machine.ts"

const pods = 110
const containers = 2
const rounds = 40
/** Rounds before those that count: the code is compiled while it runs. */
const warmUp = 10
const allowedMillis = 50
const counted = 100_000

const at = Date.now()
const usage = usageOf(pods, containers, at)
const metrics = makeNodeMetrics({ nodeName: "node1", build: {}, kubernetes: {}, typeOf: () => "container" })
for (let pod = 0; pod < pods; pod++)
  for (let container = 0; container < containers; container++)
    for (const probe of ["liveness", "readiness"] as const)
      for (const result of ["success", "failure"] as const) {
        const of = { namespace: "default", pod: `web-${pod}`, podUid: `u${pod}`, container: `c${container}`, probe }
        metrics.meter.probed({ ...of, result, milliseconds: 3 })
      }
const specOf = () => ({ shares: 102, period: 100_000, quota: 20_000 })
const texts: Readonly<Record<string, () => string>> = {
  "/metrics": () => metrics.text(usage),
  "/metrics/cadvisor": () => cadvisorText(usage, { machine: node, deviceName: (device) => device, specOf }),
  "/metrics/resource": () => resourceText(usage),
  "/metrics/probes": metrics.probesText
}

const timesOf = (run: () => void): ReadonlyArray<number> => {
  const times: Array<number> = []
  for (let i = 0; i < warmUp + rounds; i++) {
    const began = performance.now()
    run()
    if (i >= warmUp) times.push(performance.now() - began)
  }
  return times.toSorted((a, b) => a - b)
}
const p = (times: ReadonlyArray<number>, share: number): number =>
  times[Math.min(times.length - 1, Math.floor(times.length * share))]!
const millis = (value: number): string => `${value.toFixed(1)} ms`

console.log(machine())
let isGood = true
for (const [path, text] of Object.entries(texts)) {
  const times = timesOf(() => Buffer.from(text()))
  const lines = text().split("\n")
  const bare = timesOf(() => Buffer.from(lines.join("\n")))
  const good = p(times, 0.5) <= allowedMillis
  isGood &&= good
  const size = `${lines.length} lines, ${Math.round(Buffer.byteLength(text()) / 1024)} KiB`
  console.log(
    `${path.padEnd(18)} p50 ${millis(p(times, 0.5))}, p95 ${millis(p(times, 0.95))} (${size}; lines joined bare ${millis(p(bare, 0.5))}) ${good ? "good" : `above ${allowedMillis} ms`}`
  )
}

const event = {
  actor: actorId("pod", "default", "web"),
  time: new Date(at).toISOString(),
  recordedTime: new Date(at).toISOString(),
  sequence: 1,
  event: { _tag: "ContainerReadinessChanged", container: "app", ready: true }
} as unknown as RecordedEvent<never>
const microseconds = (run: () => void): string => {
  const began = performance.now()
  for (let i = 0; i < counted; i++) run()
  return `${(((performance.now() - began) * 1000) / counted).toFixed(2)} µs`
}
console.log(`to count one event: ${microseconds(() => metrics.onCommit([event]))}`)
console.log(`to count one reaction of an actor: ${microseconds(() => metrics.onReacted("pod", "PodAdmitted", 1))}`)
process.exit(isGood ? 0 : 1)
