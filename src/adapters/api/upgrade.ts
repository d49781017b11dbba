/** A connection that becomes something else (WebSocket, SPDY) and is passed through to the runtime's streaming server. */
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { Effect } from "effect"
import { type ApiRefusal, type ApiRequest, refusal, type StreamingRoute } from "./port.ts"
import type { Parts } from "./router.ts"

/** Ends when the connection has ended. A refusal is answered while nothing was said yet. */
export const upgraded = (
  _route: StreamingRoute,
  _request: ApiRequest,
  _parts: Parts,
  _incoming: IncomingMessage,
  _socket: Duplex,
  _head: Buffer
): Effect.Effect<void, ApiRefusal> => Effect.fail(refusal(501, "streams are not passed through"))

/** An answer in place of an upgrade. */
export const refuseUpgrade = (socket: Duplex, { status, message }: ApiRefusal): void => {
  const body = Buffer.from(message)
  socket.end(
    `HTTP/1.1 ${status} ${reasons[status] ?? "Refused"}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${message}`
  )
}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable"
}
