/** Incidents that probes make. */
import { Effect } from "effect"
import { noFlags } from "../../src/actors/kernel/flags.ts"
import type { SimulatedAgent } from "../../test/support/simulated-node.ts"
import { http, life, pod, type Stories, unavailable } from "./story.ts"

export const probes: Stories = {
  // Asked by gRPC. Its stop takes a while, in which its readiness goes on being asked and fails before it ends.
  "ready-while-stopping": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const readiness =
            "readinessProbe: { grpc: { port: 9000, service: users }, periodSeconds: 1, failureThreshold: 2 }"
          yield* world.manifests.write("web.yaml", pod("web", readiness))
          yield* agent.pass(5)
          yield* world.manifests.remove("web.yaml")
          yield* agent.pass(1)
          yield* world.probes.answer(() => true, {
            result: "failure",
            output: "timeout: health rpc did not complete within 1s"
          })
          yield* agent.pass(10)
        })
      ),
    { runtime: { program: () => ({ onTerm: { after: 4000, code: 0 } }) } }
  ],
  "liveness-kill": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web", `livenessProbe: { ${http}, periodSeconds: 2 }`))
          yield* agent.pass(6)
          yield* world.probes.answer(() => true, {
            result: "failure",
            output: "HTTP probe failed with statuscode: 503"
          })
          yield* agent.pass(20)
        })
      )
  ],
  "readiness-and-startup": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const probes = `readinessProbe: { ${http}, periodSeconds: 1 }\n    startupProbe: { ${http}, periodSeconds: 1, failureThreshold: 30 }`
          yield* world.probes.answer(() => true, { result: "failure", output: "connection refused" })
          yield* world.manifests.write("web.yaml", pod("web", probes))
          yield* agent.pass(8)
          yield* world.probes.answer(() => true, { result: "success" })
          yield* agent.pass(5)
          yield* world.probes.answer(() => true, {
            result: "failure",
            output: "HTTP probe failed with statuscode: 500"
          })
          yield* agent.pass(8)
        })
      )
  ],
  "startup-probe-fails": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.probes.answer(() => true, { result: "failure", output: "connection refused" })
          const startup = `startupProbe: { ${http}, periodSeconds: 2, failureThreshold: 3 }`
          yield* world.manifests.write("web.yaml", pod("web", startup))
          yield* agent.pass(9)
          yield* world.probes.answer(() => true, { result: "success" })
          yield* agent.pass(6)
        })
      )
  ],
  "readiness-flaps": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const readiness = `readinessProbe: { ${http}, periodSeconds: 1, failureThreshold: 2, successThreshold: 2 }`
          yield* world.manifests.write("web.yaml", pod("web", readiness))
          yield* agent.pass(5)
          for (let round = 0; round < 3; round++) {
            yield* world.probes.answer(() => true, unavailable)
            yield* agent.pass(4)
            yield* world.probes.answer(() => true, { result: "success" })
            yield* agent.pass(4)
          }
        })
      )
  ],
  "liveness-times-out": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const liveness = `livenessProbe: { ${http}, periodSeconds: 3, timeoutSeconds: 1, failureThreshold: 2 }`
          yield* world.manifests.write("web.yaml", pod("web", liveness))
          yield* agent.pass(5)
          yield* world.probes.answer(() => true, { result: "success", afterMillis: 1_500 })
          yield* agent.pass(8)
          yield* world.probes.answer(() => true, { result: "success" })
          yield* agent.pass(6)
        })
      )
  ],
  // Exits with 0 when it is told to stop: not the end under OnFailure, since flag 1.
  "liveness-kill-obeyed": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const liveness = `livenessProbe: { ${http}, periodSeconds: 2 }`
          yield* world.manifests.write("web.yaml", pod("web", liveness, "restartPolicy: OnFailure"))
          yield* agent.pass(5)
          yield* world.probes.answer(() => true, unavailable)
          yield* agent.pass(8)
          yield* world.probes.answer(() => true, { result: "success" })
          yield* agent.pass(8)
        })
      ),
    { runtime: { program: () => ({ onTerm: { after: 300, code: 0 } }) } }
  ],
  // The same kill twice: by a program without decision flags, and after its upgrade to one that has them.
  "agent-upgraded": [
    (world) =>
      Effect.gen(function* () {
        const liveness = `livenessProbe: { ${http}, periodSeconds: 2 }`
        const kill = (agent: SimulatedAgent, name: string) =>
          Effect.gen(function* () {
            yield* world.manifests.write(`${name}.yaml`, pod(name, liveness, "restartPolicy: OnFailure"))
            yield* agent.pass(5)
            yield* world.probes.answer(() => true, unavailable)
            yield* agent.pass(8)
            yield* world.probes.answer(() => true, { result: "success" })
            yield* agent.pass(8)
          })
        yield* life(world, (agent) => kill(agent, "before"), { flags: noFlags })
        yield* life(world, (agent) => kill(agent, "after"))
      }),
    { runtime: { program: () => ({ onTerm: { after: 300, code: 0 } }) } }
  ]
}
