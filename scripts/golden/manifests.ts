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
  ],
  // Mended, ignored fields, an unreadable directory, and two files that claim the same pod.
  "manifests-of-many-hands": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write(
            "web.yaml",
            pod("web", "stdinOnce: true\n    resizePolicy: []", "hostUsers: true")
          )
          yield* agent.pass(5)
          yield* world.manifests.write("web-again.yaml", pod("web", "args: [other]"))
          yield* agent.pass(5)
          yield* world.manifests.setUnreadable("EACCES: permission denied, scandir '/manifests'")
          yield* agent.pass(25)
          yield* world.manifests.setUnreadable(undefined)
          yield* world.manifests.remove("web.yaml")
          yield* agent.pass(20)
        })
      )
  ],
  "request-above-limit": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const above = "resources: { requests: { memory: 2Gi }, limits: { memory: 1Gi } }"
          yield* world.manifests.write("web.yaml", pod("web", above))
          yield* agent.pass(5)
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(5)
        })
      )
  ]
}
