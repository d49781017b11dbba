/** Events as NATS tells them: from another machine, or where the journal cannot be read. */
import { Effect, Result, Stream } from "effect"
import { nodeToken } from "../../events/actor-id.ts"
import { decodeLine } from "../../events/decode.ts"
import { CommandFailed, UsageError } from "../exit.ts"
import { type EventFilter, matcher, selectionOf } from "../filter.ts"
import type { NatsOptions } from "../nats-flags.ts"
import type { Neighbours } from "../neighbours.ts"
import type { EventLog, LogLine } from "./log.ts"

/** The narrowest subject that holds all that the filter wants: one type can be asked for, a pod's family cannot. */
export const subjectFor = (filter: EventFilter, node: string | undefined): string => {
  const prefix = `chronode.${node === undefined ? "*" : nodeToken(node)}`
  const { pod, types } = selectionOf(filter)
  const [type] = types ?? []
  // A pod's own events teach which uids are its own, so they must not be left out.
  return pod === undefined && types?.size === 1 ? `${prefix}.*.*.*.${type}` : `${prefix}.>`
}

/** @param node whose events; undefined: of every node */
export const openNatsLog = (neighbours: Neighbours, options: NatsOptions, node: string | undefined): EventLog => ({
  name: "NATS",
  read: (filter, follow) =>
    Stream.unwrap(
      Effect.map(Effect.promise(neighbours.readNats), (readNats) => {
        const matches = matcher(filter)
        let received = 0
        return readNats(options, {
          subject: subjectFor(filter, node),
          since: selectionOf(filter).since,
          follow,
          node
        }).pipe(
          Stream.map((line): LogLine => {
            received += 1
            return { line, place: `message ${received}`, event: decodeLine(line) }
          }),
          Stream.filter(({ event }) => Result.isFailure(event) || matches(event.success)),
          // Flags that mean nothing end the command, whoever reads: no reader can do anything about them.
          Stream.catchTag("NatsOptionError", (error) => Stream.die(new UsageError(error.message))),
          Stream.mapError((error) => new CommandFailed(`NATS: ${error.message}`, "chronode doctor says more"))
        )
      })
    ),
  find: () => Effect.fail(new CommandFailed("an event cannot be looked up on NATS", "use --from journal or a FILE"))
})
