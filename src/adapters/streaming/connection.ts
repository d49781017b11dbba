/** One connection to a runtime's streaming server: the HTTP upgrade to SPDY/3.1, and streams on it. */
import { connect, type Socket } from "node:net"
import { connect as connectSecurely } from "node:tls"
import { Effect, type Scope } from "effect"
import { dataFrame, type Frame, FrameReader, maxDataBytes, pingFrame, StreamOpener } from "./frames.ts"
import { StreamingError } from "./port.ts"

/** Milliseconds until the server must have answered the upgrade. */
const upgradeTimeout = 10_000
/** Bytes of an answer's head, and of a refusal's text. */
const maxHeadBytes = 16 * 1024
const headEnd = "\r\n\r\n"

export interface StreamHandler {
  readonly onData: (bytes: Uint8Array) => void
  /** The other side has ended its half, or the whole stream (`isReset`). */
  readonly onEnd: (isReset: boolean) => void
}

export interface SpdyStream {
  /** False where the connection is full: wait for `onDrain`. */
  readonly write: (bytes: Uint8Array) => boolean
  readonly end: () => void
}

export interface SpdyConnection {
  /** Resolves when the server has taken the stream. */
  readonly open: (
    headers: Readonly<Record<string, string>>,
    handler: StreamHandler
  ) => Effect.Effect<SpdyStream, StreamingError>
  readonly onDrain: (drained: () => void) => void
  /** Called once, when the connection is over. */
  readonly onClose: (closed: () => void) => void
  readonly pause: () => void
  readonly resume: () => void
}

const broken = (message: string): StreamingError => new StreamingError({ reason: "Broken", message })
const refused = (message: string): StreamingError => new StreamingError({ reason: "Refused", message })

interface OpenStream {
  readonly handler: StreamHandler
  /** Until the server has answered. */
  answer: ((taken: boolean) => void) | undefined
}

class Connection {
  private readonly socket: Socket
  private readonly opener = new StreamOpener()
  private readonly reader = new FrameReader()
  private readonly streams = new Map<number, OpenStream>()
  private readonly closed: Array<() => void> = []
  private isClosed = false
  /** Of the client: odd. */
  private next = 1

  constructor(socket: Socket, first: Uint8Array) {
    this.socket = socket
    socket.on("data", (bytes) => this.receive(bytes))
    // What goes wrong is followed by the close.
    socket.on("error", () => {})
    socket.once("close", () => this.close())
    if (first.length > 0) this.receive(first)
  }

  readonly service: SpdyConnection = {
    open: (headers, handler) => Effect.callback((resume) => this.open(headers, handler, resume)),
    onDrain: (drained) => void this.socket.on("drain", drained),
    onClose: (closed) => void (this.isClosed ? closed() : this.closed.push(closed)),
    pause: () => void this.socket.pause(),
    resume: () => void this.socket.resume()
  }

  private open(
    headers: Readonly<Record<string, string>>,
    handler: StreamHandler,
    resume: (result: Effect.Effect<SpdyStream, StreamingError>) => void
  ): void {
    if (this.isClosed) {
      resume(Effect.fail(broken("the connection to the runtime is closed")))
      return
    }
    const id = this.next
    this.next += 2
    let isEnded = false
    const send = (bytes: Uint8Array, isLast: boolean): boolean =>
      this.socket.writable ? this.socket.write(dataFrame(id, bytes, isLast)) : true
    const stream: SpdyStream = {
      write: (bytes) => {
        let isRoom = true
        for (let at = 0; at < bytes.length && !isEnded; at += maxDataBytes)
          isRoom = send(bytes.subarray(at, at + maxDataBytes), false)
        return isRoom
      },
      end: () => {
        if (!isEnded) send(new Uint8Array(), true)
        isEnded = true
      }
    }
    const answer = (taken: boolean): void =>
      resume(
        taken
          ? Effect.succeed(stream)
          : Effect.fail(refused(`the runtime refused the stream ${headers.streamtype ?? ""}`))
      )
    this.streams.set(id, { handler, answer })
    this.socket.write(this.opener.open(id, headers))
  }

  private receive(bytes: Uint8Array): void {
    try {
      for (const frame of this.reader.push(bytes)) this.handle(frame)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.socket.destroy()
    }
  }

  private handle(frame: Frame): void {
    if (frame.type === "ping") {
      // Its own come with even numbers; odd ones would be answers to ours.
      if (frame.id % 2 === 0) this.socket.write(pingFrame(frame.id))
      return
    }
    if (frame.type === "goAway" || frame.type === "other") return
    const stream = this.streams.get(frame.stream)
    if (stream === undefined) return
    if (frame.type === "data" && frame.bytes.length > 0) stream.handler.onData(frame.bytes)
    if (frame.type === "reply" || frame.type === "reset") {
      stream.answer?.(frame.type === "reply")
      stream.answer = undefined
    }
    if (frame.type === "reset" || frame.fin) {
      this.streams.delete(frame.stream)
      stream.handler.onEnd(frame.type === "reset")
    }
  }

  private close(): void {
    this.isClosed = true
    for (const stream of this.streams.values()) {
      if (stream.answer !== undefined) stream.answer(false)
      else stream.handler.onEnd(true)
    }
    this.streams.clear()
    for (const closed of this.closed) closed()
  }
}

/** `HTTP/1.1 404 Not Found` and what else the server has to say. */
const refusalOf = (head: string, body: string): StreamingError => {
  const [status = ""] = head.split("\r\n", 1)
  const text = body.trim()
  return refused(
    `the runtime's streaming server answers ${status.replace(/^HTTP\/1\.[01] /u, "")}${text === "" ? "" : `: ${text}`}`
  )
}

const request = (url: URL, protocol: string): string => {
  const lines = [
    `POST ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    "Connection: Upgrade",
    "Upgrade: SPDY/3.1",
    `X-Stream-Protocol-Version: ${protocol}`,
    "Content-Length: 0"
  ]
  return `${lines.join("\r\n")}${headEnd}`
}

/** @param protocol of what runs over the streams: `v4.channel.k8s.io`. Closed with the scope. */
export const openConnection = (
  address: string,
  protocol: string
): Effect.Effect<SpdyConnection, StreamingError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<{ readonly socket: Socket; readonly service: SpdyConnection }, StreamingError>((resume) => {
      const url = new URL(address)
      const isSecure = url.protocol === "https:"
      const host = url.hostname.replace(/^\[|\]$/gu, "")
      const port = Number(url.port) || (isSecure ? 443 : 80)
      const socket = isSecure ? connectSecurely({ host, port }) : connect({ host, port })
      let answer = Buffer.alloc(0)
      const fail = (error: StreamingError): void => {
        clearTimeout(late)
        socket.destroy()
        resume(Effect.fail(error))
      }
      const late = setTimeout(() => fail(broken(`the streaming server at ${url.host} does not answer`)), upgradeTimeout)
      const onError = (error: Error): void => fail(broken(`the streaming server at ${url.host}: ${error.message}`))
      const onEnd = (): void => fail(refusalOf(answer.toString("latin1"), ""))
      const onData = (bytes: Uint8Array): void => {
        answer = Buffer.concat([answer, bytes])
        const end = answer.indexOf(headEnd)
        if (end < 0) {
          if (answer.length > maxHeadBytes) fail(refused(`what answers at ${url.host} is no streaming server`))
          return
        }
        const head = answer.toString("latin1", 0, end)
        const rest = answer.subarray(end + headEnd.length)
        if (!/^HTTP\/1\.1 101 /u.test(head)) {
          fail(refusalOf(head, rest.toString("utf8").slice(0, maxHeadBytes)))
          return
        }
        clearTimeout(late)
        socket.off("error", onError).off("end", onEnd).off("data", onData)
        socket.setNoDelay(true)
        resume(Effect.succeed({ socket, service: new Connection(socket, rest).service }))
      }
      socket.on("error", onError).on("end", onEnd).on("data", onData)
      socket.once(isSecure ? "secureConnect" : "connect", () => socket.write(request(url, protocol)))
      return Effect.sync(() => {
        clearTimeout(late)
        socket.destroy()
      })
    }),
    ({ socket }) => Effect.sync(() => socket.destroy()),
    { interruptible: true }
  ).pipe(Effect.map(({ service }) => service))
