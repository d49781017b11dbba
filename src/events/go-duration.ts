/** Lengths of time as Go reads and writes them (`time.ParseDuration`, `Duration.String`), with its words where a text is none. */
import { Result } from "effect"

const unitMillis: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000
}

/** `30s`, `1m30s`, `-5s`, `0` to milliseconds. */
export const parseGoDuration = (text: string): Result.Result<number, string> => {
  const invalid = Result.fail(`time: invalid duration ${JSON.stringify(text)}`)
  const sign = text.startsWith("-") ? -1 : 1
  let rest = text.replace(/^[-+]/u, "")
  if (rest === "0") return Result.succeed(0)
  if (rest === "") return invalid
  let millis = 0
  while (rest !== "") {
    const number = /^(?:\d+(?:\.\d*)?|\.\d+)/u.exec(rest)?.[0]
    if (number === undefined) return invalid
    rest = rest.slice(number.length)
    const unit = /^[^\d.]+/u.exec(rest)?.[0]
    const json = JSON.stringify(text)
    if (unit === undefined) return Result.fail(`time: missing unit in duration ${json}`)
    const factor = unitMillis[unit]
    if (factor === undefined) return Result.fail(`time: unknown unit ${JSON.stringify(unit)} in duration ${json}`)
    millis += Number(number) * factor
    rest = rest.slice(unit.length)
  }
  return Result.succeed(sign * millis)
}

/** Go's way to write a duration: `10s`, `1m20s`, `5m0s`, `1ns`. Milliseconds in, also less than one. */
export const goDuration = (milliseconds: number): string => {
  if (milliseconds < 0) return `-${goDuration(-milliseconds)}`
  if (milliseconds > 0 && milliseconds < 0.001) return `${Math.round(milliseconds * 1e6)}ns`
  if (milliseconds > 0 && milliseconds < 1) return `${Number((milliseconds * 1e3).toFixed(3))}µs`
  if (milliseconds < 1000) return milliseconds === 0 ? "0s" : `${milliseconds}ms`
  const seconds = milliseconds / 1000
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = `${Number((seconds % 60).toFixed(3))}s`
  return hours > 0 ? `${hours}h${minutes}m${rest}` : minutes > 0 ? `${minutes}m${rest}` : rest
}
