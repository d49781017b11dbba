/** Incidents of containers that end: crash loops, init containers, kills. */
import { Clock, Context, Effect } from "effect"
import { ContainerRuntime } from "../../src/adapters/cri/port.ts"
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
  ],
  // Five short runs, eleven minutes of peace, and the back-off begins with ten seconds again.
  "crash-back-off-grows-and-resets": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(170)
          yield* agent.pass(700)
          yield* agent.pass(30)
        })
      ),
    {
      runtime: {
        program: ({ metadata: { attempt } }) => ({ exits: { after: attempt === 5 ? 660_000 : 1_000, code: 1 } })
      }
    }
  ],
  "out-of-memory": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web", "resources: { limits: { memory: 64Mi } }"))
          yield* agent.pass(20)
        })
      ),
    {
      runtime: {
        program: ({ metadata: { attempt } }) =>
          attempt < 2 ? { exits: { after: 2_000, code: 137, oomKilled: true } } : {}
      }
    }
  ],
  // The runtime says Error; the kernel's log says which process it killed, and whose limit was hit.
  "out-of-memory-by-the-kernel": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web", "resources: { limits: { memory: 64Mi } }"))
          yield* agent.pass(2)
          const [container] = yield* Effect.orDie(Context.get(world.outside, ContainerRuntime).listContainers({}))
          const cgroup = `/kubepods/burstable/pod/${container!.id}`
          const bytes = 64 * 1024 ** 2
          world.memory.kills = [
            {
              ...{ at: yield* Clock.currentTimeMillis, cgroup, limited: cgroup, pid: 42, process: "java" },
              ...{ rss: bytes - 4096, usage: bytes, limit: bytes, failures: 17 }
            }
          ]
          yield* agent.pass(20)
        })
      ),
    {
      runtime: { program: ({ metadata: { attempt } }) => (attempt < 1 ? { exits: { after: 5_000, code: 137 } } : {}) }
    }
  ],
  // Under Always an init container is tried again with back-off, until it succeeds and the others may start.
  "init-fails-then-succeeds": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const init = `initContainers: [{ name: prepare, image: "${simulatedImage}" }]`
          yield* world.manifests.write("web.yaml", pod("web", "", init))
          yield* agent.pass(50)
        })
      ),
    {
      runtime: {
        program: ({ metadata: { attempt, name } }) =>
          name === "prepare" ? { exits: { after: 500, code: attempt < 2 ? 3 : 0 } } : {}
      }
    }
  ],
  "start-fails": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(15)
          yield* world.runtime.setProgram(() => ({}))
          yield* agent.pass(25)
        })
      ),
    {
      runtime: {
        program: () => ({ startError: 'exec: "/nowhere": stat /nowhere: no such file or directory: unknown' })
      }
    }
  ],
  // One container ends on SIGTERM, the other has to be killed when the grace is over.
  "termination-with-grace-and-kill": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          const deaf = `${pod("web")}  - name: deaf\n    image: ${simulatedImage}\n`
          yield* world.manifests.write("web.yaml", deaf)
          yield* agent.pass(5)
          yield* world.manifests.remove("web.yaml")
          yield* agent.pass(15)
        })
      ),
    {
      runtime: {
        program: ({ metadata: { name } }) => ({ onTerm: name === "deaf" ? "ignore" : { after: 1_000, code: 0 } })
      }
    }
  ],
  "job-succeeds-and-fails": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("good.yaml", pod("good", "", "restartPolicy: Never"))
          yield* world.manifests.write("bad.yaml", pod("bad", "", "restartPolicy: Never"))
          yield* agent.pass(10)
        })
      ),
    {
      runtime: {
        program: (_, { metadata: { name } }) => ({ exits: { after: 2_000, code: name === "good" ? 0 : 4 } })
      }
    }
  ]
}
