/** Small HTTP servers with a bound on everything that a client can make them do. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { Effect, Schema, type Scope } from "effect"

/** Connections of one server at a time; further ones are closed at once. */
const maxConnections = 64
/** Request line and headers, bytes. */
const maxHeaderSize = 8 * 1024
/** What a client may take to send its request, and between two of them; milliseconds. */
const headersTimeout = 5_000
const requestTimeout = 10_000
const keepAliveTimeout = 30_000
const checkingInterval = 1_000

/** It cannot listen. `message` says why, `remedy` how to mend it. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  address: Schema.String,
  message: Schema.String,
  remedy: Schema.String
}) {}

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

const listenError = (address: string, remedy: string, error: NodeJS.ErrnoException): ListenError => {
  const fail = (message: string, mend: string) => new ListenError({ address, message, remedy: mend })
  switch (error.code) {
    case "EADDRINUSE":
      return fail(
        `${address} is in use by another program`,
        `see which with: ss -ltnp; stop it (a kube-proxy?), or ${remedy}`
      )
    case "EADDRNOTAVAIL":
      return fail(`no interface of this node has the address of ${address}`, remedy)
    case "EACCES":
    case "EPERM":
      return fail(`this user may not listen on ${address}`, `run as root, or ${remedy}`)
    default:
      return fail(`cannot listen on ${address}: ${error.message}`, remedy)
  }
}

const isNoFamily = ({ code }: NodeJS.ErrnoException): boolean => code === "EAFNOSUPPORT" || code === "EADDRNOTAVAIL"

const listen = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen({ host, port, ipv6Only: false }, () => {
      server.off("error", reject)
      // From here on an error is one of accepting a client, who sees it.
      server.on("error", () => undefined)
      resolve()
    })
  })

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
  const open = (at: string): Promise<Server> => {
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
    return listen(server, at, port).then(() => server)
  }
  const isAny = host === "0.0.0.0" || host === "::"
  const acquire = Effect.tryPromise({
    try: () =>
      isAny
        ? open("::").catch((error: NodeJS.ErrnoException) => {
            if (!isNoFamily(error)) throw error
            return open("0.0.0.0")
          })
        : open(host),
    catch: (error) => listenError(address, remedy, error as NodeJS.ErrnoException)
  })
  const release = (server: Server): Effect.Effect<void> =>
    Effect.callback((resume) => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    })
  return Effect.map(Effect.acquireRelease(acquire, release), (server) => {
    const bound = server.address()
    return typeof bound === "object" && bound !== null ? bound.port : port
  })
}
