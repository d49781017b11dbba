/** Incidents of the node: its runtime, its disk, its agent and its stream. */
import { Effect } from "effect"
import { life, pod, type Stories } from "./story.ts"

export const node: Stories = {
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
  ]
}
