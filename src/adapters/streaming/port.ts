/**
 * The runtime's streaming server: what Exec, Attach and PortForward of CRI answer a URL of. A process's streams and a port's
 * connection, without the protocol beneath.
 */
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
