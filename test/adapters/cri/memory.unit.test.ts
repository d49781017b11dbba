import { Effect, Exit, Scope } from "effect"
import { MemoryRuntime, type MemoryRuntimeOptions } from "../../../src/adapters/cri/memory.ts"
import { program, testImage } from "./configs.ts"
import { runtimeContract } from "./runtime-contract.ts"

const start = (options: MemoryRuntimeOptions) => async () => {
  const scope = Scope.makeUnsafe()
  const memory = await Effect.runPromise(
    MemoryRuntime.make({ program, images: [testImage], ...options }).pipe(Scope.provide(scope))
  )
  return {
    runtime: memory.runtime,
    root: "/nowhere",
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

runtimeContract(
  "the in-memory runtime, as containerd 1.6",
  { events: false, cgroupDriver: false, handlers: false, real: false },
  start({ events: false, sandboxImage: "pause:1" })
)
runtimeContract(
  "the in-memory runtime, as containerd 2",
  { events: true, cgroupDriver: true, handlers: true, real: false },
  start({
    events: true,
    pinnedImages: [testImage],
    cgroupDriver: "cgroupfs",
    handlerFeatures: [{ name: "", recursiveReadOnlyMounts: true, userNamespaces: true }],
    supplementalGroupsPolicy: true
  })
)
