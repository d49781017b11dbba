/** One listening socket of the API with all its connections, as long as a scope lives. */
import { chmodSync, mkdirSync, renameSync, rmSync } from "node:fs"
import { createServer, type Server, type Socket } from "node:net"
import { dirname, join } from "node:path"
import { Effect, type Scope } from "effect"
import { boundPort, ListenError, listenError, listening } from "../serving/listen.ts"
import { makeAcceptor } from "./accept.ts"

/** The kernel's limit on the path of a unix socket, with its end (sockaddr_un). */
const maxSocketPath = 107

/** What is done with a connection that was let in. */
export type Serve = (socket: Socket) => void

const makeServer = (serve: Serve) => {
  const acceptor = makeAcceptor()
  const server = () =>
    createServer((socket) => {
      if (acceptor.admit(socket)) serve(socket)
    })
  const close = (open: Server): Effect.Effect<void> =>
    Effect.callback((resume) => {
      open.close(() => resume(Effect.void))
      acceptor.closeAll()
    })
  return { server, close }
}

/** Listens until the scope ends; then its connections are closed too. Answers the port that it got. */
export const serveAddress = (
  { host, port }: { readonly host: string; readonly port: number },
  address: string,
  remedy: string,
  serve: Serve
): Effect.Effect<number, ListenError, Scope.Scope> => {
  const { server, close } = makeServer(serve)
  const acquire = Effect.tryPromise({
    try: () => listening(server, { host, port }),
    catch: (error) => listenError(address, remedy, error as NodeJS.ErrnoException)
  })
  return Effect.map(Effect.acquireRelease(acquire, close), (open) => boundPort(open, port))
}

/** The same at a path, which is the owner's alone from the first moment on. What stands there is replaced. */
export const servePath = (path: string, serve: Serve): Effect.Effect<void, ListenError, Scope.Scope> => {
  const { server, close } = makeServer(serve)
  // Made in a directory that nobody else can enter, closed to others, and then put into its place.
  const nursery = join(dirname(path), ".api")
  const born = join(nursery, "s")
  const open = async (): Promise<Server> => {
    mkdirSync(nursery, { recursive: true, mode: 0o700 })
    chmodSync(nursery, 0o700)
    rmSync(born, { force: true })
    const listens = await listening(server, { path: born })
    chmodSync(born, 0o600)
    renameSync(born, path)
    return listens
  }
  const acquire =
    Buffer.byteLength(path) > maxSocketPath
      ? Effect.fail(
          new ListenError({
            address: path,
            message: `the path of the local socket is longer than ${maxSocketPath} bytes: ${path}`,
            remedy: "give --data-dir a shorter path"
          })
        )
      : Effect.tryPromise({
          try: open,
          catch: (error) => listenError(path, "look at the data directory", error as NodeJS.ErrnoException)
        })
  const release = (listens: Server): Effect.Effect<void> =>
    Effect.andThen(
      Effect.sync(() => rmSync(path, { force: true })),
      close(listens)
    )
  return Effect.asVoid(Effect.acquireRelease(acquire, release))
}
