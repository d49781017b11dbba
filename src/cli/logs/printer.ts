/**
 * Log records as output: whole lines, however many pieces the runtime wrote them in; the pieces of a line beyond a bound go
 * out as they come. Bytes stay as they are: a log may be no text.
 */
import type { LogRecord } from "../../adapters/logs/port.ts"

export interface PrintOptions {
  readonly timestamps: boolean
  /** Before each line: `[pod/web/app] `. */
  readonly prefix: string
  /** JSON lines instead of text, with these names in each. */
  readonly json: { readonly namespace: string; readonly pod: string; readonly container: string } | undefined
}

/** Bytes of an unfinished line that are held back. */
const maxHeldBytes = 1024 * 1024

const lineFeed = 0x0a
const encoder = new TextEncoder()
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Nine digits of a second, always (Go's RFC3339NanoFixed), so that lines align. */
export const fixedTime = (time: string): string =>
  time.replace(/(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/u, (_, digits: string | undefined, zone: string) => {
    return `.${(digits ?? "").padEnd(9, "0")}${zone}`
  })

interface Held {
  readonly time: string
  parts: Array<Uint8Array>
  size: number
  /** Pieces of this line have gone out already. */
  isContinued: boolean
}

export class LinePrinter {
  private readonly options: PrintOptions
  private readonly out: (bytes: Uint8Array) => void
  private readonly held = new Map<LogRecord["stream"], Held>()

  constructor(options: PrintOptions, out: (bytes: Uint8Array) => void) {
    this.options = options
    this.out = out
  }

  print(record: LogRecord): void {
    const { stream, bytes } = record
    const isWhole = bytes.at(-1) === lineFeed
    let line = this.held.get(stream)
    if (line === undefined) {
      line = { time: record.time, parts: [], size: 0, isContinued: false }
      if (!isWhole) this.held.set(stream, line)
    }
    line.parts.push(bytes)
    line.size += bytes.length
    if (isWhole) this.held.delete(stream)
    else if (line.size < maxHeldBytes) return
    this.emit(stream, line, isWhole)
  }

  /** What the container did not end with a line feed. */
  end(): void {
    for (const [stream, line] of this.held) if (line.size > 0) this.emit(stream, line, false)
    this.held.clear()
  }

  private emit(stream: LogRecord["stream"], line: Held, isWhole: boolean): void {
    const bytes = line.parts.length === 1 ? (line.parts[0] as Uint8Array) : Buffer.concat(line.parts)
    const { timestamps, prefix, json } = this.options
    if (json !== undefined)
      this.out(encoder.encode(`${JSON.stringify(jsonLine(json, stream, line.time, bytes, isWhole))}\n`))
    else {
      const head = line.isContinued ? "" : `${prefix}${timestamps ? `${fixedTime(line.time)} ` : ""}`
      this.out(head === "" ? bytes : Buffer.concat([encoder.encode(head), bytes]))
    }
    line.parts = []
    line.size = 0
    line.isContinued = true
  }
}

/** What is no UTF-8 is given in base64. */
const jsonLine = (
  names: NonNullable<PrintOptions["json"]>,
  stream: string,
  time: string,
  bytes: Uint8Array,
  isWhole: boolean
): object => {
  const line = isWhole ? bytes.subarray(0, -1) : bytes
  const head = { time, ...names, stream }
  const tail = isWhole ? {} : { partial: true }
  try {
    return { ...head, log: strict.decode(line), ...tail }
  } catch {
    return { ...head, base64: Buffer.from(line).toString("base64"), ...tail }
  }
}

/** Cuts output off after a number of bytes. */
export class ByteLimit {
  private left: number

  constructor(bytes: number) {
    this.left = bytes
  }

  get isReached(): boolean {
    return this.left <= 0
  }

  take(bytes: Uint8Array): Uint8Array {
    const taken = bytes.subarray(0, Math.max(this.left, 0))
    this.left -= taken.length
    return taken
  }
}
