/** One connection to a runtime's streaming server: the HTTP upgrade to SPDY/3.1, and streams on it. */
import type { Socket } from "node:net"
import { Effect, type Scope } from "effect"
import { dataFrame, type Frame, FrameReader, maxDataBytes, pingFrame, StreamOpener } from "./frames.ts"
import { StreamingError } from "./port.ts"
import { isSwitched, maxHeadBytes, requestUpgrade, type Upgraded } from "./upgrade.ts"

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
    // Either side may end its half; nothing of SPDY goes on after that.
    socket.once("end", () => socket.end())
    socket.once("close", () => this.close())
    if (first.length > 0) this.receive(first)
    socket.resume()
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

const request = (url: URL, protocol: string): ReadonlyArray<string> => [
  `POST ${url.pathname}${url.search} HTTP/1.1`,
  `Host: ${url.host}`,
  "Connection: Upgrade",
  "Upgrade: SPDY/3.1",
  `X-Stream-Protocol-Version: ${protocol}`,
  "Content-Length: 0"
]

/** The bare connection, over which SPDY is spoken from here on. @param protocol of what runs over the streams */
export const openSpdy = (address: string, protocol: string): Effect.Effect<Upgraded, StreamingError> =>
  Effect.suspend(() => {
    const url = new URL(address)
    return Effect.flatMap(requestUpgrade(url, request(url, protocol)), (upgraded) => {
      if (isSwitched(upgraded.head)) return Effect.succeed(upgraded)
      upgraded.socket.destroy()
      return Effect.fail(refusalOf(upgraded.head, upgraded.rest.toString("utf8").slice(0, maxHeadBytes)))
    })
  })

/** @param protocol of what runs over the streams: `v4.channel.k8s.io`. Closed with the scope. */
export const openConnection = (
  address: string,
  protocol: string
): Effect.Effect<SpdyConnection, StreamingError, Scope.Scope> =>
  Effect.acquireRelease(openSpdy(address, protocol), ({ socket }) => Effect.sync(() => socket.destroy()), {
    interruptible: true
  }).pipe(Effect.map(({ socket, rest }) => new Connection(socket, rest).service))
