/**
 * One line of a container's log: `2016-10-06T00:17:09.669794202Z stdout P text` (CRI) or a JSON object (Docker's json-file).
 * Follows cri-client's `pkg/logs/logs.go`. Pure.
 */
import type { LogRecord } from "./port.ts"

const lineFeed = 0x0a
const space = 0x20
const openBrace = 0x7b

/** Longest header of a CRI line that is looked at, bytes: time, stream and tags. */
const maxHeader = 256

const timePattern = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/u

/** The first tag of a line that goes on in the next record. */
const partialTag = "P"

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const encoder = new TextEncoder()

/** Nanoseconds since the epoch of an RFC 3339 time. */
export const nanoseconds = (time: string): bigint | undefined => {
  const match = timePattern.exec(time)
  if (match === null) return undefined
  const seconds = Date.parse(`${match[1]}${match[3]}`)
  if (Number.isNaN(seconds)) return undefined
  return BigInt(seconds) * 1_000_000n + BigInt((match[2] ?? "").padEnd(9, "0"))
}

/** A line's bytes with its line feed, if it has one. Undefined: it is of no format that is known. */
export const parseLine = (line: Uint8Array): LogRecord | undefined =>
  line[0] === openBrace ? parseJsonLine(line) : parseCriLine(line)

const parseCriLine = (line: Uint8Array): LogRecord | undefined => {
  const first = line.indexOf(space)
  const second = first < 0 ? -1 : line.indexOf(space, first + 1)
  const third = second < 0 ? -1 : line.indexOf(space, second + 1)
  if (third < 0 || third > maxHeader) return undefined
  const time = decoder.decode(line.subarray(0, first))
  const stream = decoder.decode(line.subarray(first + 1, second))
  const tags = decoder.decode(line.subarray(second + 1, third))
  if ((stream !== "stdout" && stream !== "stderr") || !timePattern.test(time)) return undefined
  const isPartial = tags.split(":", 1)[0] === partialTag
  const end = isPartial && line.at(-1) === lineFeed ? line.length - 1 : line.length
  return { time, stream, bytes: line.subarray(third + 1, end) }
}

const parseJsonLine = (line: Uint8Array): LogRecord | undefined => {
  try {
    const { log, stream, time } = JSON.parse(decoder.decode(line)) as Record<string, unknown>
    if (typeof log !== "string" || typeof time !== "string" || !timePattern.test(time)) return undefined
    if (stream !== "stdout" && stream !== "stderr") return undefined
    return { time, stream, bytes: encoder.encode(log) }
  } catch {
    return undefined
  }
}

/** Whether what follows of this stream belongs to the same line. */
export const isUnfinished = (record: LogRecord): boolean => record.bytes.at(-1) !== lineFeed
