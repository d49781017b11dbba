/**
 * The library takes all its listeners off a socket between the steps of connecting. An error in such a gap (a server
 * that dies just then; with TLS 1.3 the server's refusal of a client certificate, which comes after the handshake) would
 * be nobody's, and end the process on Deno and Node. `close` follows every error, and that is listened to.
 */
import type { Socket } from "node:net"
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls"
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js"

const ignore = (): void => {}

/** The socket never is without a listener of its errors. */
const keepErrorListener = <S extends Socket>(socket: S): S => {
  const removeAll = socket.removeAllListeners.bind(socket)
  socket.on("error", ignore)
  socket.removeAllListeners = (event?: string | symbol) => {
    if (event === undefined) removeAll()
    else removeAll(event)
    return socket.on("error", ignore)
  }
  return socket
}

interface Address {
  readonly hostname: string
  readonly port: number
}

/** TLS over the transport's socket, or (`address`) over a connection of its own; the server has to prove who it is. */
const secured = async (transport: NodeTransport, address?: Address): Promise<TLSSocket> => {
  // The library reads them from the files that the options name; without options there are none.
  const read = typeof transport.options.tls === "object" ? await transport.loadClientCerts() : undefined
  const { ca, cert, key } = read ?? {}
  return await new Promise((resolve, reject) => {
    const options: ConnectionOptions = {
      servername: transport.tlsName,
      ...(address === undefined ? { socket: transport.socket } : { host: address.hostname, port: address.port }),
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      rejectUnauthorized: true
    }
    let problem: Error | undefined
    const socket = keepErrorListener(connect(options))
    socket.on("error", (error) => {
      problem = error
    })
    socket.once("close", () =>
      reject(problem ?? new Error("the server closed the connection during the TLS handshake"))
    )
    socket.once("secureConnect", () => {
      socket.removeAllListeners()
      resolve(socket)
    })
    if (address !== undefined) socket.setNoDelay(true)
  })
}

/** Takes the place of the library's own ways to open a socket, for every connection of this process. */
export const keepErrorListeners = (): void => {
  const transport = NodeTransport.prototype
  const dial = transport.dial
  transport.dial = async function (this: NodeTransport, address: Address) {
    return keepErrorListener(await dial.call(this, address))
  }
  transport.tlsFirst = async function (this: NodeTransport, address: Address) {
    return await secured(this, address)
  }
  transport.startTLS = async function (this: NodeTransport) {
    return await secured(this)
  }
}
