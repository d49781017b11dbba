/** Port-forward: two streams for each connection, one for its bytes and one for what goes wrong (`portforward.k8s.io`). */
import { Effect } from "effect"
import { openConnection } from "./connection.ts"
import { type ConnectPort, StreamingError } from "./port.ts"

const protocol = "portforward.k8s.io"
const maxProblemBytes = 16 * 1024

export const connectPort: ConnectPort = (url, port, listener) =>
  Effect.gen(function* () {
    const connection = yield* openConnection(url, protocol)
    // Streams find together by the request's number; there is one request on a connection.
    const headers = { port: String(port), requestid: "0" }
    let problem = ""
    const error = yield* connection.open(
      { streamtype: "error", ...headers },
      {
        onData: (bytes) => {
          if (problem.length < maxProblemBytes) problem += Buffer.from(bytes).toString("utf8")
        },
        onEnd: () => {
          if (problem !== "") listener.onClose(new StreamingError({ reason: "Process", message: problem.trim() }))
        }
      }
    )
    error.end()
    const data = yield* connection.open(
      { streamtype: "data", ...headers },
      { onData: listener.onData, onEnd: () => listener.onEnd() }
    )
    connection.onDrain(listener.onDrain)
    connection.onClose(() => listener.onClose(undefined))
    return { write: data.write, end: data.end, pause: connection.pause, resume: connection.resume }
  })
