/** Incidents that probes make. */
import { Effect } from "effect"
import { http, life, pod, type Stories } from "./story.ts"

export const probes: Stories = {
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
  ]
}
