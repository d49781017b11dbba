/** A node that is drained, that shuts down, and whose runtime hangs. */
import { Clock, Effect } from "effect"
import { actorId } from "../../src/events/actor-id.ts"
import type { SimulatedAgent, World } from "../../test/support/simulated-node.ts"
import { life, pod, type Stories } from "./story.ts"

const critical = "priorityClassName: system-node-critical"
const ask = (world: World, agent: SimulatedAgent, command: Record<string, unknown>) =>
  Effect.flatMap(Clock.currentTimeMillis, (at) =>
    agent.system.tell(actorId("node", "", world.node), { ...command, at, by: "root" } as never)
  )

export const nodeLife: Stories = {
  // The agent is killed in between; what came while the node was cordoned waits, and runs when it is not any more.
  "node-drained-and-uncordoned": [
    (world) =>
      Effect.gen(function* () {
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* world.manifests.write("web.yaml", pod("web"))
            yield* world.manifests.write("vital.yaml", pod("vital", "", critical))
            yield* agent.pass(12)
            yield* ask(world, agent, { _tag: "CordonNode" })
            yield* world.manifests.write("late.yaml", pod("late"))
            yield* agent.pass(5)
            yield* ask(world, agent, { _tag: "DrainNode", pods: 1, timeoutSeconds: 60 })
            yield* agent.pass(1)
          })
        )
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* agent.pass(20)
            yield* ask(world, agent, { _tag: "UncordonNode" })
            yield* agent.pass(10)
          })
        )
      })
  ],
  // The first shutdown is cancelled, the second goes through to the next boot.
  "node-shuts-down": [
    (world) =>
      Effect.gen(function* () {
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* world.manifests.write("web.yaml", pod("web"))
            yield* world.manifests.write("vital.yaml", pod("vital", "", critical))
            yield* agent.pass(12)
            yield* world.logind.prepare(true)
            yield* agent.pass(3)
            yield* world.logind.prepare(false)
            yield* agent.pass(20)
            yield* world.logind.prepare(true)
            yield* world.manifests.write("late.yaml", pod("late"))
            yield* agent.pass(40)
          })
        )
        yield* world.logind.prepare(false)
        yield* life(world, (agent) => agent.pass(20), { bootId: "00000000-0000-0000-0000-000000000001" })
      }),
    {
      shutdown: [
        { priority: 0, shutdownGracePeriodSeconds: 20 },
        { priority: 2_000_000_000, shutdownGracePeriodSeconds: 10 }
      ]
    }
  ],
  // Listing containers hangs for four minutes.
  "runtime-hangs": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(12)
          world.faults.inject("listContainers", { kind: "hang" }, 1000)
          yield* agent.pass(240)
          world.faults.clear()
          yield* agent.pass(30)
        })
      )
  ],
  // A runtime that answers and cannot end what it runs: each step is tried again after pauses that grow (flag 13).
  "ends-only-after-many-attempts": [
    (world) =>
      life(world, (agent) =>
        Effect.gen(function* () {
          yield* world.manifests.write("web.yaml", pod("web"))
          yield* agent.pass(5)
          world.faults.inject("stopContainer", { kind: "error", reason: "Failed", message: "ttrpc: closed" }, 6)
          world.faults.inject("stopPodSandbox", { kind: "error", reason: "Failed", message: "busy" }, 4)
          yield* world.manifests.remove("web.yaml")
          yield* agent.pass(90)
        })
      )
  ]
}
