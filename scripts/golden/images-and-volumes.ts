/** Incidents before a container can start: images that are not there, volumes that cannot be mounted. */
import { Effect, Redacted } from "effect"
import type { GivenCredential } from "../../src/adapters/credentials/memory.ts"
import { simulatedImage, simulatedPod } from "../../test/support/simulated-node.ts"
import { life, pod, type Stories } from "./story.ts"

const secretOfRegistry: ReadonlyArray<GivenCredential> = [
  {
    registry: "registry.local",
    credential: {
      source: { kind: "secret", namespace: "default", name: "regcred", hash: "0123456789abcdef0123456789abcdef" },
      username: "robot",
      password: Redacted.make("of the story")
    }
  }
]

export const imagesAndVolumes: Stories = {
  "image-missing": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web").replace(simulatedImage, "registry.local/nowhere:1"))
          yield* agent.pass(40)
        })
      )
  ],
  "image-comes-late": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const failure = { reason: "Failed", message: "dial tcp 192.0.2.1:443: i/o timeout" } as const
          yield* world.runtime.failPulls("registry.local/late:1", failure, 2)
          yield* world.manifests.write("web.yaml", pod("web").replace(simulatedImage, "registry.local/late:1"))
          yield* agent.pass(40)
        })
      ),
    { runtime: { registry: ["registry.local/late:1"] } }
  ],
  "image-never-pulled": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const never = pod("web", "imagePullPolicy: Never").replace(simulatedImage, "registry.local/absent:1")
          yield* world.manifests.write("web.yaml", never)
          yield* agent.pass(15)
          yield* world.runtime.addImage("registry.local/absent:1")
          yield* agent.pass(15)
        })
      )
  ],
  "image-name-invalid": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web").replace(simulatedImage, "registry.local/UPPER:1"))
          yield* agent.pass(15)
        })
      )
  ],
  // A hostPath that is not there until somebody makes it, and an emptyDir on a sick disk.
  "volumes-fail": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const mounts = "volumeMounts: [{ name: data, mountPath: /data }, { name: tmp, mountPath: /tmp }]"
          const volumes =
            "volumes: [{ name: data, hostPath: { path: /srv/data, type: Directory } }, { name: tmp, emptyDir: {} }]"
          yield* world.volumes.fail("mount", (_, volume) => volume === "tmp", "EIO: i/o error, mkdir")
          yield* world.manifests.write("web.yaml", pod("web", mounts, volumes))
          yield* agent.pass(5)
          yield* world.volumes.put("/srv/data", "directory")
          yield* agent.pass(5)
          yield* world.volumes.fail("mount", () => true, undefined)
          yield* agent.pass(15)
          yield* world.volumes.fail("unmount", (_, volume) => volume === "tmp", "EBUSY: resource busy, rmdir")
          yield* world.manifests.remove("web.yaml")
          yield* agent.pass(10)
          yield* world.volumes.fail("unmount", () => true, undefined)
          yield* agent.pass(15)
        })
      )
  ],
  // Variables of objects that come late, and a sub path in a directory that is not there.
  "references-come-late": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const app = `env:
    - { name: SECRET, value: s3cret }
    - { name: COLOUR, valueFrom: { configMapKeyRef: { name: look, key: colour } } }
    - { name: TOKEN, valueFrom: { secretKeyRef: { name: keys, key: token } } }
    volumeMounts: [{ name: data, mountPath: /own, subPath: logs }]`
          yield* world.manifests.write(
            "web.yaml",
            simulatedPod("web", app, "volumes: [{ name: data, hostPath: { path: /srv/data } }]")
          )
          yield* agent.pass(25)
          const object = (kind: string, name: string, values: string) =>
            world.manifests.write(
              `${name}.yaml`,
              `{ apiVersion: v1, kind: ${kind}, metadata: { name: ${name} }, ${values} }`
            )
          yield* object("ConfigMap", "look", "data: { colour: s3cret-red }")
          yield* object("Secret", "keys", "stringData: { token: s3cret-two }")
          yield* agent.pass(15)
          yield* world.volumes.put("/srv/data", "directory")
          yield* agent.pass(15)
        })
      )
  ],
  // One pod has a Secret for the registry, another has none; a third mounts the image. The agent dies in the middle of a pull.
  "image-of-a-secret": [
    (world) =>
      Effect.gen(function* () {
        const image = "registry.local/private:1"
        const of = (name: string, more = "") => pod(name, "", more).replace(simulatedImage, image)
        const failure = { reason: "Failed", message: "401 Unauthorized" } as const
        yield* world.runtime.failPulls(image, failure, 2)
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* world.manifests.write("owner.yaml", of("owner", "imagePullSecrets: [{ name: regcred }]"))
            yield* agent.pass(12)
          })
        )
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* agent.pass(40)
            yield* world.manifests.write("stranger.yaml", of("stranger"))
            yield* agent.pass(5)
            yield* world.manifests.write(
              "mounts.yaml",
              pod(
                "mounts",
                "volumeMounts: [{ name: tools, mountPath: /tools }]",
                `volumes: [{ name: tools, image: { reference: "${image}" } }]`
              )
            )
            yield* agent.pass(5)
            yield* world.manifests.remove("owner.yaml")
            yield* agent.pass(35)
          })
        )
      }),
    { runtime: { registry: ["registry.local/private:1"] }, credentials: secretOfRegistry }
  ]
}
