/**
 * Where a command's output goes. Results go to stdout, diagnostics to stderr. Writes are synchronous, so that output
 * and diagnostics keep their order and nothing is lost at exit, whatever stdout is (terminal, pipe, file).
 */
import { writeSync } from "node:fs"
import { isatty } from "node:tty"
import { CommandFailed } from "./exit.ts"
import { type Colour, painter } from "./text.ts"

/** The reader of stdout went away (`| head`): the command has nothing left to do, and that is no failure. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed"
}

export interface Terminal {
  /**
   * Text for stdout, as it is; buffered up to `bufferedBytes`. Throws `OutputClosed` when nobody reads it any more, and
   * `CommandFailed` where it cannot be written (a full disk): what is buffered is lost.
   */
  readonly out: (text: string) => void
  /** The same for bytes that need be no text. */
  readonly bytes: (data: Uint8Array) => void
  /** One line for stderr. */
  readonly note: (line: string) => void
  /** Bytes for stderr, as they are. */
  readonly noteBytes: (data: Uint8Array) => void
  /** Writes out what is buffered. Call it when the command is about to wait. */
  readonly flush: () => void
  /** Whether stdout takes colours: it is a terminal, and NO_COLOR (no-color.org) is not set. */
  readonly colours: boolean
  /** Characters of a line of stdout; 120 where it is no terminal. */
  readonly columns: number
  /** Whether stderr is a terminal: progress is shown there only. */
  readonly interactive: boolean
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const bufferedBytes = 64 * 1024
/** How long to wait for a non-blocking pipe to drain before trying again, milliseconds. */
const drainPause = 2
/** Width of text that no terminal shows. */
const plainColumns = 120
const stdoutDescriptor = 1
const stderrDescriptor = 2

const pause = new Int32Array(new SharedArrayBuffer(4))

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined

/** Writes everything, in as many pieces as the descriptor takes. */
const writeAll = (descriptor: number, bytes: Uint8Array): void => {
  let written = 0
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written, bytes.length - written)
    } catch (error) {
      // A pipe that another process made non-blocking.
      if (codeOf(error) !== "EAGAIN") throw error
      Atomics.wait(pause, 0, 0, drainPause)
    }
  }
}

/** Whether a stream takes colours: it is a terminal, and NO_COLOR (no-color.org) is not set. */
const takesColours = (descriptor: number): boolean =>
  isatty(descriptor) && !process.env.NO_COLOR && process.env.TERM !== "dumb"

/** Colours by name, for a stream that a program writes to without a `Terminal` (the agent's log). */
export const paletteFor = (stream: { readonly fd?: number }): Readonly<Record<Colour, (text: string) => string>> => {
  const paint = painter(stream.fd !== undefined && takesColours(stream.fd))
  const of = (colour: Colour) => (text: string) => paint(colour, text)
  return {
    bold: of("bold"),
    dim: of("dim"),
    inverse: of("inverse"),
    red: of("red"),
    green: of("green"),
    yellow: of("yellow"),
    cyan: of("cyan")
  }
}

/** The terminal of this process. */
export const processTerminal = (): Terminal => {
  const encoder = new TextEncoder()
  let buffer: Array<Uint8Array> = []
  let size = 0
  const flush = (): void => {
    if (size === 0) return
    const bytes = Buffer.concat(buffer)
    buffer = []
    size = 0
    try {
      writeAll(stdoutDescriptor, bytes)
    } catch (error) {
      if (codeOf(error) === "EPIPE") throw new OutputClosed("nobody reads stdout")
      throw new CommandFailed(`stdout cannot be written: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const noteBytes = (data: Uint8Array): void => {
    flush()
    try {
      writeAll(stderrDescriptor, data)
    } catch (error) {
      // A diagnostic that nobody can read stops nothing.
      if (codeOf(error) !== "EPIPE") throw error
    }
  }
  const put = (data: Uint8Array): void => {
    buffer.push(data)
    size += data.length
    if (size >= bufferedBytes) flush()
  }
  return {
    out: (text) => put(encoder.encode(text)),
    bytes: put,
    note: (line) => noteBytes(encoder.encode(`${line}\n`)),
    noteBytes,
    flush,
    colours: takesColours(stdoutDescriptor),
    get columns() {
      return (isatty(stdoutDescriptor) && process.stdout.columns) || plainColumns
    },
    interactive: isatty(stderrDescriptor) && process.env.TERM !== "dumb",
    now: Date.now
  }
}
