/** Events of one node or of all nodes, for the command line: which streams there are, and their lines. */
import { Effect, Result, Stream } from "effect"
import { nodeToken } from "../../events/actor-id.ts"
import { type NatsFlags, type NatsOptionError, targetFromProcess } from "./connection.ts"
import { dial, toStreamError } from "./dial.ts"
import { StreamError } from "./port.ts"
import { managerOf, readOver, type StreamStart } from "./subscriber.ts"

/** The name under which an agent creates its stream. */
export const streamName = (node: string): string => `CHRONODE_${nodeToken(node)}`

export interface ReadRequest {
  /** What to listen to, e.g. `chronode.*.pod.default.web.>`. */
  readonly subject: string
  /** Of what is stored already: everything, or what was published from this time on (milliseconds). */
  readonly since: number | undefined
  /** Go on with what is published from now on. */
  readonly follow: boolean
  /** Undefined: of every node. */
  readonly node: string | undefined
}

/** Streams that are read at once at most. */
const maxStreams = 256

/**
 * Lines of events. One node's come in the order of its stream. Those of several nodes come stream after stream, or, when
 * they are followed, as they arrive.
 */
export const readEvents = (
  flags: NatsFlags,
  request: ReadRequest
): Stream.Stream<string, StreamError | NatsOptionError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const target = targetFromProcess(flags)
      if (Result.isFailure(target)) return yield* Effect.fail(target.failure)
      const connection = yield* dial(target.success, "chronode events", request.follow)
      const manager = yield* managerOf(connection, target.success)
      const { follow, node, since, subject } = request
      const server = connection.getServer()
      const names =
        node === undefined
          ? yield* Effect.tryPromise({
              try: async () => {
                const found: Array<string> = []
                for await (const name of manager.streams.names("chronode.>")) found.push(name)
                return found.sort()
              },
              catch: (error) => toStreamError(server, error)
            })
          : [streamName(node)]
      const fail = (reason: StreamError["reason"], message: string) =>
        Effect.fail(new StreamError({ reason, server, message }))
      if (names.length === 0) return yield* fail("StreamAbsent", "there is no stream of a chronode agent")
      if (names.length > maxStreams) {
        return yield* fail("StreamRefused", `${names.length} streams are more than ${maxStreams}: name one node`)
      }
      const from: StreamStart = since === undefined ? { _tag: "First" } : { _tag: "Time", at: since }
      const streams = names.map((stream) => readOver(connection, manager, { stream, subject, from, follow }))
      const merged = Stream.mergeAll(streams, { concurrency: follow ? streams.length : 1 })
      return merged.pipe(
        Stream.map(({ line }) => line),
        Stream.mapError((error) =>
          node !== undefined && error.reason === "StreamAbsent"
            ? new StreamError({ reason: "StreamAbsent", server, message: `there is no stream ${streamName(node)}` })
            : error
        )
      )
    })
  )
