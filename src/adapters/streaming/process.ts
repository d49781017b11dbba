/** Exec and attach: kubelet's remotecommand protocol, version 4 (`staging/src/k8s.io/client-go/tools/remotecommand`). */
import { Deferred, Effect } from "effect"
import { openConnection, type SpdyConnection, type StreamHandler } from "./connection.ts"
import { exitCodeIn, messageIn } from "./exit-watch.ts"
import { type ProcessStreams, type RunProcess, StreamingError } from "./port.ts"

const protocol = "v4.channel.k8s.io"
/** The status of a process is a small JSON text. */
const maxStatusBytes = 64 * 1024

/** What the error stream says at the end. Empty: nothing went wrong (an attach). */
export const exitCodeOf = (text: string): Effect.Effect<number, StreamingError> => {
  if (text === "") return Effect.succeed(0)
  const code = exitCodeIn(text)
  return code === undefined
    ? Effect.fail(new StreamingError({ reason: "Process", message: messageIn(text) }))
    : Effect.succeed(code)
}

/** Bytes go to `onData`; `ended` is done with how the stream ended. */
const handlerOf = (onData: (bytes: Uint8Array) => void, ended: Deferred.Deferred<boolean>): StreamHandler => ({
  onData,
  onEnd: (isReset) => void Deferred.doneUnsafe(ended, Effect.succeed(isReset))
})

const nothing = (): void => {}

const feed = (connection: SpdyConnection, { stdin }: ProcessStreams) =>
  Effect.gen(function* () {
    if (stdin === undefined) return
    const stream = yield* connection.open({ streamtype: "stdin" }, { onData: nothing, onEnd: nothing })
    connection.onDrain(stdin.resume)
    return () => stdin.start(stream.write, stream.end)
  })

/** The size of the terminal, now and whenever it changes until the scope closes. */
const tellSizes = (connection: SpdyConnection, terminal: ProcessStreams["terminal"]) =>
  Effect.gen(function* () {
    const stream = yield* connection.open({ streamtype: "resize" }, { onData: nothing, onEnd: nothing })
    if (terminal === undefined) return
    const tell = (): void => {
      const { columns, rows } = terminal.size()
      stream.write(Buffer.from(JSON.stringify({ Width: columns, Height: rows })))
    }
    tell()
    yield* Effect.acquireRelease(
      Effect.sync(() => terminal.onResize(tell)),
      (stop) => Effect.sync(stop)
    )
  })

export const runProcess: RunProcess = (url, streams) =>
  Effect.gen(function* () {
    const connection = yield* openConnection(url, protocol)
    const status: Array<Uint8Array> = []
    let statusBytes = 0
    const over = yield* Deferred.make<boolean>()
    const outOver = yield* Deferred.make<boolean>()
    const errOver = yield* Deferred.make<boolean>()
    const takeStatus = (bytes: Uint8Array): void => {
      statusBytes += bytes.length
      if (statusBytes <= maxStatusBytes) status.push(bytes)
    }
    yield* connection.open({ streamtype: "error" }, handlerOf(takeStatus, over))
    // The server begins when it has all streams that it was told of: stdin flows only then.
    const begin = yield* feed(connection, streams)
    yield* connection.open({ streamtype: "stdout" }, handlerOf(streams.stdout, outOver))
    if (streams.tty) {
      yield* tellSizes(connection, streams.terminal)
      yield* Deferred.succeed(errOver, false)
    } else yield* connection.open({ streamtype: "stderr" }, handlerOf(streams.stderr, errOver))
    begin?.()
    const isBroken = yield* Deferred.await(over)
    const text = Buffer.concat(status).toString("utf8")
    if (isBroken && text === "")
      return yield* new StreamingError({ reason: "Broken", message: "the connection to the runtime broke" })
    yield* Deferred.await(outOver)
    yield* Deferred.await(errOver)
    return yield* exitCodeOf(text)
  }).pipe(Effect.scoped)
