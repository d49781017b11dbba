/** Whether the server that flags, environment and context name can be used: connects, and asks for JetStream. */
import { jetstreamManager } from "@nats-io/jetstream"
import { Effect, Result } from "effect"
import { describeTarget, type NatsFlags, type NatsOptionError, targetFromProcess } from "./connection.ts"
import { dial, toStreamError } from "./dial.ts"
import type { StreamError } from "./port.ts"

/** Milliseconds that JetStream may take to answer. */
const apiTimeout = 5_000

export interface ProbedServer {
  /** Host and port, never credentials. */
  readonly server: string
  /** `2.9.10` */
  readonly serverVersion: string
}

export const probeServer = (flags: NatsFlags): Effect.Effect<ProbedServer, StreamError | NatsOptionError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const target = targetFromProcess(flags)
      if (Result.isFailure(target)) return yield* Effect.fail(target.failure)
      const server = describeTarget(target.success)
      const connection = yield* dial(target.success, "chronode doctor", false)
      const { domain } = target.success
      yield* Effect.tryPromise({
        try: async () => {
          const manager = await jetstreamManager(connection, {
            timeout: apiTimeout,
            ...(domain === undefined ? {} : { domain })
          })
          return await manager.getAccountInfo()
        },
        catch: (error) => toStreamError(server, error)
      })
      return { server, serverVersion: connection.info?.version ?? "of an unknown version" }
    })
  )
