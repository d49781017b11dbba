/** Small HTTP servers with a bound on everything that a client can make them do. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { Effect, type Scope } from "effect"
import { boundPort, type ListenError, listenError, listening } from "../serving/listen.ts"

/** Connections of one server at a time; further ones are closed at once. */
const maxConnections = 64
/** Request line and headers, bytes. */
const maxHeaderSize = 8 * 1024
/** What a client may take to send its request, and between two of them; milliseconds. */
const headersTimeout = 5_000
const requestTimeout = 10_000
const keepAliveTimeout = 30_000
const checkingInterval = 1_000

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Answers a GET of a path; undefined: there is nothing. Never throws. */
export type Answerer = (path: string) => Answer | undefined

const plain = (status: number, body: string): Answer => ({
  status,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body: `${body}\n`
})

const answerTo = ({ method, url }: IncomingMessage, answer: Answerer): Answer => {
  if (method !== "GET" && method !== "HEAD") return plain(405, "only GET and HEAD are answered here")
  return answer((url ?? "/").split("?")[0] as string) ?? plain(404, "there is nothing here")
}

const send = (request: IncomingMessage, response: ServerResponse, answer: Answerer): void => {
  const { status, headers, body } = answerTo(request, answer)
  response.writeHead(status, {
    ...headers,
    "content-length": Buffer.byteLength(body),
    "x-content-type-options": "nosniff",
    // A body that nobody reads does not keep the connection.
    ...(request.headers["content-length"] === undefined && request.headers["transfer-encoding"] === undefined
      ? {}
      : { connection: "close" })
  })
  response.end(request.method === "HEAD" ? undefined : body)
}

export interface ListenOptions {
  /** An IP address; one that stands for all stands for both families, as in Go. */
  readonly host: string
  readonly port: number
  /** How people name it: `0.0.0.0:10256`. */
  readonly address: string
  /** What else to do where the address cannot be had: `set healthzBindAddress to another`. */
  readonly remedy: string
  readonly answer: Answerer
}

/** Listens until the scope ends; then connections are closed too. Answers the port that it got. */
export const serveHttp = ({
  host,
  port,
  address,
  remedy,
  answer
}: ListenOptions): Effect.Effect<number, ListenError, Scope.Scope> => {
  const make = (): Server => {
    const server = createServer(
      {
        maxHeaderSize,
        headersTimeout,
        requestTimeout,
        keepAliveTimeout,
        connectionsCheckingInterval: checkingInterval
      },
      (request, response) => send(request, response, answer)
    )
    server.maxConnections = maxConnections
    server.on("clientError", (_, socket) => socket.destroy())
    return server
  }
  const acquire = Effect.tryPromise({
    try: () => listening(make, { host, port }),
    catch: (error) => listenError(address, remedy, error as NodeJS.ErrnoException)
  })
  const release = (server: Server): Effect.Effect<void> =>
    Effect.callback((resume) => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    })
  return Effect.map(Effect.acquireRelease(acquire, release), (server) => boundPort(server, port))
}
