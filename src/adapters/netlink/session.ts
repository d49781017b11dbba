/**
 * One connection that several fibers use in turn: opened when it is first needed, and opened anew after a failure that leaves
 * in doubt what the kernel still has to say.
 */
import { Effect, type Scope, Semaphore } from "effect"
import { type Connection, connect } from "./connection.ts"
import { attempt } from "./effects.ts"
import type { NetlinkError } from "./error.ts"
import { openSocket } from "./socket.ts"
import type { Protocol, Transport } from "./transport.ts"

export interface Session {
  /** Nobody else uses the connection meanwhile. */
  readonly use: <A>(run: (connection: Connection) => Effect.Effect<A, NetlinkError>) => Effect.Effect<A, NetlinkError>
  /** The same for calls that throw. */
  readonly call: <A>(run: (connection: Connection) => A) => Effect.Effect<A, NetlinkError>
}

const isInDoubt = ({ reason }: NetlinkError): boolean =>
  reason === "Overrun" || reason === "Timeout" || reason === "Malformed" || reason === "Closed"

/** The socket is closed with the scope. `open`: another kernel, in tests. */
export const makeSession = (
  protocol: Protocol,
  open: (protocol: Protocol) => Transport = openSocket
): Effect.Effect<Session, never, Scope.Scope> =>
  Effect.gen(function* () {
    let connection: Connection | undefined
    const turns = Semaphore.makeUnsafe(1)
    const close = () => {
      connection?.transport.close()
      connection = undefined
    }
    yield* Effect.addFinalizer(() => Effect.sync(close))
    const use: Session["use"] = (run) =>
      attempt(() => {
        connection ??= connect(open(protocol))
        return connection
      }).pipe(
        Effect.flatMap(run),
        Effect.tapError((error) => Effect.sync(() => isInDoubt(error) && close())),
        // What was interrupted leaves answers behind.
        Effect.onInterrupt(() => Effect.sync(close)),
        turns.withPermits(1)
      )
    return { use, call: (run) => use((opened) => attempt(() => run(opened))) }
  })
