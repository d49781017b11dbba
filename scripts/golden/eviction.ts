/** Incidents of a node that runs short of memory or disk. */
import { Effect } from "effect"
import { life, pod, type Stories } from "./story.ts"

const mebi = 1024 ** 2
const offer = { allocatable: { cpu: "4", memory: "1Gi" }, maxPods: 110, labels: {} }

const settings = {
  evictionHard: { "memory.available": "100Mi", "nodefs.available": "10%" },
  evictionSoft: { "memory.available": "300Mi" },
  evictionSoftGracePeriod: { "memory.available": "1m30s" },
  evictionMinimumReclaim: { "memory.available": "50Mi" },
  enforceNodeAllocatable: [],
  evictionPressureTransitionPeriodSeconds: 30,
  evictionMaxPodGracePeriodSeconds: 10,
  localStorageCapacityIsolation: true
}

const requests = (memory: string) => `resources: { requests: { memory: ${memory} } }`

export const eviction: Stories = {
  // The greedy one goes by the hard threshold; the patient one by the soft one, when it was met for 90 s.
  "memory-runs-short": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("greedy.yaml", pod("greedy", requests("100Mi")))
          yield* world.manifests.write("modest.yaml", pod("modest", requests("200Mi")))
          yield* world.manifests.write("patient.yaml", pod("patient"))
          yield* world.manifests.write("vital.yaml", pod("vital", "", "priorityClassName: system-node-critical"))
          yield* agent.pass(12)
          const { pods } = world.resources!
          pods.set("greedy", { memory: 700 * mebi }).set("modest", { memory: 150 * mebi })
          pods.set("patient", { memory: 50 * mebi }).set("vital", { memory: 40 * mebi })
          yield* agent.pass(20)
          yield* world.manifests.write("late.yaml", pod("late"))
          yield* agent.pass(50)
          pods.set("patient", { memory: 600 * mebi })
          yield* agent.pass(180)
        })
      ),
    { recording: "inputs", offer, eviction: settings }
  ],
  // Images are given back first; then a pod writes on, and goes with all that it wrote. Another is beyond its own limit.
  "disk-runs-full": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("writer.yaml", pod("writer"))
          yield* world.manifests.write("reader.yaml", pod("reader"))
          yield* world.manifests.write(
            "limited.yaml",
            pod("limited", "resources: { limits: { ephemeral-storage: 1Gi } }")
          )
          yield* agent.pass(12)
          const world1 = world.resources!
          world1.disk = 9300 * mebi
          world1.reclaimable = 4000 * mebi
          yield* agent.pass(30)
          world1.pods.set("limited", { disk: 2000 * mebi })
          yield* agent.pass(30)
          world1.pods.set("writer", { disk: 4500 * mebi })
          yield* agent.pass(60)
        })
      ),
    { offer, eviction: settings }
  ],
  // The agent is killed between the decision and the pod's end.
  "evicting-over-an-agent-restart": [
    (world) =>
      Effect.gen(function* () {
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            for (const name of ["one", "two"]) yield* world.manifests.write(`${name}.yaml`, pod(name))
            yield* agent.pass(12)
            world.resources!.pods.set("one", { memory: 600 * mebi }).set("two", { memory: 350 * mebi })
            world.resources!.cgroups.notify("/", "threshold")
            yield* agent.pass(0.05)
          })
        )
        yield* life(world, (agent) => agent.pass(60))
      }),
    { offer, eviction: settings }
  ]
}
