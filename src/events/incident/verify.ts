/**
 * `chronode verify FILE`: is the file what was exported? Events are not decoded for it: their sequences are enough, and
 * those stand where the envelope has them. A large file is verified in a thread of its own, so that whoever replays it
 * at the same time loses nothing by it.
 */
import { statSync } from "node:fs"
import { Worker } from "node:worker_threads"
import { Effect } from "effect"
import { readSequence } from "../envelope.ts"
import { IncidentError, type IncidentHeader } from "./format.ts"
import { readRegions } from "./regions.ts"
import { type IncidentEnd, makeIncidentScan } from "./scan.ts"

export interface IncidentBreak {
  /** In the file, from 1. One behind the last where the end is missing. */
  readonly line: number
  /** Of the event there; undefined where the line cannot be read as one. */
  readonly sequence: number | undefined
  readonly problem: string
}

export interface IncidentReport {
  readonly header: IncidentHeader | undefined
  /** `none`: a plain NDJSON file of CloudEvents, of which nothing can be said. */
  readonly chain: "whole" | "broken" | "none"
  readonly events: number
  readonly firstSequence: number
  readonly lastSequence: number
  /** Chain hash after the last event. */
  readonly headHash: string | undefined
  /** The first bad position. */
  readonly broken: IncidentBreak | undefined
}

const sequenceKey = '"sequence":"'

/**
 * The envelope's `sequence`. It stands before `command` and `data`, and no text can hold the key as it is (its quotes
 * would be escaped), so that the first one is the envelope's.
 */
const sequenceIn = (text: string): number | undefined => {
  const at = text.indexOf(sequenceKey)
  if (at < 0) return undefined
  const start = at + sequenceKey.length
  const sequence = readSequence(text, start, text.indexOf('"', start))
  return Number.isSafeInteger(sequence) ? sequence : undefined
}

/** Walks the whole file on this thread. Rejects with an `IncidentError`. */
export const scanIncident = async (path: string): Promise<IncidentReport> => {
  let broken: IncidentBreak | undefined
  let line = 0
  let sequence: number | undefined
  const scan = makeIncidentScan(
    path,
    {
      line: (text, lineNumber) => {
        line = lineNumber
        sequence = sequenceIn(text)
        return sequence
      },
      checked: (problem) => {
        if (problem !== undefined) broken ??= { line, sequence, problem }
      }
    },
    true
  )
  try {
    for await (const region of readRegions(path, scan.linesTaken)) scan.take(region)
  } catch (error) {
    // Damage has a place; what was good before it may be broken already.
    if (!(error instanceof IncidentError) || (error.reason !== "Damaged" && error.reason !== "LineTooLong")) throw error
    const place = error.line === 0 ? scan.linesTaken() + 1 : error.line
    return brokenReport(broken ?? { line: place, sequence: undefined, problem: error.message })
  }
  return reportOf(scan.end(), broken)
}

/** Of a file that could not be read to its end. */
const brokenReport = (broken: IncidentBreak): IncidentReport => ({
  header: undefined,
  chain: "broken",
  events: 0,
  firstSequence: 0,
  lastSequence: 0,
  headHash: undefined,
  broken
})

const reportOf = (end: IncidentEnd, inLines: IncidentBreak | undefined): IncidentReport => {
  const { header, events, firstSequence, lastSequence, headHash } = end
  const [ofFile] = end.problems
  // A damaged header stands first; that the header's numbers do not fit only says less than a line that is broken.
  const beforeLines = ofFile !== undefined && (inLines === undefined || ofFile.line === 1)
  const broken = beforeLines ? { ...ofFile, sequence: undefined } : inLines
  const chain = broken !== undefined ? "broken" : end.chained || header !== undefined ? "whole" : "none"
  return { header, chain, events, firstSequence, lastSequence, headHash, broken }
}

/** From this size on a thread of its own pays for its start (about 50 ms). */
const threadBytes = 16 * 1024 * 1024

/** What the thread answers: a report, or the fields of an `IncidentError`. */
export type VerifyAnswer =
  | { readonly _tag: "Report"; readonly report: IncidentReport }
  | { readonly _tag: "Refused"; readonly error: Pick<IncidentError, "reason" | "path" | "line" | "message"> }

const sizeOf = (path: string): number => {
  try {
    return statSync(path).size
  } catch {
    return 0 // that it cannot be read is told by the reading itself
  }
}

/** Reads the whole file and names the first place where its chain does not hold. */
export const verifyIncident = (path: string): Effect.Effect<IncidentReport, IncidentError> =>
  Effect.suspend(() => (sizeOf(path) < threadBytes ? verifyHere(path) : verifyBeside(path)))

const verifyHere = (path: string): Effect.Effect<IncidentReport, IncidentError> =>
  Effect.tryPromise({
    try: () => scanIncident(path),
    catch: (error) => {
      if (error instanceof IncidentError) return error
      throw error
    }
  })

/** The same in a thread of its own, whatever the size. */
export const verifyBeside = (path: string): Effect.Effect<IncidentReport, IncidentError> =>
  Effect.callback((resume) => {
    const worker = new Worker(new URL("./verify-worker.ts", import.meta.url), { workerData: path })
    const stop = Effect.promise(() => worker.terminate()).pipe(Effect.asVoid)
    const fail = (why: string) =>
      resume(
        Effect.fail(
          new IncidentError({
            reason: "InputOutput",
            path,
            line: 0,
            message: `verifying ${path} ended early: ${why}. Try again.`
          })
        )
      )
    worker.on("message", (answer: VerifyAnswer) =>
      resume(
        Effect.andThen(
          stop,
          answer._tag === "Report" ? Effect.succeed(answer.report) : Effect.fail(new IncidentError(answer.error))
        )
      )
    )
    worker.on("error", (error) => fail(error instanceof Error ? error.message : String(error)))
    worker.on("exit", (code) => fail(`exit code ${code}`))
    return stop
  })
