/** Points in time and lengths of time, as people write them on a command line. */
import { Result } from "effect"
import { parseGoDuration } from "../events/go-duration.ts"
import { UsageError } from "./exit.ts"

const days = /(\d+(?:\.\d+)?)d/gu

/** `90s`, `1h30m`, `1.5d`, `100ms` to milliseconds: Go's time.ParseDuration without a sign, and days. */
export const parseLength = (text: string): number | undefined => {
  if (/^[+-]/u.test(text)) return undefined
  const read = parseGoDuration(text.replace(days, (_, amount) => `${Number(amount) * 24}h`))
  return Result.isSuccess(read) ? read.success : undefined
}

/** Milliseconds of a length of time that has been checked; kubelet's files may hold a sign. */
export const lengthOf = (text: string): number => {
  const length = parseLength(text.replace(/^[+-]/u, "")) ?? Number.NaN
  return text.startsWith("-") ? -length : length
}

const clockPattern = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3})\d*)?)?$/u
const datePattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/iu

const fractionMillis = (digits: string | undefined): number =>
  digits === undefined ? 0 : Number(digits.slice(0, 3).padEnd(3, "0"))

const parseDate = (text: string): number | undefined => {
  const match = datePattern.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction, zone] = match
  const parts = [year, month, day, hour, minute, second].map(Number) as [number, number, number, number, number, number]
  const [y, mo, d, h, mi, s] = parts
  const utc = Date.UTC(y, mo - 1, d, h, mi, s, fractionMillis(fraction))
  const check = new Date(utc)
  // 2026-02-30 or 25:00 would silently become another time.
  if (check.getUTCMonth() !== mo - 1 || check.getUTCDate() !== d || check.getUTCHours() !== h || mi > 59 || s > 59)
    return undefined
  if (zone === undefined) return new Date(y, mo - 1, d, h, mi, s, fractionMillis(fraction)).getTime()
  if (zone.toUpperCase() === "Z") return utc
  const offset = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return utc - (zone.startsWith("-") ? -1 : 1) * offset * 60_000
}

/**
 * A point in time, milliseconds since the epoch, from: RFC 3339 (`2026-11-21T05:53:47Z`), the same with a space or
 * without a zone, as this program prints it (local time), a date, a time of day (`05:53`, the latest one that is not in
 * the future), a length of time ago (`10m`, `2h`, `1d`, `1h30m`), or `now`.
 *
 * @param now milliseconds since the epoch
 */
export const parseTime = (text: string, now: number): number | undefined => {
  const trimmed = text.trim()
  if (trimmed === "now") return now
  const ago = parseLength(trimmed.replace(/\s*ago$/u, ""))
  if (ago !== undefined) return now - ago
  const clock = clockPattern.exec(trimmed)
  if (clock !== null) {
    const [, hour, minute, second = "0", fraction] = clock
    if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
    const at = new Date(now)
    at.setHours(Number(hour), Number(minute), Number(second), fractionMillis(fraction))
    if (at.getTime() > now) at.setDate(at.getDate() - 1)
    return at.getTime()
  }
  return parseDate(trimmed)
}

/** The value of a flag that is a point in time; `UsageError` names the flag. */
export const timeFlag = (flag: string, text: string | undefined, now: number): number | undefined => {
  if (text === undefined) return undefined
  const at = parseTime(text, now)
  if (at === undefined)
    throw new UsageError(
      `${flag}: '${text}' is no time; write 2026-11-21T05:53:47Z, 05:53, or 10m (ten minutes ago), also with h and d`
    )
  return at
}

const two = (value: number): string => String(value).padStart(2, "0")

/** `2026-11-21 05:53:47.123`, local time. `parseTime` reads it back. */
export const localTime = (at: number): string => {
  const t = new Date(at)
  const date = `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`
  return `${date} ${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}.${String(t.getMilliseconds()).padStart(3, "0")}`
}

/** A time of day for people; with its date where `end`, which it is told against, is of another day. Both RFC 3339. */
export const clockAgainst = (time: string, end: string = time): string => {
  const [at, other] = [localTime(Date.parse(time)), localTime(Date.parse(end))]
  return at.slice(0, 10) === other.slice(0, 10) ? at.slice(11, 19) : at.slice(0, 19)
}

/** A length of time for people, in its two largest units: `350ms`, `4.2s`, `3m10s`, `2h5m`, `3d4h`. */
export const formatLength = (millis: number): string => {
  if (millis < 1000) return `${Math.round(millis)}ms`
  if (millis < 10_000) return `${(Math.floor(millis / 100) / 10).toFixed(1).replace(/\.0$/u, "")}s`
  const seconds = Math.floor(millis / 1000)
  const pairs: ReadonlyArray<readonly [number, string]> = [
    [86_400, "d"],
    [3600, "h"],
    [60, "m"],
    [1, "s"]
  ]
  const first = pairs.findIndex(([unit]) => seconds >= unit)
  const [unit, name] = pairs[first] as readonly [number, string]
  const next = pairs[first + 1]
  const rest = next === undefined ? 0 : Math.floor((seconds % unit) / next[0])
  return `${Math.floor(seconds / unit)}${name}${rest === 0 || next === undefined ? "" : `${rest}${next[1]}`}`
}
