/** Incidents before a container can start: images that are not there, volumes that cannot be mounted. */
import { Effect } from "effect"
import { simulatedImage } from "../../test/support/simulated-node.ts"
import { life, pod, type Stories } from "./story.ts"

export const imagesAndVolumes: Stories = {
  "image-missing": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web").replace(simulatedImage, "registry.local/nowhere:1"))
          yield* agent.pass(40)
        })
      )
  ]
}
