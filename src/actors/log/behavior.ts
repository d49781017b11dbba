/**
 * The log's actor, live: it sets a log aside and has the runtime begin a new one. The runtime writes on into the renamed file
 * until it has been told, so that no line is lost; the file is packed with the next rotation only, when nobody writes to it.
 */
import { Clock, Effect } from "effect"
import { ContainerRuntime, type CriError } from "../../adapters/cri/port.ts"
import { ContainerLogs, type LogError } from "../../adapters/logs/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import type { LogCommand } from "./commands.ts"
import { logDecider } from "./decider.ts"
import { LogRotation } from "./settings.ts"
import type { LogEvent, LogState, Rotation } from "./state.ts"

export type LogNeeds = ContainerLogs | ContainerRuntime | LogRotation

type Outcome = { readonly _tag: "RotationDone"; readonly rotatedPath?: string } | { readonly _tag: "RotationPointless" }

/** `isAgain`: an earlier life may have renamed the file already, or have done all of it. */
const rotate = (
  { containerId, path }: Rotation,
  isAgain: boolean
): Effect.Effect<Outcome, CriError | LogError, LogNeeds> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const logs = yield* ContainerLogs
    const { policy } = yield* LogRotation
    const state = yield* runtime.containerStatus(containerId).pipe(
      Effect.map((status) => status.state),
      Effect.catchIf(
        (error) => error.reason === "NotFound",
        () => Effect.succeed("CONTAINER_EXITED" as const)
      )
    )
    if (state !== "CONTAINER_RUNNING") return { _tag: "RotationPointless" }
    const size = yield* logs.size(path)
    if (size === undefined) {
      yield* runtime.reopenContainerLog(containerId)
      return { _tag: "RotationDone" }
    }
    if (isAgain && size < (policy.maxSizeBytes ?? 0)) return { _tag: "RotationDone" }
    yield* logs.makeRoom(path, policy.maxFiles)
    const rotatedPath = yield* logs.setAside(path, yield* Clock.currentTimeMillis)
    yield* runtime
      .reopenContainerLog(containerId)
      .pipe(Effect.catch((error) => Effect.andThen(logs.putBack(rotatedPath, path), Effect.fail(error))))
    return { _tag: "RotationDone", rotatedPath }
  })

const work = (
  state: LogState,
  id: ActorId,
  isAgain: boolean
): Effect.Effect<ReadonlyArray<Outgoing>, never, LogNeeds> =>
  Effect.gen(function* () {
    const { rotation } = state
    if (rotation?.status !== "rotating") return []
    const { workers } = yield* LogRotation
    const { containerId } = rotation
    const outcome = yield* workers
      .withPermit(rotate(rotation, isAgain))
      .pipe(Effect.catch(({ message }) => Effect.succeed({ _tag: "RotationFailed" as const, message })))
    const at = yield* Clock.currentTimeMillis
    return [{ to: id, command: { ...outcome, at, containerId } as LogCommand }]
  })

export const logBehavior: Behavior<LogState, LogCommand, LogEvent, LogNeeds> = {
  ...logDecider,
  react: ({ event }, state, id) => (event._tag === "LogRotationRequested" ? work(state, id, false) : []),
  resume: (state, id) => work(state, id, true)
}
