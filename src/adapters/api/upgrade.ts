/** A connection that becomes something else (WebSocket, SPDY) and is passed through to the runtime's streaming server. */
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { Effect, Exit } from "effect"
import {
  type ApiAnswer,
  type ApiRefusal,
  type ApiRequest,
  type NodeApi,
  type Route,
  refusal,
  type StreamingRoute
} from "./port.ts"
import type { Parts } from "./router.ts"

export interface Upgrading {
  readonly route: StreamingRoute
  readonly request: ApiRequest
  readonly parts: Parts
  readonly incoming: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  /** Called when the connection is passed through: from there on it ends by itself, with the client too. */
  readonly begun: () => void
}

/** Ends when the connection has ended. A refusal is answered while nothing was said yet. */
export const upgraded = (
  { route, request, parts, incoming, socket, head, begun }: Upgrading,
  passing: NodeApi["passing"]
): Effect.Effect<void, ApiRefusal> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const { method = "", rawHeaders } = incoming
      const problem = passing.problem(method, rawHeaders)
      if (problem !== undefined) return yield* Effect.fail(refusal(problem.status, problem.message))
      const target = yield* restore(route.target(request, parts))
      begun()
      const address = request.access.from.replace(/:\d+$/u, "")
      const end = yield* Effect.exit(restore(passing.pass({ method, rawHeaders, socket, head, address }, target)))
      yield* route.ended(request, Exit.isSuccess(end) ? end.value : { outcome: "stopped", bytesIn: 0, bytesOut: 0 })
      if (Exit.isFailure(end)) socket.destroy()
    })
  )

async function* piecesOf({ body }: ApiAnswer): AsyncIterable<Uint8Array> {
  if (typeof body === "string") yield Buffer.from(body)
  else if (body instanceof Uint8Array) yield body
  else yield* body
}

/** The answer of a route that is no stream, as messages of a WebSocket. */
export const answeredInMessages = (
  { route, request, parts, incoming, socket, head }: Omit<Upgrading, "route" | "begun"> & { readonly route: Route },
  passing: NodeApi["passing"]
): Effect.Effect<void, ApiRefusal> => {
  const { method = "", rawHeaders } = incoming
  const problem = passing.problem(method, rawHeaders)
  if (problem !== undefined) return Effect.fail(refusal(problem.status, problem.message))
  const body = Effect.flatMap(route.answer(request, parts), (answer) =>
    answer.status === 200
      ? Effect.succeed(piecesOf(answer))
      : Effect.fail(refusal(answer.status, typeof answer.body === "string" ? answer.body : "it cannot be had"))
  )
  return Effect.mapError(passing.messages({ method, rawHeaders, socket, head, address: "" }, body), (error) =>
    refusal(error.status, error.message)
  )
}
