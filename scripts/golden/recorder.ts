/** Incidents recorded with all inputs (`recording: inputs`), for exact what-if runs. */
import { Effect } from "effect"
import { http, life, pod, type Stories } from "./story.ts"

export const recorder: Stories = {
  "flight-recorder": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web", `livenessProbe: { ${http}, periodSeconds: 2 }`))
          yield* agent.pass(12)
        })
      ),
    { recording: "inputs" }
  ],
  // The server answers 503 for nine seconds: four times a row of failures would have been over by itself.
  "liveness-kill-inputs": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web", `livenessProbe: { ${http}, periodSeconds: 2 }`))
          yield* agent.pass(6)
          yield* world.probes.answer(() => true, {
            result: "failure",
            output: "HTTP probe failed with statuscode: 503"
          })
          yield* agent.pass(9)
          yield* world.probes.answer(() => true, { result: "success" })
          yield* agent.pass(20)
        })
      ),
    { recording: "inputs" }
  ],
  // Six runs of one second, then it stays up: with the usual back-off after 315 seconds.
  "crash-loop-inputs": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(340)
        })
      ),
    {
      recording: "inputs",
      runtime: { program: ({ metadata }) => (metadata.attempt < 6 ? { exits: { after: 1_000, code: 1 } } : {}) }
    }
  ]
}
