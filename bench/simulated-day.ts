/**
 * A day of a node, simulated: all actors as in the real agent, on the adapters in memory and a clock that jumps. The bar: a
 * day of 100,000 events in under 10 seconds.
 *
 *     bun bench/simulated-day.ts [--hours 24]
 *
 * Thirty pods: twenty crash again and again, as fast as the back-off of kubelet lets them, the others are asked by probes
 * every ten seconds, and some of them become unready now and then. The runtime is listed every second, and every event is
 * published.
 */
import "effect/schema/SchemaJITCompiler/enable"
import process from "node:process"
import { parseArgs } from "node:util"
import { Clock, Effect } from "effect"
import { deciders } from "../src/actors/deciders.ts"
import { Redecision } from "../src/actors/kernel/redecide.ts"
import { WhatIfRun } from "../src/actors/what-if/what-if.ts"
import { makeWorld, type SimulatedAgent, simulatedPod, startAgent } from "../test/support/simulated-node.ts"
import { makeVirtualClock } from "../test/support/virtual-clock.ts"
import { machine } from "./machine.ts"

const { values } = parseArgs({ options: { hours: { type: "string", default: "24" } } })
const hours = Number(values.hours)
const hour = 3_600_000
/** For a whole day. */
const [requiredEvents, requiredSeconds] = [100_000, 10]
const [crashing, flapping, calm] = [22, 5, 3]
const start = Date.parse("2026-01-01T00:00:00Z")
console.log(machine())

/** Turns of the event loop without a command or an event: nothing moves any more. */
const quietTurns = 3
const maxTurns = 200
const restOf = (system: SimulatedAgent["system"]) => async (): Promise<void> => {
  let after = system.counts()
  for (let quiet = 0, turns = 0; quiet < quietTurns && turns < maxTurns; turns++) {
    const before = after
    await new Promise<void>((resolve) => setImmediate(resolve))
    after = system.counts()
    quiet = before.commands === after.commands && before.events === after.events ? quiet + 1 : 0
  }
}

const virtual = makeVirtualClock(start)
const readiness = (port: number) =>
  `readinessProbe: { httpGet: { port: ${port} }, periodSeconds: 10, failureThreshold: 2 }`
/** Where those listen that become unready now and then. */
const flappingPort = 8081
const day = Effect.gen(function* () {
  const world = yield* makeWorld({
    runtime: {
      program: (_, { metadata: { name } }) => (name.startsWith("crash") ? { exits: { after: 700, code: 1 } } : {})
    }
  })
  const agent = yield* startAgent(world)
  const rest = restOf(agent.system)
  for (let n = 0; n < crashing; n++) yield* world.manifests.write(`crash-${n}.yaml`, simulatedPod(`crash-${n}`))
  for (let n = 0; n < flapping; n++)
    yield* world.manifests.write(`flap-${n}.yaml`, simulatedPod(`flap-${n}`, readiness(flappingPort)))
  for (let n = 0; n < calm; n++)
    yield* world.manifests.write(`calm-${n}.yaml`, simulatedPod(`calm-${n}`, readiness(8080)))
  // Answers change with the time of day: unready for a minute of every five.
  yield* world.probes.answer(
    (question) =>
      question.kind === "httpGet" &&
      question.port === flappingPort &&
      Math.floor(virtual.clock.currentTimeMillisUnsafe() / 60_000) % 5 === 4,
    { result: "failure", output: "HTTP probe failed with statuscode: 503" }
  )
  const before = process.cpuUsage()
  const begun = performance.now()
  yield* Effect.promise(() => virtual.runTo(start + hours * hour, rest))
  const seconds = (performance.now() - begun) / 1000
  const used = process.cpuUsage(before)
  const cpu = (used.user + used.system) / 1e6
  return { cpu, seconds, counts: agent.system.counts(), events: yield* world.events }
})
const { counts, cpu, events, seconds } = await Effect.runPromise(
  day.pipe(Effect.scoped, Effect.provideService(Clock.Clock, virtual.clock))
)
const redecision = new Redecision(deciders)
for (const event of events) redecision.apply(event)
redecision.end()
if (redecision.found > 0 || redecision.skipped > 0)
  throw redecision.differences[0] ?? new Error("not all was decided again")
console.log(
  `${hours} hours in ${seconds.toFixed(2)} s (${cpu.toFixed(2)} s of processor time): ${events.length} events, ${counts.commands} commands, ${virtual.stops()} stops of the clock`
)
console.log(
  `${Math.round(events.length / seconds)} events/s; ${redecision.decisions} decisions taken again, all the same`
)
// The same hours as a what-if run: every crashing pod parts from the log in its first minutes and is modelled from there.
const whatIf = new WhatIfRun(deciders, { pods: [], maxRestartPeriodSeconds: 240 })
const againBegun = performance.now()
for (const event of events) whatIf.apply(event)
const { pods } = whatIf.finish()
const modelled = pods.reduce((sum, { course }) => sum + course.common.length + course.instead.length, 0)
const againSeconds = (performance.now() - againBegun) / 1000
console.log(
  `what if the longest back-off were 240 s: ${modelled} events decided again or modelled in ${againSeconds.toFixed(2)} s (${Math.round(modelled / againSeconds)} events/s)`
)
const isWholeDay = hours === 24
const good = !isWholeDay || (events.length >= requiredEvents && seconds < requiredSeconds)
if (isWholeDay)
  console.log(
    good
      ? `good: ${events.length} events in ${seconds.toFixed(1)} s < ${requiredSeconds} s`
      : `MISSED: ${events.length} events (of ${requiredEvents}) in ${seconds.toFixed(1)} s (of ${requiredSeconds} s)`
  )
process.exit(good ? 0 : 1)
