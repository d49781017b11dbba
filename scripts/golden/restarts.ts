/** Incidents of containers that end: crash loops, init containers, kills. */
import { Effect } from "effect"
import { simulatedImage } from "../../test/support/simulated-node.ts"
import { life, pod, type Stories } from "./story.ts"

export const restarts: Stories = {
  "crash-loop-over-agent-restarts": [
    (world) =>
      Effect.gen(function* () {
        yield* world.manifests.write("web.yaml", pod("web"))
        yield* life(world, (agent) => agent.pass(35))
        yield* life(world, (agent) => agent.pass(60))
      }),
    { runtime: { program: () => ({ exits: { after: 1_000, code: 1 } }) } }
  ],
  "init-fails": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const init = `restartPolicy: Never\n  initContainers: [{ name: prepare, image: "${simulatedImage}" }]`
          yield* world.manifests.write("web.yaml", pod("web", "", init))
          yield* agent.pass(10)
        })
      ),
    { runtime: { program: (config) => (config.metadata.name === "prepare" ? { exits: { after: 500, code: 3 } } : {}) } }
  ]
}
