/** The body of an answer as messages of a WebSocket, as an API server sends logs (`apimachinery/pkg/util/httpstream/wsstream`: Reader). */
import { Effect } from "effect"
import { acceptWebSocket } from "./accept.ts"
import type { SendMessages } from "./port.ts"
import { isWebSocket, valuesOf } from "./upgrade-request.ts"
import { closeCodes, WebSocketServerSide } from "./web-socket.ts"

const binary = "binary.k8s.io"
const base64 = "base64.binary.k8s.io"

/** Bytes of one message. */
const pieceBytes = 32 * 1024

/** Sends all pieces, each when there is room for it; ends early where the client goes. */
const sendAll = async (
  web: WebSocketServerSide,
  pieces: AsyncIterable<Uint8Array>,
  isText: boolean,
  room: () => Promise<boolean>
): Promise<void> => {
  const send = (bytes: Uint8Array): boolean =>
    isText ? web.sendText(Buffer.from(bytes).toString("base64")) : web.send(bytes)
  // Tells the client that it is connected.
  send(new Uint8Array())
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += pieceBytes)
      if (!send(piece.subarray(at, at + pieceBytes)) && !(await room())) return
    if (web.isOver) return
  }
}

export const sendMessages: SendMessages = (client, body) =>
  Effect.gen(function* () {
    const asked = valuesOf(client.rawHeaders, "sec-websocket-protocol")
    const protocol = asked.find((name) => name === binary || name === base64)
    if (!isWebSocket(client.rawHeaders) || (asked.length > 0 && protocol === undefined))
      return yield* Effect.fail({
        status: 400,
        message: `unable to upgrade: only ${binary} and ${base64} are spoken here`
      })
    const pieces = yield* body
    let wake: (() => void) | undefined
    const woken = (): void => {
      wake?.()
      wake = undefined
    }
    yield* Effect.acquireUseRelease(
      Effect.sync(() => {
        acceptWebSocket(client, protocol)
        const web = new WebSocketServerSide(client.socket, { onMessage: () => {}, onClose: woken, onDrain: woken })
        web.start(client.head)
        return web
      }),
      (web) => {
        const room = async (): Promise<boolean> => {
          if (!web.isOver)
            await new Promise<void>((done) => {
              wake = done
            })
          return !web.isOver
        }
        return Effect.promise(() =>
          sendAll(web, pieces, protocol === base64, room).catch(() => web.close(closeCodes.failed))
        )
      },
      (web) => Effect.sync(() => web.close(closeCodes.normal))
    )
  })
