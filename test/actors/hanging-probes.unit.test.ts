/** Probes that hang hold up nobody but themselves, and what probes said is kept when the agent dies. Virtual time. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Clock, Effect } from "effect"
import type { PodState } from "../../src/actors/pod/state.ts"
import type { Question } from "../../src/adapters/probing/port.ts"
import { makeWorld, type SimulatedAgent, simulate, simulatedPod, startAgent } from "../support/simulated-node.ts"

const handlers = {
  httpGet: "httpGet: { port: 80, host: 10.9.9.9 }",
  tcpSocket: "tcpSocket: { port: 80, host: 10.9.9.9 }",
  grpc: "grpc: { port: 80, service: hangs }",
  exec: "exec: { command: [hangs] }"
} as const
const hangs = (question: Question): boolean =>
  question.kind === "exec"
    ? question.command[0] === "hangs"
    : question.kind === "grpc"
      ? question.service === "hangs"
      : question.host === "10.9.9.9"
const isHealthy = (question: Question): boolean => question.kind === "exec" && question.command[0] === "healthy"

describe("a healthy probe", () => {
  for (const [kind, handler] of Object.entries(handlers)) {
    it(`keeps its rhythm beside twenty ${kind} probes that hang`, { timeout: 60_000 }, () =>
      simulate(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const agent = yield* startAgent(world)
          const begun = yield* Clock.currentTimeMillis
          yield* world.probes.answer(hangs, { result: "success", afterMillis: 3_600_000 })
          const timing = "timeoutSeconds: 30, periodSeconds: 30, failureThreshold: 100"
          for (let i = 0; i < 20; i++)
            yield* world.manifests.write(
              `hang-${i}.yaml`,
              simulatedPod(`hang-${i}`, `readinessProbe: { ${handler}, ${timing} }`)
            )
          const healthy = "readinessProbe: { exec: { command: [healthy] }, periodSeconds: 1, failureThreshold: 1 }"
          yield* world.manifests.write("healthy.yaml", simulatedPod("healthy", healthy))
          yield* agent.pass(40)
          const asked = yield* world.probes.asked
          assert.ok(asked.filter(hangs).length >= 20, "they hang")
          const times = asked.filter(isHealthy).length
          const seconds = Math.floor(((yield* Clock.currentTimeMillis) - begun) / 1000)
          assert.ok(times >= seconds - 2 && times <= seconds + 1, `${times} times in ${seconds} s`)
          assert.equal(agent.status("default/healthy"), "Running")
          const changes = (yield* world.events).filter(
            ({ event }) => event._tag === "ContainerReadinessChanged" && event.ready
          )
          assert.deepEqual(
            changes.map(({ actor }) => actor.name),
            ["healthy"],
            "the others were never ready"
          )
        })
      )
    )
  }
})

const isReady = (agent: SimulatedAgent): boolean | undefined =>
  agent.system.actors("pod").map(({ state }) => (state as PodState).containers[0]?.ready)[0]

describe("what probes said", () => {
  it(
    "is kept when the agent is killed: a ready pod stays ready, also while nobody answers yet",
    { timeout: 60_000 },
    () =>
      simulate(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const probes = `readinessProbe: { exec: { command: [healthy] }, periodSeconds: 2, initialDelaySeconds: 3 }
    startupProbe: { exec: { command: [healthy] }, periodSeconds: 1 }
    livenessProbe: { exec: { command: [healthy] }, periodSeconds: 2 }`
          yield* Effect.scoped(
            Effect.gen(function* () {
              const agent = yield* startAgent(world)
              yield* world.manifests.write("web.yaml", simulatedPod("web", probes))
              yield* agent.pass(10)
              assert.equal(isReady(agent), true)
            })
          )
          const before = (yield* world.events).length
          yield* world.probes.answer(isHealthy, { result: "error", output: "the runtime does not answer" })
          const agent = yield* startAgent(world)
          yield* agent.pass(20)
          const after = (yield* world.events).slice(before)
          const changed = ["ContainerReadinessChanged", "ContainerProbeReported", "PodConditionChanged", "ProbeStarted"]
          assert.deepEqual(
            after.filter(({ event }) => changed.includes(event._tag)).map(({ event }) => event._tag),
            []
          )
          assert.equal(isReady(agent), true)
          // What is said from then on counts as before: three failures in a row, and no sooner.
          yield* world.probes.answer(isHealthy, { result: "failure" })
          yield* agent.pass(3)
          assert.equal(isReady(agent), true)
          yield* agent.pass(4)
          const told = (yield* world.events)
            .slice(before)
            .filter(({ event }) => event._tag === "ContainerReadinessChanged")
          assert.equal(told.length, 1)
          assert.equal(isReady(agent), false)
        })
      )
  )
})
