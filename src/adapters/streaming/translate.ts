/**
 * Clients whose WebSocket protocols runtimes do not speak: kubelet translates them to SPDY (`kubelet/pkg/cri/streaming`,
 * `apiserver/pkg/util/proxy`: StreamTranslatorHandler, TunnelingHandler), and so does this.
 */
import type { Duplex } from "node:stream"
import { Deferred, Effect, type Scope } from "effect"
import { refuseUpgrade } from "../serving/refuse-upgrade.ts"
import { acceptWebSocket } from "./accept.ts"
import { openConnection, openSpdy, type SpdyStream, type StreamHandler } from "./connection.ts"
import { exitCodeIn } from "./exit-watch.ts"
import { watchIdle } from "./idle.ts"
import type { StreamEnd, StreamingError, StreamTarget, UpgradingClient } from "./port.ts"
import { closingProtocol, tunnelProtocol } from "./upgrade-request.ts"
import { closeCodes, type WebSocketEvents, WebSocketServerSide } from "./web-socket.ts"

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const
const maxStatusBytes = 64 * 1024
const nothing = (): void => {}

type Over = Pick<StreamEnd, "outcome" | "message" | "exitCode">

interface Session {
  readonly web: WebSocketServerSide
  readonly over: Deferred.Deferred<Over>
}

/** A WebSocket that ends the session when it closes, and its connection with the scope. */
const openWeb = (
  socket: Duplex,
  over: Deferred.Deferred<Over>,
  events: Pick<WebSocketEvents, "onMessage" | "onDrain">
): Effect.Effect<WebSocketServerSide, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(
      () =>
        new WebSocketServerSide(socket, {
          ...events,
          onClose: () => void Deferred.doneUnsafe(over, Effect.succeed({ outcome: "completed" }))
        })
    ),
    (web) => Effect.sync(() => web.close(closeCodes.goingAway))
  )

/** Waits for the end, or for too long a silence. `sign`: counts up whenever something is sent. */
const untilOver = ({ web, over }: Session, idleTimeout: number): Effect.Effect<StreamEnd, never, Scope.Scope> =>
  Effect.gen(function* () {
    let seen = 0
    const idle = yield* Effect.acquireRelease(
      Effect.sync(() =>
        watchIdle(idleTimeout, () => void Deferred.doneUnsafe(over, Effect.succeed({ outcome: "idle" })))
      ),
      (watch) => Effect.sync(watch.stop)
    )
    const look = Effect.sync(() => {
      if (seen !== web.bytesIn + web.bytesOut) idle.touch()
      seen = web.bytesIn + web.bytesOut
    })
    const looking = Effect.forever(Effect.andThen(look, Effect.sleep(Math.max(10, Math.min(1_000, idleTimeout / 20)))))
    const end = yield* Effect.raceFirst(Deferred.await(over), idleTimeout === 0 ? Effect.never : looking)
    web.close(end.outcome === "failed" ? closeCodes.failed : closeCodes.normal)
    return { ...end, bytesIn: web.bytesIn, bytesOut: web.bytesOut }
  })

/** Nothing was sent yet: the refusal is an answer of HTTP. */
const refuse = (client: UpgradingClient, { message }: StreamingError): StreamEnd => {
  refuseUpgrade(client.socket, 500, message)
  return { outcome: "failed", message, bytesIn: 0, bytesOut: 0 }
}

/** Exec and attach: each message begins with the number of its channel; 255 and a number closes one. */
const remotecommand = (client: UpgradingClient, target: StreamTarget, idleTimeout: number) =>
  Effect.gen(function* () {
    const { stdin, stdout, stderr, tty } = target.streams
    const connection = yield* openConnection(target.url, "v4.channel.k8s.io")
    const over = yield* Deferred.make<Over>()
    let input: SpdyStream | undefined
    let resize: SpdyStream | undefined
    const web = yield* openWeb(client.socket, over, {
      onMessage: (message) => {
        const payload = message.subarray(1)
        if (message[0] === channels.stdin && input?.write(payload) === false) web.pause()
        else if (message[0] === channels.resize) resize?.write(payload)
        else if (message[0] === channels.close && payload[0] === channels.stdin) input?.end()
      },
      onDrain: connection.resume
    })
    connection.onDrain(() => web.resume())
    let waiting = 0
    let status = Buffer.alloc(0)
    const ended = (): void => {
      waiting -= 1
      if (waiting > 0) return
      const exitCode = exitCodeIn(status.toString("utf8"))
      void Deferred.doneUnsafe(
        over,
        Effect.succeed({ outcome: "completed", ...(exitCode === undefined ? {} : { exitCode }) })
      )
    }
    const toChannel = (channel: number): StreamHandler => {
      waiting += 1
      return {
        onData: (bytes) => {
          if (channel === channels.error && status.length + bytes.length <= maxStatusBytes)
            status = Buffer.concat([status, bytes])
          if (!web.send(Buffer.of(channel), bytes)) connection.pause()
        },
        onEnd: ended
      }
    }
    acceptWebSocket(client, closingProtocol)
    const streams = Effect.gen(function* () {
      const error = yield* connection.open({ streamtype: "error" }, toChannel(channels.error))
      if (stdin) input = yield* connection.open({ streamtype: "stdin" }, { onData: nothing, onEnd: nothing })
      if (stdout) yield* connection.open({ streamtype: "stdout" }, toChannel(channels.stdout))
      if (stderr) yield* connection.open({ streamtype: "stderr" }, toChannel(channels.stderr))
      if (tty) resize = yield* connection.open({ streamtype: "resize" }, { onData: nothing, onEnd: nothing })
      error.end()
      web.start(client.head)
    })
    yield* Effect.catch(streams, ({ message }) =>
      Effect.sync(() => void Deferred.doneUnsafe(over, Effect.succeed({ outcome: "failed", message })))
    )
    return yield* untilOver({ web, over }, idleTimeout)
  })

/** Forwarded ports: SPDY itself, cut into messages. */
const tunnel = (client: UpgradingClient, target: StreamTarget, idleTimeout: number) =>
  Effect.gen(function* () {
    const { socket, rest } = yield* Effect.acquireRelease(
      openSpdy(target.url, "portforward.k8s.io"),
      (opened) => Effect.sync(() => opened.socket.destroy()),
      { interruptible: true }
    )
    const over = yield* Deferred.make<Over>()
    acceptWebSocket(client, tunnelProtocol)
    const web = yield* openWeb(client.socket, over, {
      onMessage: (message) => {
        if (socket.writable && !socket.write(message)) web.pause()
      },
      onDrain: () => void socket.resume()
    })
    socket.on("data", (bytes: Uint8Array) => {
      if (!web.send(bytes)) socket.pause()
    })
    socket.on("drain", () => web.resume())
    const gone = (): void => void Deferred.doneUnsafe(over, Effect.succeed({ outcome: "completed" }))
    socket.once("end", gone).once("close", gone)
    if (rest.length > 0) web.send(rest)
    web.start(client.head)
    socket.resume()
    return yield* untilOver({ web, over }, idleTimeout)
  })

export const translate = (
  client: UpgradingClient,
  target: StreamTarget,
  idleTimeout: number
): Effect.Effect<StreamEnd> =>
  (target.protocol === "remotecommand" ? remotecommand : tunnel)(client, target, idleTimeout).pipe(
    Effect.scoped,
    Effect.catch((error) => Effect.sync(() => refuse(client, error)))
  )
