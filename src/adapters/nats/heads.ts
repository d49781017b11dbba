/** The heads of a node's chain as its stream holds them: one behind each event. */
import { Effect, Result, Stream } from "effect"
import { parseHead } from "../../events/journal/head-text.ts"
import type { JournalHead } from "../../events/journal/port.ts"
import { type NatsFlags, type NatsOptionError, targetFromProcess } from "./connection.ts"
import { dial } from "./dial.ts"
import type { StreamError } from "./port.ts"
import { streamName } from "./read.ts"
import { managerOf, readOver } from "./subscriber.ts"

export interface PublishedHead extends JournalHead {
  /** The event itself; empty where only headers were asked for. */
  readonly line: string
}

/** In the order of the stream, to its end. @param withEvents false: only headers are sent, which is a fifth of the bytes */
export const readHeads = (
  flags: NatsFlags,
  node: string,
  withEvents: boolean
): Stream.Stream<PublishedHead, StreamError | NatsOptionError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const target = targetFromProcess(flags)
      if (Result.isFailure(target)) return yield* Effect.fail(target.failure)
      const connection = yield* dial(target.success, "chronode verify", false)
      const manager = yield* managerOf(connection, target.success)
      const request = {
        stream: streamName(node),
        from: { _tag: "First" },
        follow: false,
        headersOnly: !withEvents
      } as const
      return readOver(connection, manager, request).pipe(
        Stream.map(({ chainHead, line }) => {
          const head = parseHead(chainHead)
          return head === undefined ? undefined : { ...head, line }
        }),
        // Other people's messages, and those of an agent that did not say its head yet.
        Stream.filter((head) => head !== undefined)
      )
    })
  )
