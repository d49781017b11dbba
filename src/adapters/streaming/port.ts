/**
 * The runtime's streaming server: what Exec, Attach and PortForward of CRI answer a URL of. A process's streams and a port's
 * connection, without the protocol beneath.
 */
import type { Duplex } from "node:stream"
import { type Effect, Schema, type Scope } from "effect"

export class StreamingError extends Schema.TaggedError<StreamingError>()("StreamingError", {
  /** `Refused`: the server said no; `Broken`: the connection ended early; `Process`: the command did not come to run or to an end. */
  reason: Schema.Literals(["Refused", "Broken", "Process"]),
  message: Schema.String
}) {}

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** Where bytes come from; each function is called with what to tell, and answers how to stop that. */
export interface InputSource {
  /** `data` answers false where the receiver wants a pause, until `resume`. */
  readonly start: (data: (bytes: Uint8Array) => boolean, end: () => void) => void
  readonly resume: () => void
}

export interface ProcessStreams {
  /** Absent: the process gets no stdin. */
  readonly stdin?: InputSource | undefined
  readonly stdout: (bytes: Uint8Array) => void
  /** With a terminal there is none. */
  readonly stderr: (bytes: Uint8Array) => void
  /** Whether the process has a terminal. */
  readonly tty: boolean
  /** This side's terminal: its size now, and what is called when that changes; answers how to stop listening. */
  readonly terminal?:
    | { readonly size: () => TerminalSize; readonly onResize: (changed: () => void) => () => void }
    | undefined
}

/** Connects a process's streams until it ends; answers its exit code (0 where it is not told, as of an attach). */
export type RunProcess = (url: string, streams: ProcessStreams) => Effect.Effect<number, StreamingError>

/** One connection to a port of a pod. Both directions end on their own. */
export interface PortConnection {
  /** False: wait for `onDrain` before more is written. */
  readonly write: (bytes: Uint8Array) => boolean
  readonly end: () => void
}
export interface PortListener {
  /** False: no more until `resume` of the connection is called. */
  readonly onData: (bytes: Uint8Array) => void
  readonly onEnd: () => void
  readonly onDrain: () => void
  /** `undefined`: both sides have ended. */
  readonly onClose: (problem: StreamingError | undefined) => void
}
export type ConnectPort = (
  url: string,
  port: number,
  listener: PortListener
) => Effect.Effect<
  PortConnection & { readonly pause: () => void; readonly resume: () => void },
  StreamingError,
  Scope.Scope
>

/** A client of ours that asked for another protocol: its request, and its connection from there on. */
export interface UpgradingClient {
  readonly method: string
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: ReadonlyArray<string>
  readonly socket: Duplex
  /** What came behind the request's head. */
  readonly head: Uint8Array
  /** For X-Forwarded-For; empty: not told. */
  readonly address: string
}

/** Where it goes. Both are what clients of kubelet speak, and what runs over the streams. */
export interface StreamTarget {
  /** Of the runtime's streaming server. */
  readonly url: string
  readonly protocol: "remotecommand" | "portforward"
  /** Streams of the process that were asked for. */
  readonly streams: {
    readonly stdin: boolean
    readonly stdout: boolean
    readonly stderr: boolean
    readonly tty: boolean
  }
}

export interface StreamEnd {
  /** `completed`: one of the two sides closed it; `failed`: it did not come about, or broke; `idle`: nothing was sent for too long. */
  readonly outcome: "completed" | "failed" | "idle"
  readonly message?: string
  /** Bytes from the client and to it, as they were on the wire (inside TLS). */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Of the process, where the runtime told it. */
  readonly exitCode?: number
}

/** Connects a client with the runtime's streaming server until that is over. Interrupted it closes both connections. */
export type PassThrough = (
  client: UpgradingClient,
  target: StreamTarget,
  options: {
    /** Milliseconds without a byte in either direction; 0: for ever. */
    readonly idleTimeout: number
  }
) => Effect.Effect<StreamEnd>

/** Why a request is refused before anybody is asked; undefined: what it asks for is spoken. */
export type UpgradeProblem = (
  method: string,
  rawHeaders: ReadonlyArray<string>
) => { readonly status: number; readonly message: string } | undefined

/** Answers a client that asked for a WebSocket with a body in messages. `body` is opened once the client is known to speak that. */
export type SendMessages = <E>(
  client: UpgradingClient,
  body: Effect.Effect<AsyncIterable<Uint8Array>, E>
) => Effect.Effect<void, E | { readonly status: number; readonly message: string }>
