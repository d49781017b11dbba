/** The events of an incident file, in pieces and as a stream. */
import { Effect, Result, Stream } from "effect"
import { type DecodeProblem, decodeLine } from "../decode.ts"
import type { RecordedEvent } from "../envelope.ts"
import { type Mark, markOf } from "../mark.ts"
import { type ByteSource, type FilePlace, openBytes } from "./byte-source.ts"
import type { FirstState } from "./first-state.ts"
import {
  hashIn,
  IncidentError,
  type IncidentHeader,
  maxLineBytes,
  previousHashIn,
  readHeaderLine,
  storedLine
} from "./format.ts"
import { lineFeed, readRegions } from "./regions.ts"
import { type IncidentEnd, makeIncidentScan, newerFormat, type ScanPlace } from "./scan.ts"

/** One line of the file after the header. */
export class IncidentEntry {
  /** In the file, from 1. */
  readonly lineNumber: number
  readonly event: Result.Result<RecordedEvent, DecodeProblem>
  /** Why the chain does not hold here; known once the line is read. */
  broken: string | undefined = undefined
  private readonly text: string

  constructor(lineNumber: number, text: string, event: IncidentEntry["event"]) {
    this.lineNumber = lineNumber
    this.text = text
    this.event = event
  }
  // What few readers need is made when it is asked for.
  /** For messages: `line 12`. */
  get place(): string {
    return `line ${this.lineNumber}`
  }
  /** The stored event, without the chain's attributes. */
  get line(): string {
    return storedLine(this.text)
  }
  /** Chain hash after it; undefined: the line has none. */
  get hash(): string | undefined {
    return hashIn(this.text)
  }
  /** Chain hash before it, where the line does not follow the one above. */
  get previousHash(): string | undefined {
    return previousHashIn(this.text)
  }
}

/** A place between two lines, from which reading can go on later. */
export interface IncidentPlace extends FilePlace {
  readonly scan: ScanPlace
}

export interface IncidentPiece {
  readonly entries: ReadonlyArray<IncidentEntry>
  /** Behind its entries; absent where it cannot be gone on from: within the first state, and at the end. */
  readonly place?: IncidentPlace
  /** With the last piece. */
  readonly end?: IncidentEnd
}

export interface ReadOptions {
  /**
   * False: the chain is not checked on the way, which is half the work. `verifyIncident` can do it beside the reading,
   * in a thread of its own.
   */
  readonly checkChain?: boolean
  /** Only what is behind this place, of a file that was not changed since. */
  readonly from?: IncidentPlace
}

/**
 * The file, piece by piece. Rejects with an `IncidentError` where it cannot be read on: it is not there, it is of a newer
 * format, or a line is longer than any event.
 */
export async function* readIncidentPieces(
  path: string,
  options: ReadOptions = {}
): AsyncGenerator<IncidentPiece, void, undefined> {
  const { from } = options
  let entries: Array<IncidentEntry> = []
  let entry: IncidentEntry
  const scan = makeIncidentScan(
    path,
    {
      line: (text, lineNumber) => {
        // The chain's attributes are decoded along: leaving them out would cost a copy of the text.
        const event = decodeLine(text)
        entry = new IncidentEntry(lineNumber, text, event)
        entries.push(entry)
        return Result.isSuccess(event) ? event.success.sequence : undefined
      },
      checked: (broken) => {
        entry.broken = broken
      }
    },
    options.checkChain !== false,
    from === undefined ? undefined : { header: await readHeader(path), place: from.scan }
  )
  for await (const region of readRegions(path, scan.linesTaken, from)) {
    scan.take(region)
    const offset = region.offset + region.end - region.start
    const file = region.frame === undefined ? { offset } : { offset, frame: region.frame }
    yield scan.isBeginning() ? { entries } : { entries, place: { ...file, scan: scan.place() } }
    entries = []
  }
  yield { entries, end: scan.end() }
}

/**
 * The states of the actors before the file's first event; undefined where the file has none: it begins with its node's
 * log, or is of format 1. Reads the file's beginning only. Rejects where it is damaged: without it, or with another one,
 * what follows would be folded to something that never was.
 */
export const readFirstState = (path: string): Effect.Effect<FirstState | undefined, IncidentError> =>
  Effect.tryPromise({
    try: async () => {
      let first: FirstState | undefined
      const scan = makeIncidentScan(
        path,
        { line: () => 0, checked: () => {}, first: (state) => (first = state) },
        false
      )
      for await (const region of readRegions(path, scan.linesTaken)) {
        scan.take(region)
        if (!scan.isBeginning()) break
      }
      const line = scan.linesTaken() + 1
      const [problem] = scan.isBeginning() ? [{ line, problem: "the file ends within the first state" }] : scan.problems
      if (problem !== undefined) throw damagedStart(path, problem)
      return first
    },
    catch: asIncidentError
  })

/** What a generator rejected with: an `IncidentError`, or a defect that must not be hidden. */
const asIncidentError = (error: unknown): IncidentError => {
  if (error instanceof IncidentError) return error
  throw error
}

const damagedStart = (path: string, { line, problem }: IncidentEnd["problems"][number]): IncidentError =>
  new IncidentError({
    reason: "Damaged",
    path,
    line,
    message: `${path}:${line}: ${problem}. Its events can still be read (chronode events --from ${path}), but not be folded to states; get the file anew if you can.`
  })

/** The file, piece by piece, as a stream. */
export const readPieces = (path: string, options: ReadOptions = {}): Stream.Stream<IncidentPiece, IncidentError> =>
  Stream.suspend(() => Stream.fromAsyncIterable(readIncidentPieces(path, options), asIncidentError))

/** The lines of the file. */
export const readIncident = (path: string, options: ReadOptions = {}): Stream.Stream<IncidentEntry, IncidentError> =>
  readPieces(path, options).pipe(Stream.flatMap(({ entries }) => Stream.fromArray(entries)))

/** The first line, or as much of it as a line may have. */
const firstLine = async (source: ByteSource): Promise<string> => {
  const buffer = new Uint8Array(maxLineBytes)
  let filled = 0
  let end = -1
  while (end < 0 && filled < maxLineBytes) {
    const read = await source.read(buffer, filled, maxLineBytes - filled)
    if (read === 0) break
    end = buffer.subarray(0, filled + read).indexOf(lineFeed, filled)
    filled += read
  }
  return new TextDecoder().decode(buffer.subarray(0, end < 0 ? filled : end))
}

const readHeader = async (path: string): Promise<IncidentHeader | undefined> => {
  const source = await openBytes(path)
  try {
    const reading = readHeaderLine(await firstLine(source))
    if (reading._tag === "Newer") throw newerFormat(path, reading.version)
    return reading._tag === "Header" ? reading.header : undefined
  } finally {
    await source.close()
  }
}

/** The file's header; undefined where it has none (a plain NDJSON file of CloudEvents). Reads the first line only. */
export const readIncidentHeader = (path: string): Effect.Effect<IncidentHeader | undefined, IncidentError> =>
  Effect.tryPromise({ try: () => readHeader(path), catch: asIncidentError })

/** Number, id and time of every line that is an event, without decoding it: a third of the time of reading. */
async function* marksOf(path: string, from?: IncidentPlace): AsyncGenerator<ReadonlyArray<Mark>, void, undefined> {
  let marks: Array<Mark> = []
  const scan = makeIncidentScan(
    path,
    {
      line: (text) => {
        const mark = markOf(text)
        if (mark !== undefined) marks.push(mark)
        return mark?.sequence
      },
      checked: () => {}
    },
    false,
    from === undefined ? undefined : { header: await readHeader(path), place: from.scan }
  )
  for await (const region of readRegions(path, scan.linesTaken, from)) {
    scan.take(region)
    yield marks
    marks = []
  }
}

export const readMarks = (path: string, from?: IncidentPlace): Stream.Stream<Mark, IncidentError> =>
  Stream.suspend(() => Stream.fromAsyncIterable(marksOf(path, from), asIncidentError)).pipe(
    Stream.flatMap((marks) => Stream.fromArray(marks))
  )
