/** A point in a log, as people name it: a time, or the event after which it is. And where two logs are compared, `FILE@POINT`. */
import { existsSync } from "node:fs"
import { UsageError } from "../exit.ts"
import { parseTime } from "../times.ts"

export type Moment =
  /** Milliseconds since the epoch; inclusive. */
  | { readonly _tag: "Time"; readonly at: number }
  /** The event belongs to what is before. */
  | { readonly _tag: "Event"; readonly id: string }

/** Ids of events are UUIDs; any word without spaces that is no time is taken for one, and looked for. */
const idPattern = /^[0-9A-Za-z-]+$/u
const startsLikeDate = /^\d{4}-\d{2}-\d{2}(?:$|[T ])/u

/** @param now milliseconds since the epoch */
export const parseMoment = (text: string, now: number): Moment | undefined => {
  const at = parseTime(text, now)
  if (at !== undefined) return { _tag: "Time", at }
  return idPattern.test(text) && !startsLikeDate.test(text) ? { _tag: "Event", id: text } : undefined
}

/** The value of a flag that is a point in a log; `UsageError` names the flag. */
export const momentFlag = (flag: string, text: string | undefined, now: number): Moment | undefined => {
  if (text === undefined) return undefined
  const moment = parseMoment(text, now)
  if (moment === undefined)
    throw new UsageError(
      `${flag}: '${text}' is no time and no event; write 2026-11-21T05:53:47Z, 05:53, 10m (ten minutes ago) or the id of an event`
    )
  return moment
}

export interface LogPoint {
  /** `journal` or a path. */
  readonly from: string
  readonly moment: Moment | undefined
}

/** `FILE`, `FILE@POINT`, `journal@POINT`. What exists under the whole name is that file, also with an `@` in it. */
export const parseLogPoint = (text: string, now: number): LogPoint => {
  const at = text.lastIndexOf("@")
  if (at <= 0 || existsSync(text)) return { from: text, moment: undefined }
  const from = text.slice(0, at)
  return { from, moment: momentFlag(`${from}@`, text.slice(at + 1), now) }
}
