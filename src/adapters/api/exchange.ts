/**
 * HTTP over connections that were accepted elsewhere, with a bound on everything that a client can make it do. The same code on
 * plain, TLS and unix sockets, and on every runtime: of `node:http` only the parser and the writer are used.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import {
  bodyTimeout,
  headTimeout,
  idleTimeout,
  maxHeaderBytes,
  maxPipelined,
  pieceBytes,
  stallTimeout
} from "./bounds.ts"
import { type ApiAnswer, type ApiRefusal, maxBodyBytes, refusal } from "./port.ts"

export interface Handlers {
  readonly request: (incoming: IncomingMessage, response: ServerResponse) => void
  readonly upgrade: (incoming: IncomingMessage, socket: Duplex, head: Buffer) => void
}

export interface Http {
  /** Speaks HTTP on a connection until it ends. */
  readonly serve: (socket: Socket) => void
}

export const makeHttp = ({ request, upgrade }: Handlers): Http => {
  const deadlines = new Map<Duplex, NodeJS.Timeout>()
  const unanswered = new WeakMap<Duplex, number>()

  const settle = (socket: Duplex): void => {
    clearTimeout(deadlines.get(socket))
    deadlines.delete(socket)
  }
  const expect = (socket: Duplex, within: number): void => {
    settle(socket)
    if (!socket.destroyed)
      deadlines.set(
        socket,
        setTimeout(() => socket.destroy(), within)
      )
  }

  // Its own timeouts count only where it listens itself; those here hold on any socket.
  const server = createServer({ maxHeaderSize: maxHeaderBytes }, (incoming, response) => {
    const { socket } = incoming
    settle(socket)
    const waiting = (unanswered.get(socket) ?? 0) + 1
    if (waiting > maxPipelined) {
      socket.destroy()
      return
    }
    unanswered.set(socket, waiting)
    response.once("close", () => {
      const left = (unanswered.get(socket) ?? 1) - 1
      unanswered.set(socket, left)
      if (left === 0) expect(socket, idleTimeout)
    })
    response.on("error", () => socket.destroy())
    request(incoming, response)
  })
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (socket.writable && error.code === "HPE_HEADER_OVERFLOW")
      socket.end("HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    else if (socket.writable && error.code?.startsWith("HPE_"))
      socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    // What the client goes on sending is not waited for.
    setTimeout(() => socket.destroy(), lingerMillis)
  })
  server.on("upgrade", (incoming, socket, head) => {
    settle(socket)
    upgrade(incoming, socket, head)
  })
  // A CONNECT is no request to this server.
  server.on("connect", (_, socket) => socket.destroy())

  return {
    serve: (socket) => {
      socket.on("error", () => socket.destroy())
      socket.once("close", () => settle(socket))
      expect(socket, headTimeout)
      server.emit("connection", socket)
    }
  }
}

/** For the last words to a client whose request was none. */
const lingerMillis = 1_000

/** A whole body of at most `maxBodyBytes`, within `bodyTimeout`. Rejects with an ApiRefusal. */
export const readBody = (incoming: IncomingMessage): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    const end = (outcome: Uint8Array | ApiRefusal): void => {
      clearTimeout(timer)
      incoming.off("data", onData)
      if (outcome instanceof Uint8Array) resolve(outcome)
      else reject(outcome)
    }
    const timer = setTimeout(() => end(refusal(408, "the body did not come in time")), bodyTimeout)
    const onData = (chunk: Uint8Array): void => {
      size += chunk.length
      if (size > maxBodyBytes) end(refusal(413, `the body is larger than ${maxBodyBytes} bytes`))
      else chunks.push(chunk)
    }
    incoming.on("data", onData)
    incoming.once("end", () => end(Buffer.concat(chunks)))
    incoming.once("error", () => end(refusal(400, "the body is broken")))
    incoming.once("close", () => end(refusal(400, "the body is broken")))
  })

/** Whether the client is still there after what was written so far has gone out. */
const drained = (response: ServerResponse): Promise<boolean> =>
  new Promise((resolve) => {
    const end = (goesOn: boolean) => {
      clearTimeout(timer)
      response.off("drain", onDrain)
      response.off("close", onClose)
      resolve(goesOn)
    }
    const onDrain = () => end(true)
    const onClose = () => end(false)
    const timer = setTimeout(() => {
      response.destroy()
      end(false)
    }, stallTimeout)
    response.on("drain", onDrain)
    response.on("close", onClose)
  })

const write = async (response: ServerResponse, bytes: Uint8Array): Promise<boolean> => {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (response.destroyed || response.closed) return false
    if (!response.write(bytes.subarray(at, at + pieceBytes)) && !(await drained(response))) return false
  }
  return true
}

/** Ends with the answer, or with the client: a slow one waits alone. */
export const send = async (incoming: IncomingMessage, response: ServerResponse, answer: ApiAnswer): Promise<void> => {
  const { status, headers, body } = answer
  const whole = typeof body === "string" ? Buffer.from(body) : body instanceof Uint8Array ? body : undefined
  const isUnread =
    !incoming.complete &&
    (incoming.headers["content-length"] !== undefined || incoming.headers["transfer-encoding"] !== undefined)
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    ...headers,
    ...(whole === undefined ? {} : { "content-length": whole.length }),
    // A body that nobody reads does not keep the connection.
    ...(isUnread ? { connection: "close" } : {})
  })
  // Said at once, also where the first of a body comes much later.
  response.flushHeaders()
  if (incoming.method !== "HEAD") {
    if (whole !== undefined) {
      if (!(await write(response, whole))) return
    } else {
      for await (const piece of body as AsyncIterable<Uint8Array>) if (!(await write(response, piece))) return
    }
  }
  response.end()
  // What is left in buffers goes out in time, or not at all.
  if (!response.writableFinished && !response.destroyed) {
    const timer = setTimeout(() => response.destroy(), stallTimeout)
    response.once("close", () => clearTimeout(timer))
  }
}
