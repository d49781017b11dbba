/** Incidents of the node: its runtime, its disk, its agent and its stream. */
import { Context, Effect } from "effect"
import { TestClock } from "effect/testing"
import { ContainerRuntime } from "../../src/adapters/cri/port.ts"
import { Volumes } from "../../src/adapters/volumes/port.ts"
import { sandboxConfig } from "../../test/adapters/cri/configs.ts"
import { http, life, pod, type Stories, unavailable } from "./story.ts"

export const node: Stories = {
  // A pod with a uid of its own grows, wants more than is left, gets it when another pod goes, is told to be another pod.
  "resized-in-place": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const sized = (cpu: string, memory: string, image = "") =>
            pod(
              "web",
              `resources: { requests: { cpu: ${cpu}, memory: ${memory} }, limits: { cpu: ${cpu}, memory: ${memory} } }
    resizePolicy: [{ resourceName: memory, restartPolicy: RestartContainer }]${image}`
            ).replace("name: web", "name: web, uid: 6f1c1c52-58a5-4c4c-9a4c-3f2a8c6d1e10")
          yield* world.manifests.write("web.yaml", sized("100m", "64Mi"))
          yield* world.manifests.write("other.yaml", pod("other", "resources: { requests: { cpu: 600m } }"))
          yield* agent.pass(5)
          yield* world.manifests.write("web.yaml", sized("300m", "64Mi"))
          yield* agent.pass(5)
          yield* world.manifests.write("web.yaml", sized("700m", "128Mi"))
          yield* agent.pass(10)
          yield* world.manifests.remove("other.yaml")
          yield* agent.pass(30)
          yield* world.manifests.write("web.yaml", sized("700m", "128Mi", "\n    workingDir: /tmp"))
          yield* agent.pass(5)
          yield* world.manifests.write("web.yaml", sized("2", "128Mi"))
          yield* agent.pass(5)
        })
      ),
    { offer: { allocatable: { cpu: "1", memory: "8589934592" }, maxPods: 110, labels: {} } }
  ],
  // Cgroups that cannot be written for a while, and one that somebody removes under a running pod.
  "cgroups-fail-and-vanish": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          world.cgroups.refuse = "ReadOnly"
          yield* world.manifests.write("web.yaml", pod("web", "resources: { requests: { cpu: 100m } }"))
          yield* agent.pass(70)
          world.cgroups.refuse = undefined
          yield* agent.pass(70)
          for (const path of [...world.cgroups.groups.keys()]) world.cgroups.groups.delete(path)
          yield* agent.pass(90)
        })
      )
  ],
  "runtime-lost": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(5)
          yield* world.runtime.setReachable(false)
          yield* agent.pass(15)
          yield* world.runtime.setReachable(true)
          yield* agent.pass(5)
          for (const { id } of yield* world.runtime.runtime.listPodSandboxes({})) yield* world.runtime.endSandbox(id)
          yield* agent.pass(15)
        })
      )
  ],
  "disk-full": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("old.yaml", pod("old"))
          yield* agent.pass(5)
          yield* world.journalControl.setSpace({ state: "low", freeBytes: 1024 })
          yield* agent.pass(1)
          yield* world.manifests.write("new.yaml", pod("new"))
          yield* agent.pass(25)
          yield* world.journalControl.setSpace({ state: "ok", freeBytes: 10 ** 9 })
          yield* agent.pass(5)
        })
      )
  ],
  "runtime-comes-back": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(5)
          const [container] = yield* world.runtime.runtime.listContainers({})
          yield* world.runtime.setReachable(false)
          yield* agent.pass(20)
          // It ended while nobody could see it.
          yield* world.runtime.exit(container!.id, 2)
          yield* agent.pass(20)
          yield* world.runtime.setReachable(true)
          yield* agent.pass(10)
          yield* world.runtime.setCondition({
            type: "NetworkReady",
            status: false,
            reason: "NetworkPluginNotReady",
            message: "cni plugin not initialized"
          })
          yield* agent.pass(45)
        })
      )
  ],
  // A sandbox of a pod that this node ran and removed, put back by somebody.
  "orphan-sandbox": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(5)
          const [sandbox] = yield* world.runtime.runtime.listPodSandboxes({})
          yield* world.manifests.remove("web.yaml")
          yield* agent.pass(10)
          const { metadata, labels } = sandbox!
          yield* world.runtime.runtime.runPodSandbox(sandboxConfig(metadata.name, "/var/log", { metadata, labels }), "")
          yield* agent.pass(10)
        })
      )
  ],
  // Decided and not done: the agent died before the runtime was asked.
  "agent-killed-before-the-effect": [
    (world) =>
      Effect.gen(function* () {
        const runtime = ContainerRuntime.of({ ...world.runtime.runtime, runPodSandbox: () => Effect.never })
        yield* world.manifests.write("web.yaml", pod("web"))
        yield* life({ ...world, outside: Context.add(world.outside, ContainerRuntime, runtime) }, (agent) =>
          agent.pass(2)
        )
        yield* life(world, (agent) => agent.pass(15))
      })
  ],
  // Done and not written down: the container runs, and the agent that started it died before it could say so.
  "agent-killed-after-the-effect": [
    (world) =>
      Effect.gen(function* () {
        const journal = {
          ...world.journal,
          append: (drafts: Parameters<typeof world.journal.append>[0]) =>
            drafts.some(({ event }) => event._tag === "ContainerCreated") ? Effect.never : world.journal.append(drafts)
        }
        yield* world.manifests.write("web.yaml", pod("web"))
        yield* life({ ...world, journal }, (agent) => agent.pass(3))
        yield* life(world, (agent) => agent.pass(15))
      })
  ],
  // A defect in the code behind a volume: its actor dies, is rebuilt, dies again, and takes its pod's actor with it.
  "actor-fails-and-escalates": [
    (world) =>
      Effect.gen(function* () {
        const volumes = Context.get(world.outside, Volumes)
        let deaths = 7
        const dying = Volumes.of({
          ...volumes,
          mount: (request) =>
            Effect.suspend(() => {
              deaths -= 1
              return deaths < 0 ? volumes.mount(request) : Effect.die(new TypeError("undefined is not a function"))
            })
        })
        yield* life({ ...world, outside: Context.add(world.outside, Volumes, dying) }, (agent) =>
          Effect.gen(function* () {
            const mounts = "volumeMounts: [{ name: data, mountPath: /data }]"
            yield* world.manifests.write("web.yaml", pod("web", mounts, "volumes: [{ name: data, emptyDir: {} }]"))
            yield* agent.pass(30)
          })
        )
      })
  ],
  // What is left begins in the middle: with the checkpoints of those who live.
  "journal-pruned": [
    (world) =>
      Effect.gen(function* () {
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* world.manifests.write("web.yaml", pod("web", `livenessProbe: { ${http}, periodSeconds: 10 }`))
            yield* world.manifests.write("short.yaml", pod("short"))
            yield* agent.pass(5)
            yield* world.manifests.remove("short.yaml")
            yield* TestClock.adjust("1 hour")
            yield* agent.pass(700)
            yield* world.probes.answer(() => true, unavailable)
            yield* agent.pass(60)
          })
        )
        yield* life(world, (agent) => agent.pass(10))
      }),
    { retention: { maxAge: 3_600_000, maxBytes: 0 } }
  ],
  "stream-down": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* agent.pass(2)
          yield* Effect.sync(() => world.stream.goAway())
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(30)
          yield* Effect.sync(() => world.stream.comeBack())
          yield* agent.pass(30)
          yield* Effect.sync(() => world.stream.goAway("AuthorizationViolation"))
          yield* agent.pass(30)
        })
      )
  ]
}
