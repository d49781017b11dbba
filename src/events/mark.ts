/**
 * What is needed to find an event's place in a log, read from its line without decoding it: its number, its id, and when it
 * was recorded. Lines that this program wrote have them where `encode` puts them; others are parsed.
 */
import { millis } from "./definition.ts"

export interface Mark {
  readonly sequence: number
  readonly id: string
  /** Milliseconds. */
  readonly recorded: number
}

const idOpening = '{"specversion":"1.0","id":"'
const sequenceKey = '"sequence":"'
const timeKey = '"recordedtime":"'

/** No text can hold a key as it is (its quotes would be escaped), and the envelope's stand before command and data. */
const attribute = (line: string, key: string, from: number): string | undefined => {
  const at = line.indexOf(key, from)
  if (at < 0) return undefined
  const start = at + key.length
  return line.slice(start, line.indexOf('"', start))
}

/** Undefined: the line is no event. */
export const markOf = (line: string): Mark | undefined => {
  if (!line.startsWith(idOpening)) return parsedMark(line)
  const id = line.slice(idOpening.length, line.indexOf('"', idOpening.length))
  const sequence = Number(attribute(line, sequenceKey, idOpening.length) ?? Number.NaN)
  const time = attribute(line, timeKey, idOpening.length)
  return Number.isSafeInteger(sequence) && time !== undefined ? checked(sequence, id, time) : parsedMark(line)
}

const checked = (sequence: number, id: string, time: string): Mark | undefined => {
  const recorded = millis(time)
  return Number.isNaN(recorded) ? undefined : { sequence, id, recorded }
}

const parsedMark = (line: string): Mark | undefined => {
  let json: Readonly<Record<string, unknown>> | null
  try {
    json = JSON.parse(line) as typeof json
  } catch {
    return undefined // that it is no event is told where it is read as one
  }
  const { id, recordedtime, sequence, time } = json ?? {}
  const number = typeof sequence === "string" ? Number(sequence) : Number.NaN
  const at = typeof recordedtime === "string" ? recordedtime : time
  return typeof id === "string" && typeof at === "string" && Number.isSafeInteger(number)
    ? checked(number, id, at)
    : undefined
}
