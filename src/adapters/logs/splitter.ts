/** Cuts the bytes of a log file into records, in bounded memory however long a line is. */
import { parseLine } from "./line.ts"
import type { LogRecord } from "./port.ts"

const lineFeed = 0x0a

/** Bytes of a line that are held; of a longer one the pieces go on as records of their own. */
export const maxHeldBytes = 1024 * 1024

/** Bytes of a bad line that are kept to be shown. */
const shownBytes = 80

const joined = (parts: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  if (parts.length === 1) return parts[0] as Uint8Array
  const all = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    all.set(part, offset)
    offset += part.length
  }
  return all
}

export class RecordSplitter {
  private held: Array<Uint8Array> = []
  private size = 0
  /** The head of a line of which pieces have gone out already; `skipped`: the line is of no known format. */
  private open: LogRecord | "skipped" | undefined
  private readonly onBad: (line: string) => void

  constructor(onBad: (line: string) => void) {
    this.onBad = onBad
  }

  /** `chunk` is kept: it must not be written to afterwards. */
  push(chunk: Uint8Array): ReadonlyArray<LogRecord> {
    const records: Array<LogRecord> = []
    let from = 0
    while (from < chunk.length) {
      const feed = chunk.indexOf(lineFeed, from)
      const to = feed < 0 ? chunk.length : feed + 1
      this.held.push(chunk.subarray(from, to))
      this.size += to - from
      from = to
      if (feed >= 0 || this.size >= maxHeldBytes) this.take(records)
    }
    return records
  }

  /** What is left at the end of a file: a line without its line feed. */
  end(): ReadonlyArray<LogRecord> {
    const records: Array<LogRecord> = []
    if (this.size > 0) this.take(records)
    this.open = undefined
    return records
  }

  /** Whether a line has begun and not ended. */
  get isInLine(): boolean {
    return this.size > 0 || this.open !== undefined
  }

  private take(records: Array<LogRecord>): void {
    const bytes = joined(this.held, this.size)
    const isLast = bytes.at(-1) === lineFeed
    this.held = []
    this.size = 0
    const { open } = this
    if (open === undefined) {
      const record = parseLine(bytes)
      if (record === undefined) this.onBad(new TextDecoder().decode(bytes.subarray(0, shownBytes)).trimEnd())
      else records.push(record)
      this.open = isLast ? undefined : (record ?? "skipped")
      return
    }
    if (open !== "skipped") records.push({ ...open, bytes })
    if (isLast) this.open = undefined
  }
}
