/**
 * The log's actor, live: it sets a log aside and has the runtime begin a new one. The runtime writes on into the renamed file
 * until it has been told, so that no line is lost; the file is packed with the next rotation only, when nobody writes to it.
 */
import { Clock, Effect, Result } from "effect"
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

const isRunning = (containerId: string): Effect.Effect<boolean, CriError, ContainerRuntime> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    return yield* runtime.containerStatus(containerId).pipe(
      Effect.map(({ state }) => state === "CONTAINER_RUNNING"),
      Effect.catchIf(
        (error) => error.reason === "NotFound",
        () => Effect.succeed(false)
      )
    )
  })

/** `isAgain`: an earlier life may have renamed the file already, or have done all of it. */
const rotate = (
  { containerId, path }: Rotation,
  isAgain: boolean
): Effect.Effect<Outcome, CriError | LogError, LogNeeds> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const logs = yield* ContainerLogs
    const { policy } = yield* LogRotation
    if (!(yield* isRunning(containerId))) return { _tag: "RotationPointless" }
    const size = yield* logs.size(path)
    if (size === undefined) {
      yield* runtime.reopenContainerLog(containerId)
      return { _tag: "RotationDone" }
    }
    if (isAgain && size < (policy.maxSizeBytes ?? 0)) return { _tag: "RotationDone" }
    yield* logs.makeRoom(path, policy.maxFiles)
    const rotatedPath = yield* logs.setAside(path, yield* Clock.currentTimeMillis)
    const reopened = yield* Effect.result(runtime.reopenContainerLog(containerId))
    if (Result.isSuccess(reopened)) return { _tag: "RotationDone", rotatedPath }
    yield* logs.putBack(rotatedPath, path)
    // It may have ended in between: then nothing is wrong.
    if (!(yield* isRunning(containerId))) return { _tag: "RotationPointless" }
    return yield* Effect.fail(reopened.failure)
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
