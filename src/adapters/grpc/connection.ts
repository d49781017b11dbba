/**
 * gRPC calls with one request over HTTP/2 on a Unix socket (grpc/doc/PROTOCOL-HTTP2.md). What is asked every second, and many
 * times when pods start, costs a third here of what it costs through a general client, which also looks names up, spreads load,
 * retries and intercepts.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2"
import { connect as connectSocket } from "node:net"
import { FrameReader, frame } from "./frames.ts"
import {
  type GrpcFailure,
  type GrpcStatus,
  grpcCode,
  http2Code,
  httpFailure,
  resetFailure,
  statusIn,
  timeoutHeader
} from "./status.ts"

export interface GrpcAnswers {
  readonly message: (bytes: Buffer) => void
  /** Told once, as the last; `ok`: the server has said all. */
  readonly ended: (status: GrpcStatus) => void
}

export interface GrpcConnection {
  /**
   * `path`: `/package.Service/Method`; `timeout`: milliseconds, absent: none. Answers how to cancel the call: then nothing of it is
   * told any more.
   */
  readonly call: (path: string, request: Uint8Array, timeout: number | undefined, answers: GrpcAnswers) => () => void
  /** Ends it with all calls that are under way. */
  readonly close: () => void
}

export interface GrpcOptions {
  readonly socket: string
  /** Of one message, either way. */
  readonly maxMessageBytes: number
}

/** Longer ones fire at once. */
const maxTimer = 2 ** 31 - 1

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Connects with the first call, and anew with the first one after the connection is lost. */
export const openGrpc = ({ socket, maxMessageBytes }: GrpcOptions): GrpcConnection => {
  let current: Session | undefined
  const session = (): Session => {
    if (current === undefined || current.isGone) current = new Session(socket)
    return current
  }
  return {
    call: (path, request, timeout, answers) => {
      if (request.length > maxMessageBytes) {
        const details = `the request has ${request.length} bytes, and ${maxMessageBytes} are the most`
        answers.ended({ code: grpcCode.RESOURCE_EXHAUSTED, details })
        return () => {}
      }
      return new Call(session(), answers, maxMessageBytes).start(path, request, timeout)
    },
    close: () => current?.destroy()
  }
}

/** One connection to the server, while it lasts. */
class Session {
  isOpen = true
  /** Calls under way: whatever becomes of the connection, each is told. */
  readonly calls = new Set<Call>()
  private readonly socket: string
  private readonly http2: ClientHttp2Session

  constructor(socket: string) {
    this.socket = socket
    const http2 = connect("http://localhost", {
      createConnection: () => connectSocket(socket),
      // Messages have a bound of their own.
      maxSessionMemory: Number.MAX_SAFE_INTEGER
    })
    this.http2 = http2
    http2.on("error", (error: Error) => this.lost(error.message))
    http2.on("close", () => this.lost(`the connection to ${socket} was closed`))
    // It takes no more calls; those that are under way go on.
    http2.on("goaway", () => {
      this.isOpen = false
    })
  }

  get isGone(): boolean {
    return !this.isOpen || this.http2.closed || this.http2.destroyed
  }

  request(path: string, timeout: number | undefined): ClientHttp2Stream {
    return this.http2.request({
      ":method": "POST",
      ":path": path,
      te: "trailers",
      "content-type": "application/grpc",
      "user-agent": "chronode",
      ...(timeout === undefined ? {} : { "grpc-timeout": timeoutHeader(timeout) })
    })
  }

  /** A goaway leaves it to us to end the connection behind the last call. */
  left(call: Call): void {
    this.calls.delete(call)
    if (!this.isOpen && this.calls.size === 0) this.http2.destroy()
  }

  destroy(): void {
    this.http2.destroy()
    this.lost(`the connection to ${this.socket} was closed`)
  }

  lost(details: string): void {
    this.isOpen = false
    for (const call of [...this.calls]) call.end({ code: grpcCode.UNAVAILABLE, details })
    if (!this.http2.destroyed) this.http2.destroy()
  }
}

class Call {
  private readonly session: Session
  private readonly answers: GrpcAnswers
  private readonly reader: FrameReader
  private stream: ClientHttp2Stream | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private status: GrpcStatus | undefined
  private error: string | undefined
  private isOver = false

  constructor(session: Session, answers: GrpcAnswers, maxMessageBytes: number) {
    this.session = session
    this.answers = answers
    this.reader = new FrameReader(maxMessageBytes)
  }

  start(path: string, request: Uint8Array, timeout: number | undefined): () => void {
    this.session.calls.add(this)
    try {
      this.stream = this.session.request(path, timeout)
    } catch (error) {
      // Nothing has told yet that the connection is of no use.
      this.session.lost(textOf(error))
      return () => {}
    }
    this.follow(this.stream)
    this.stream.end(frame(request))
    if (timeout !== undefined && timeout <= maxTimer) {
      const late: GrpcFailure = {
        code: grpcCode.DEADLINE_EXCEEDED,
        details: `Deadline exceeded after ${timeout / 1000}s`
      }
      this.timer = setTimeout(() => this.giveUp(late), timeout)
    }
    return () => {
      if (this.isOver) return
      this.leave()
      this.stream?.close(http2Code.CANCEL)
    }
  }

  private follow(stream: ClientHttp2Stream): void {
    stream.on("response", (headers) => {
      const status = Number(headers[":status"])
      this.status = statusIn(headers) ?? (status === 200 ? undefined : httpFailure(status))
    })
    stream.on("trailers", (headers) => {
      this.status = statusIn(headers) ?? this.status
    })
    stream.on("data", (piece: Buffer) => this.read(piece))
    stream.on("error", (error: Error) => {
      // On Deno a stream tells why the connection failed in words of its own around it.
      this.error = error.message.replace(/^The pending stream has been canceled \(caused by: (.*)\)$/su, "$1")
    })
    stream.on("end", () => {
      if (this.status !== undefined) this.end(this.status)
    })
    stream.on("close", () => this.end(this.status ?? this.failureOf(stream.rstCode)))
  }

  /** Of a stream without a status. On Deno a stream is told of a lost connection before the connection is. */
  private failureOf(code: number): GrpcFailure {
    const { error, session } = this
    if (!session.isGone) return resetFailure(code, error)
    return { code: grpcCode.UNAVAILABLE, details: error ?? "the connection was lost" }
  }

  private read(piece: Buffer): void {
    if (this.isOver) return
    const read = this.reader.push(piece)
    if ("code" in read) this.giveUp(read)
    else for (const message of read) if (!this.isOver) this.answers.message(message)
  }

  private giveUp(failure: GrpcFailure): void {
    this.end(failure)
    this.stream?.close(http2Code.CANCEL)
  }

  end(status: GrpcStatus): void {
    if (this.isOver) return
    this.leave()
    const isCut = status === "ok" && this.reader.isAmidMessage
    this.answers.ended(isCut ? { code: grpcCode.INTERNAL, details: "the last message is not whole" } : status)
  }

  private leave(): void {
    this.isOver = true
    clearTimeout(this.timer)
    this.session.left(this)
  }
}
