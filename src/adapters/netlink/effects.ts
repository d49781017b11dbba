/** The synchronous calls of netlink as effects; long ones in parts, so that others get their turn in between. */
import { Effect } from "effect"
import { beginDump, type Connection, type Request } from "./connection.ts"
import { NetlinkError } from "./error.ts"
import type { Message } from "./reader.ts"

/** A call that throws NetlinkError. Anything else that it throws is a defect. */
export const attempt = <A>(run: () => A): Effect.Effect<A, NetlinkError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(run())
    } catch (error) {
      return error instanceof NetlinkError ? Effect.fail(error) : Effect.die(error)
    }
  })

/** Datagrams of a listing, of up to 32 KiB each, after which others get their turn. */
const partDatagrams = 8

/** As `dump`. No other call may use the connection meanwhile. */
export const dumpInParts = <A>(
  connection: Connection,
  operation: string,
  request: Request,
  decode: (message: Message) => A | undefined
): Effect.Effect<ReadonlyArray<A>, NetlinkError> =>
  Effect.gen(function* () {
    const listing = yield* attempt(() => beginDump(connection, operation, request, decode))
    for (;;) {
      const found = yield* attempt(() => {
        for (let k = 0; k < partDatagrams; k++) {
          const all = listing.next()
          if (all !== undefined) return all
        }
        return undefined
      })
      if (found !== undefined) return found
      yield* Effect.yieldNow
    }
  })
