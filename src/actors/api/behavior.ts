/**
 * The API's actors, live: once it is written down that somebody wants a stream, the runtime is asked for it. What the agent's
 * death left open is ended as unknown.
 */
import { Clock, Deferred, Effect } from "effect"
import type { ApiRefusal } from "../../adapters/api/port.ts"
import { ContainerRuntime, type CriError } from "../../adapters/cri/port.ts"
import type { ActorId } from "../../events/actor-id.ts"
import type { Behavior, Outgoing } from "../kernel/behavior.ts"
import type { ApiCommand } from "./commands.ts"
import { apiDecider } from "./decider.ts"
import { type Answers, ApiSessions, type Ask } from "./sessions.ts"
import type { ApiEvent, ApiState } from "./state.ts"

export type ApiNeeds = ApiSessions | ContainerRuntime
type Work = Effect.Effect<ReadonlyArray<Outgoing>, never, ApiNeeds>

/** As kubelet answers for a runtime (`kubelet/pkg/cri/streaming/errors.go`). */
const refusalOf = ({ reason, message }: CriError): ApiRefusal => ({
  _tag: "ApiRefusal",
  status: reason === "NotFound" ? 404 : reason === "ResourceExhausted" ? 429 : 500,
  message
})

const asking = (ask: Ask): Effect.Effect<Answers, CriError, ContainerRuntime> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    switch (ask.type) {
      case "exec":
        return { url: yield* runtime.exec(ask.containerId, ask.command, ask.streams) }
      case "run":
        return { result: yield* runtime.execSync(ask.containerId, ask.command, 0) }
      case "attach":
        return { url: yield* runtime.attach(ask.containerId, ask.streams) }
      case "portForward":
        return { url: yield* runtime.portForward(ask.sandboxId, ask.ports) }
      case "checkpoint":
        yield* runtime.checkpointContainer(ask.containerId, ask.location, ask.timeoutSeconds)
        return {}
    }
  })

/** What is over with the runtime's answer; a stream only begins with it. */
const outcomeOf = (session: string, ask: Ask, { result }: Answers, at: number): ApiCommand | undefined => {
  if (ask.type === "checkpoint") return { _tag: "Checkpointed", at, session, location: ask.location }
  if (result === undefined) return undefined
  const { stdout, stderr, exitCode } = result
  const bytesOut = stdout.length + stderr.length
  return { _tag: "Ended", at, session, outcome: "completed", bytesOut, exitCode }
}

const open = (session: string, id: ActorId): Work =>
  Effect.gen(function* () {
    const sessions = yield* ApiSessions
    const known = sessions.find(session)
    // Whoever asked is gone.
    if (known === undefined) return []
    const { ask, answer } = known
    return yield* asking(ask).pipe(
      Effect.flatMap((answers) =>
        Effect.gen(function* () {
          const command = outcomeOf(session, ask, answers, yield* Clock.currentTimeMillis)
          yield* Deferred.succeed(answer, answers)
          return command === undefined ? [] : [{ to: id, command }]
        })
      ),
      Effect.catch((error) =>
        Effect.gen(function* () {
          yield* Deferred.fail(answer, refusalOf(error))
          const at = yield* Clock.currentTimeMillis
          const command: ApiCommand = { _tag: "Ended", at, session, outcome: "failed", message: error.message }
          return [{ to: id, command }]
        })
      )
    )
  })

export const apiBehavior: Behavior<ApiState, ApiCommand, ApiEvent, ApiNeeds> = {
  ...apiDecider,
  react: ({ event }, _, id) => {
    switch (event._tag) {
      case "ExecStarted":
      case "AttachStarted":
      case "PortForwardStarted":
      case "CheckpointRequested":
        return open(event.session, id)
      case "ExecEnded":
      case "AttachEnded":
      case "PortForwardEnded":
      case "CheckpointCreated":
      case "CheckpointFailed":
        return Effect.map(ApiSessions, ({ forget }) => {
          forget(event.session)
          return []
        })
      default:
        return []
    }
  },
  observe: ({ isServer }) =>
    isServer
      ? [
          {
            key: "mail",
            run: (emit) => Effect.flatMap(ApiSessions, ({ take }) => Effect.forever(Effect.flatMap(take, emit)))
          }
        ]
      : [],
  resume: (state, id) =>
    Effect.gen(function* () {
      const { find } = yield* ApiSessions
      const sessions = state.open.map(({ session }) => session).filter((session) => find(session) === undefined)
      if (sessions.length === 0) return []
      const command: ApiCommand = { _tag: "StreamsLost", at: yield* Clock.currentTimeMillis, sessions }
      return [{ to: id, command }]
    })
}
