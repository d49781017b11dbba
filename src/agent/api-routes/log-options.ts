/** What a request for a container's log asks for: v1.PodLogOptions of its query, checked as kubelet does. */
import { Result } from "effect"
import { type ApiRefusal, refusal } from "../../adapters/api/port.ts"
import { nanoseconds } from "../../adapters/logs/line.ts"

export interface LogOptions {
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  /** Nanoseconds since the epoch. */
  readonly since: bigint | undefined
  readonly tail: number | undefined
  readonly limitBytes: number | undefined
  readonly stream: "stdout" | "stderr" | undefined
}

const undecodable = refusal(400, '{"message": "Unable to decode query."}')
const invalid = refusal(422, '{"message": "Invalid request."}')

/** As Go's conversion of query parameters: anything but these two is true, also nothing (`runtime/converter`). */
const flag = (query: URLSearchParams, name: string): boolean => {
  const value = query.get(name)
  return value !== null && !["false", "0"].includes(value.toLowerCase())
}

const whole = (text: string | null): number | undefined | null => {
  if (text === null || text === "") return undefined
  const value = Number(text)
  return /^[+-]?\d{1,18}$/u.test(text) && Number.isSafeInteger(value) ? value : null
}

const streams: Readonly<Record<string, LogOptions["stream"]>> = { All: undefined, Stdout: "stdout", Stderr: "stderr" }

/** @param now milliseconds since the epoch */
export const logOptions = (query: URLSearchParams, now: number): Result.Result<LogOptions, ApiRefusal> => {
  // `tail` is the old name of `tailLines`; `all` is all of it.
  const old = query.get("tail")
  const tail = whole(old === null || old === "" ? query.get("tailLines") : old === "all" ? null : old)
  const limitBytes = whole(query.get("limitBytes"))
  const seconds = whole(query.get("sinceSeconds"))
  const time = query.get("sinceTime") || undefined
  const at = time === undefined ? undefined : nanoseconds(time)
  const tailLines = old === "all" ? undefined : tail
  if (tailLines === null || limitBytes === null || seconds === null || (time !== undefined && at === undefined))
    return Result.fail(undecodable)
  const stream = query.get("stream") || "All"
  const isBad =
    (tailLines !== undefined && tailLines < 0) ||
    (limitBytes !== undefined && limitBytes < 1) ||
    (seconds !== undefined && (seconds < 1 || time !== undefined)) ||
    !Object.hasOwn(streams, stream) ||
    (stream !== "All" && tailLines !== undefined)
  if (isBad) return Result.fail(invalid)
  return Result.succeed({
    follow: flag(query, "follow"),
    previous: flag(query, "previous"),
    timestamps: flag(query, "timestamps"),
    since: at ?? (seconds === undefined ? undefined : BigInt(Math.floor(now) - seconds * 1000) * 1_000_000n),
    tail: tailLines,
    limitBytes,
    stream: streams[stream]
  })
}
