/** What every reader of an incident does: lines out of regions, the header, the chain, and whether the end is there. */
import { Result } from "effect"
import { decodeLine } from "../decode.ts"
import { notIncident } from "./byte-source.ts"
import { type ChainCheck, type LinePlace, locate, makeChainCheck } from "./chain-check.ts"
import { type FirstState, gatherStateLines, type StateLines } from "./first-state.ts"
import {
  formatVersion,
  IncidentError,
  type IncidentHeader,
  maxLineBytes,
  previousHashIn,
  readHeaderLine
} from "./format.ts"
import { lineFeed, type Region, tooLong } from "./regions.ts"

const carriageReturn = 13
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** What a whole file said of itself, once it is read. */
export interface IncidentEnd {
  readonly header: IncidentHeader | undefined
  /** Lines, with the header and empty ones. */
  readonly lines: number
  /** Lines that are no header and not empty, whether or not they could be read as events. */
  readonly events: number
  /** 0 and 0 where there is none. */
  readonly firstSequence: number
  readonly lastSequence: number
  /** Whether any line had a chainhash. Only where the chain was checked. */
  readonly chained: boolean
  /** Chain hash after the last line. Only where the chain was checked. */
  readonly headHash: string | undefined
  /** What is wrong with the file as a whole: a bad header, a missing end. */
  readonly problems: ReadonlyArray<{ readonly line: number; readonly problem: string }>
}

/**
 * Called with each line's text; answers the event's sequence, `undefined` where it cannot be read as an event.
 * `broken` is then called with why the chain does not hold at this line, if it does not.
 */
export interface LineVisitor {
  readonly line: (text: string, lineNumber: number) => number | undefined
  readonly checked: (broken: string | undefined) => void
  /** Called once with the first state, before any line, where the file has one. Absent: it is not kept. */
  readonly first?: (state: FirstState) => void
}

export interface IncidentScan {
  readonly linesTaken: () => number
  /** Whether the header or the first state is not read to its end yet. */
  readonly isBeginning: () => boolean
  /** What was found wrong with the file as a whole so far. */
  readonly problems: IncidentEnd["problems"]
  readonly place: () => ScanPlace
  /** Takes the lines of a region. Changes its bytes. Throws `IncidentError`s. */
  readonly take: (region: Region) => void
  /** To be called after the last region. Throws an `IncidentError` where the file holds no event at all. */
  readonly end: () => IncidentEnd
}

export const newerFormat = (path: string, version: string): IncidentError =>
  new IncidentError({
    reason: "NewerVersion",
    path,
    line: 1,
    message: `${path} is an incident file of format ${version}; this program reads up to ${formatVersion}. Use the Chronode that wrote it, or a newer one.`
  })

type SaidState = NonNullable<IncidentHeader["firstState"]>

/** How far a scan is, behind the header and the first state: another one can go on from there. */
export interface ScanPlace {
  readonly lines: number
  readonly events: number
  readonly firstSequence: number
  readonly lastSequence: number
  /** Chain hash after the last line, and whether any line had one. */
  readonly hash: string
  readonly chained: boolean
}

/**
 * @param checkChain false: `checked` is always called with nothing
 * @param from where it goes on, of a file with this header
 */
export const makeIncidentScan = (
  path: string,
  visitor: LineVisitor,
  checkChain: boolean,
  from?: { readonly header: IncidentHeader | undefined; readonly place: ScanPlace }
): IncidentScan => {
  const place: LinePlace = { start: 0, storedEnd: 0, hashAt: -1, prevAt: -1 }
  const problems: Array<{ readonly line: number; readonly problem: string }> = []
  const before = from?.place
  let header = from?.header
  let chain: ChainCheck = makeChainCheck(
    header !== undefined,
    before && { hash: before.hash, sequence: before.lastSequence, chained: before.chained }
  )
  let lineNumber = before?.lines ?? 0
  let events = before?.events ?? 0
  let firstSequence = before?.firstSequence ?? 0
  let lastSequence = before?.lastSequence ?? 0
  let readable = events
  let firstText = ""
  /** The lines of the first state, while they are read. */
  let states: StateLines | undefined

  /** Whether the first line was a header, good or bad, and is done with. */
  const takeHeader = (line: string): boolean => {
    firstText = line
    const reading = readHeaderLine(line)
    if (reading._tag === "NoHeader") return false
    if (reading._tag === "Newer") throw newerFormat(path, reading.version)
    if (reading._tag === "Invalid") problems.push({ line: 1, problem: `the header is damaged: ${reading.problem}` })
    else header = reading.header
    if (header?.firstState !== undefined && header.firstState.lines > 0)
      states = gatherStateLines(visitor.first !== undefined)
    chain = makeChainCheck(true)
    return true
  }
  const takeState = (lines: StateLines, said: SaidState, line: string): void => {
    const problem = lines.add(line)
    if (problem !== undefined) problems.push({ line: lineNumber, problem })
    if (lines.count() < said.lines) return
    states = undefined
    const isWhole = lines.sha256() === said.sha256
    if (!isWhole) problems.push({ line: lineNumber, problem: "the first state was changed" })
    else if (problems.length === 0) visitor.first?.(lines.state())
  }
  const takeLine = (bytes: Uint8Array, start: number, end: number, raw: string): void => {
    lineNumber++
    const hasReturn = end > start && bytes[end - 1] === carriageReturn
    const stop = hasReturn ? end - 1 : end
    if (stop === start) return
    const text = hasReturn ? raw.slice(0, -1) : raw
    if (lineNumber === 1 && takeHeader(text)) return
    if (states !== undefined && header?.firstState !== undefined) {
      takeState(states, header.firstState, text)
      return
    }
    if (events === 0 && header?.firstState !== undefined && previousHashIn(text) !== header.firstState.hash)
      problems.push({ line: lineNumber, problem: "the first event does not follow from the first state" })
    const sequence = visitor.line(text, lineNumber)
    if (sequence !== undefined) {
      lastSequence = sequence
      if (readable++ === 0) firstSequence = sequence
    }
    events++
    if (checkChain) {
      locate(bytes, start, stop, place)
      visitor.checked(chain.check(bytes, place, sequence))
    } else visitor.checked(undefined)
  }
  const take = ({ bytes, start: from, end: to }: Region): void => {
    // One text for all lines: a text for each would take longer than its parsing.
    const text = decoder.decode(bytes.subarray(from, to))
    const isAscii = text.length === to - from
    let start = from
    let at = 0
    while (start < to) {
      const textEnd = text.indexOf("\n", at)
      const end = isAscii ? from + textEnd : bytes.indexOf(lineFeed, start)
      if (end - start > maxLineBytes + 1) throw tooLong(path, lineNumber + 1)
      takeLine(bytes, start, end, text.slice(at, textEnd))
      start = end + 1
      at = textEnd + 1
    }
  }

  const checkEnd = (said: IncidentHeader): void => {
    if (states !== undefined) problems.push({ line: lineNumber + 1, problem: "the file ends within the first state" })
    const wanted = said.events ?? events
    const counted = said.events === undefined ? "" : ` (${said.events} events)`
    if (lastSequence !== said.lastSequence || events < wanted)
      problems.push({
        line: lineNumber + 1,
        problem: `the file ends at sequence ${lastSequence} (${events} events); its header says ${said.lastSequence}${counted}`
      })
    else if (checkChain && said.lastHash !== undefined && events > 0 && chain.lastHash() !== said.lastHash)
      problems.push({ line: lineNumber, problem: "the last event has another chainhash than the header says" })
    else if (firstSequence !== said.firstSequence || events > wanted)
      problems.push({
        line: 2,
        problem: `the file holds ${events} events from sequence ${firstSequence}; its header says ${wanted} from ${said.firstSequence}`
      })
  }
  const end = (): IncidentEnd => {
    if (header === undefined && readable === 0 && problems.length === 0) {
      const first = decodeLine(firstText)
      const why = Result.isFailure(first)
        ? ` (line 1: ${[first.failure.where, first.failure.message].filter((text) => text !== "").join(" ")})`
        : ""
      throw notIncident(path, `holds no event${why}`)
    }
    if (header !== undefined) checkEnd(header)
    const chained = chain.chained()
    const headHash = chained ? chain.lastHash() : undefined
    return { header, lines: lineNumber, events, firstSequence, lastSequence, chained, headHash, problems }
  }
  return {
    linesTaken: () => lineNumber,
    isBeginning: () => lineNumber === 0 || states !== undefined,
    problems,
    place: () => ({
      lines: lineNumber,
      events,
      firstSequence,
      lastSequence,
      hash: chain.lastHash(),
      chained: chain.chained()
    }),
    take,
    end
  }
}
