/**
 * Clients of the node's API, connected with the runtime's streaming server (kubelet's UpgradeAwareProxy): the request for
 * another protocol is sent on without what is no business of the runtime, and its answer and all that follows goes through as it
 * is. WebSocket protocols that only kubelet knows are translated.
 */
import type { Socket } from "node:net"
import { Effect } from "effect"
import { refuseUpgrade } from "../serving/refuse-upgrade.ts"
import { type ExitWatch, watchSpdy, watchWebSocket } from "./exit-watch.ts"
import type { PassThrough, StreamEnd, StreamTarget, UpgradingClient } from "./port.ts"
import { splice } from "./splice.ts"
import { translate } from "./translate.ts"
import { headEnd, isSwitched, requestUpgrade } from "./upgrade.ts"
import { closingProtocol, forwardedRequest, isWebSocket, tunnelProtocol, valuesOf } from "./upgrade-request.ts"

/** Bytes of the text with which the runtime refuses. */
const maxRefusalBytes = 16 * 1024
/** Milliseconds that its end is waited for. */
const refusalTimeout = 1_000

const isTranslated = ({ rawHeaders }: UpgradingClient, { protocol }: StreamTarget): boolean =>
  isWebSocket(rawHeaders) &&
  valuesOf(rawHeaders, "sec-websocket-protocol").includes(
    protocol === "remotecommand" ? closingProtocol : tunnelProtocol
  )

/** The body of a refusal: as long as it says to be, or until the connection ends, or for a second. */
const bodyOf = (socket: Socket, head: string, rest: Buffer): Effect.Effect<string> => {
  const length = Number(/^content-length:\s*(\d+)\s*$/imu.exec(head)?.[1] ?? maxRefusalBytes)
  return Effect.callback<string>((resume) => {
    let body = rest
    const done = (): void => {
      clearTimeout(late)
      resume(Effect.succeed(body.toString("utf8", 0, Math.min(length, maxRefusalBytes)).trim()))
    }
    const late = setTimeout(done, refusalTimeout)
    socket.on("data", (bytes: Uint8Array) => {
      body = Buffer.concat([body, bytes])
      if (body.length >= Math.min(length, maxRefusalBytes)) done()
    })
    socket.once("close", done).once("end", done)
    if (body.length >= length) done()
    else socket.resume()
    return Effect.sync(() => clearTimeout(late))
  })
}

const failed = (message: string): StreamEnd => ({ outcome: "failed", message, bytesIn: 0, bytesOut: 0 })

const direct = (client: UpgradingClient, target: StreamTarget, idleTimeout: number): Effect.Effect<StreamEnd> =>
  Effect.gen(function* () {
    const url = new URL(target.url)
    const { socket, head, rest } = yield* requestUpgrade(
      url,
      forwardedRequest(client.method, client.rawHeaders, url, client.address)
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => socket.destroy()))
    if (!isSwitched(head)) {
      const status = Number(/^HTTP\/1\.[01] (\d{3})/u.exec(head)?.[1] ?? 0)
      const body = yield* bodyOf(socket, head, rest)
      const message = body === "" ? `invalid upgrade response: status code ${status}` : body
      refuseUpgrade(client.socket, status >= 400 && status < 600 ? status : 500, message)
      return failed(message)
    }
    let watch: ExitWatch | undefined
    if (target.protocol === "remotecommand") watch = isWebSocket(client.rawHeaders) ? watchWebSocket() : watchSpdy()
    client.socket.write(`${head}${headEnd}`, "latin1")
    const end = yield* splice(
      client.socket,
      socket,
      { ofClient: client.head, ofRuntime: rest },
      { idleTimeout, ...(watch === undefined ? {} : { watch: watch.push }) }
    )
    const exitCode = watch?.exitCode()
    return { ...end, ...(exitCode === undefined ? {} : { exitCode }) }
  }).pipe(
    Effect.scoped,
    Effect.catch(({ message }) =>
      Effect.sync(() => {
        refuseUpgrade(client.socket, 500, message)
        return failed(message)
      })
    )
  )

export const passThrough: PassThrough = (client, target, { idleTimeout }) =>
  (isTranslated(client, target) ? translate : direct)(client, target, idleTimeout).pipe(
    Effect.onInterrupt(() => Effect.sync(() => client.socket.destroy()))
  )
