/** Incidents that people make: manifests that are wrong, change or go. */
import { Effect } from "effect"
import { life, pod, type Stories } from "./story.ts"

export const manifests: Stories = {
  "replaced-and-removed": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const volume = "volumes: [{ name: d, emptyDir: {} }]"
          yield* world.manifests.write("web.yaml", pod("web", "volumeMounts: [{ name: d, mountPath: /d }]", volume))
          yield* agent.pass(5)
          yield* world.manifests.write("web.yaml", pod("web", "args: [two]"))
          yield* agent.pass(15)
          yield* world.manifests.remove("web.yaml")
          yield* agent.pass(15)
        })
      )
  ],
  "bad-manifests": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write(
            "a.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: 7, image: x }] }\n"
          )
          yield* world.manifests.write("b.yaml", "kind: Pod\n  bad indent: [\n")
          yield* world.manifests.write("good.yaml", pod("good", "unknownField: 1"))
          yield* agent.pass(5)
          yield* world.manifests.write("a.yaml", pod("a"))
          yield* agent.pass(5)
        })
      )
  ]
}
