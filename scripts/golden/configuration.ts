/** A node whose configuration is told, changed while it runs, refused, and another at the next start. */
import { Clock, Effect } from "effect"
import { actorId } from "../../src/events/actor-id.ts"
import type { SimulatedAgent, World } from "../../test/support/simulated-node.ts"
import { life, type Stories } from "./story.ts"

const tell = (world: World, agent: SimulatedAgent, command: Record<string, unknown>) =>
  Effect.flatMap(Clock.currentTimeMillis, (at) =>
    agent.system.tell(actorId("node", "", world.node), { ...command, at } as never)
  )
const file = "/etc/chronode/config.yaml"
const read = (reason: "Started" | "Reloaded", configuration: object, needsRestart: ReadonlyArray<string> = []) => ({
  ...{ _tag: "ConfigurationRead", reason, file, configuration, logLevel: "info", needsRestart },
  ...{ notHonoured: ["reservedSystemCPUs"], beside: ["evictionHard.memory.available", "reservedSystemCPUs"] }
})
const first = { maxPods: 110, evictionHard: { "memory.available": "200Mi" }, reservedSystemCPUs: "0" }
const second = { ...first, evictionHard: { "memory.available": "300Mi" } }

export const configuration: Stories = {
  "configuration-read-again": [
    (world) =>
      Effect.gen(function* () {
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* tell(world, agent, read("Started", first))
            yield* agent.pass(5)
            yield* tell(world, agent, read("Reloaded", second, ["maxPods"]))
            yield* agent.pass(5)
            const problems = [{ line: 3, column: 21, field: "maxPods", message: "must be a whole number" }]
            yield* tell(world, agent, { _tag: "ConfigurationRefused", file, problems, count: 1 })
            yield* agent.pass(5)
            yield* tell(world, agent, read("Reloaded", second, ["maxPods"]))
            yield* agent.pass(1)
          })
        )
        yield* life(world, (agent) =>
          Effect.gen(function* () {
            yield* tell(world, agent, read("Started", { ...second, maxPods: 50 }))
            yield* agent.pass(1)
          })
        )
      })
  ]
}
