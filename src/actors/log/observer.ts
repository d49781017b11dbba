/** Looks at the sizes of running containers' logs for as long as the agent runs; only one that is too large is told of. */
import { Clock, Effect } from "effect"
import { ContainerLogs } from "../../adapters/logs/port.ts"
import { actorId } from "../../events/actor-id.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import { containerLogPath, podLogDirectory } from "../pod/node-facts.ts"
import { Pods } from "../pod/pods.ts"
import { PodSettings } from "../pod/settings.ts"
import type { LogCommand } from "./commands.ts"
import { LogRotation } from "./settings.ts"

/** Files that are looked at side by side. */
const lookConcurrency = 8

type Emit = (outgoing: Outgoing) => Effect.Effect<void>

/** One look at all of them. */
export const lookAtLogs = (
  emit: Emit,
  maxSizeBytes: number
): Effect.Effect<void, never, ContainerLogs | PodSettings | Pods> =>
  Effect.gen(function* () {
    const logs = yield* ContainerLogs
    const pods = yield* Pods
    const { facts } = yield* PodSettings
    const running = pods.all().flatMap(({ id, state }) => {
      const pod = state.definition?.pod
      if (pod === undefined) return []
      return state.containers
        .filter((c) => c.status === "running" || c.status === "killing")
        .map((c) => ({ id, pod, c, path: `${podLogDirectory(facts, pod)}/${containerLogPath(c.name, c.attempt)}` }))
    })
    const look = ({ id, pod, c, path }: (typeof running)[number]) =>
      Effect.gen(function* () {
        const sizeBytes = yield* logs.size(path)
        if (sizeBytes === undefined || sizeBytes < maxSizeBytes) return
        const command: LogCommand = {
          _tag: "LogGrew",
          at: yield* Clock.currentTimeMillis,
          podUid: pod.metadata.uid,
          container: c.name,
          containerId: c.containerId,
          attempt: c.attempt,
          path,
          sizeBytes
        }
        yield* emit({ to: actorId("log", id.namespace, `${id.name}.${c.name}`), command })
      }).pipe(Effect.catch((error) => Effect.logWarning(`cannot look at the log ${path}: ${error.message}`)))
    yield* Effect.forEach(running, look, { concurrency: lookConcurrency, discard: true })
  })

export const observeLogs = (emit: Emit): Effect.Effect<void, never, ContainerLogs | LogRotation | PodSettings | Pods> =>
  Effect.gen(function* () {
    // It may change while the agent runs.
    const { policy } = yield* LogRotation
    while (true) {
      yield* Effect.sleep(policy.monitorInterval)
      const { maxSizeBytes } = policy
      if (maxSizeBytes !== undefined) yield* lookAtLogs(emit, maxSizeBytes)
    }
  })
