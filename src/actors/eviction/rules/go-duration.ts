/** Lengths of time as Go writes them (`time.ParseDuration`), with its words where a text is none. */
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
