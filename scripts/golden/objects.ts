/** Objects beside the pods: files of volumes that are missing, come, change and go; a pod that changes while it runs. */
import { Effect } from "effect"
import { life, pod, type Stories } from "./story.ts"

const secret = (password: string) =>
  `apiVersion: v1\nkind: Secret\nmetadata: { name: login }\nstringData: { password: ${password} }\n`
const configMap = (mode: string, more = "") =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { mode: ${mode} }\n${more}`

const mounts = "volumeMounts: [{ name: config, mountPath: /config }, { name: all, mountPath: /all }]"
const volumes =
  "volumes: [{ name: config, configMap: { name: settings, optional: true } }, { name: all, projected: { sources: [{ secret: { name: login } }, { downwardAPI: { items: [{ path: labels, fieldRef: { fieldPath: metadata.labels } }] } }] } }]"

export const objects: Stories = {
  "objects-come-change-and-go": [
    (world) =>
      Effect.gen(function* () {
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* world.manifests.write("web.yaml", pod("web", mounts, volumes))
            yield* agent.pass(10)
            yield* world.manifests.write("objects.yaml", `${secret("one")}---\n${configMap("fast")}`)
            yield* agent.pass(10)
            yield* world.manifests.write("objects.yaml", `${secret("two")}---\n${configMap("slow")}`)
            yield* agent.pass(10)
            yield* world.manifests.write("objects.yaml", configMap("slow", "colour: red\n"))
            yield* agent.pass(10)
          })
        )
        yield* world.manifests.write("objects.yaml", `${secret("three")}---\n${configMap("fast", "immutable: true\n")}`)
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* agent.pass(10)
            yield* world.manifests.write("objects.yaml", `${secret("3")}---\n${configMap("new", "immutable: true\n")}`)
            yield* agent.pass(10)
            yield* world.manifests.remove("web.yaml")
            yield* agent.pass(30)
          })
        )
      })
  ],
  "pod-updated-in-place": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const labelled = (tier: string) =>
            pod("web", mounts, volumes).replace(
              "{ name: web }",
              `{ name: web, uid: one-and-only, labels: { tier: ${tier} } }`
            )
          yield* world.manifests.write("objects.yaml", secret("one"))
          yield* world.manifests.write("web.yaml", labelled("front"))
          yield* agent.pass(10)
          yield* world.manifests.write("web.yaml", labelled("back"))
          yield* agent.pass(10)
        })
      )
  ]
}
