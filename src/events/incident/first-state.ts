/**
 * What a slice needs to stand alone: the states of the actors that it is about, as they were before its first event. They
 * follow the header, one CloudEvent a line, before the events:
 *
 * ```
 * {…,"type":"dev.chronode.IncidentState.v1",…,"data":{"actorSequence":17,"sequence":120,"stateVersion":1,"state":{…}}}
 * {…,"type":"dev.chronode.IncidentState.v1",…,"data":{"actorSequence":9,"finished":true}}
 * {…,"type":"dev.chronode.IncidentState.v1",…,"data":{"actorSequence":80,…,"piece":1,"pieces":3,"text":"{\"…"}}
 * ```
 * The second is of an actor that was finished: it begins anew, and its sequence goes on. A state that is longer than a line
 * may be comes as JSON text in pieces. How many lines there are, and a SHA-256 over all of them, says the header. An actor
 * that is not among them had no event before, or its state was not known to the log that the slice is of.
 *
 * To fold a slice: `readFirstState` (reader.ts) gives it of a file, `NodeFold.begin` (actors/kernel/fold.ts) takes it; what
 * follows is folded as always. `flags` of the header's configuration are the decision flags in force at that point.
 */
import { createHash } from "node:crypto"
import { Result, Schema } from "effect"
import { type ActorId, actorPath, parseActorPath, parseSource, sourceOf } from "../actor-id.ts"
import { maxLineBytes } from "./format.ts"

export const stateType = "dev.chronode.IncidentState.v1"

/** An actor's state at a point in the log. */
export interface ActorState {
  readonly id: ActorId
  readonly stateVersion: number
  readonly state: unknown
  readonly actorSequence: number
  /** Sequence of its last event. */
  readonly sequence: number
}

export interface FirstState {
  readonly actors: ReadonlyArray<ActorState>
  /** Paths of actors that are let go, with their last actor sequences. */
  readonly finished: ReadonlyArray<readonly [path: string, actorSequence: number]>
}

/** Of all lines of a first state. A node of a thousand pods has some 20 MiB. */
export const maxFirstStateBytes = 64 * 1024 * 1024
/** Characters of one piece of a state's text: escaped as JSON they fit a line. */
const pieceCharacters = 8 * 1024

const Line = Schema.Struct({
  actorSequence: Schema.Int,
  finished: Schema.optionalKey(Schema.Literal(true)),
  sequence: Schema.optionalKey(Schema.Int),
  stateVersion: Schema.optionalKey(Schema.Int),
  state: Schema.optionalKey(Schema.Unknown),
  piece: Schema.optionalKey(Schema.Int),
  pieces: Schema.optionalKey(Schema.Int),
  text: Schema.optionalKey(Schema.String)
})
const decodeLine = Schema.decodeUnknownResult(Line)

/** The lines of a first state, without line feeds. `at`: the last sequence before the slice, and its time. */
export const stateLines = function* (
  node: string,
  at: { readonly sequence: number; readonly time: string },
  first: FirstState
): Generator<string> {
  let count = 0
  const line = (path: string, data: unknown): string =>
    JSON.stringify({
      specversion: "1.0",
      id: `state-${at.sequence}-${++count}`,
      source: sourceOf(node, path),
      type: stateType,
      time: at.time,
      datacontenttype: "application/json",
      data
    })
  for (const { id, state, ...facts } of first.actors) {
    const path = actorPath(id)
    const whole = line(path, { ...facts, state })
    if (Buffer.byteLength(whole) <= maxLineBytes) {
      yield whole
      continue
    }
    count--
    const text = JSON.stringify(state)
    const pieces = Math.ceil(text.length / pieceCharacters)
    for (let i = 0; i < pieces; i++)
      yield line(path, {
        ...facts,
        piece: i + 1,
        pieces,
        text: text.slice(i * pieceCharacters, (i + 1) * pieceCharacters)
      })
  }
  for (const [path, actorSequence] of first.finished) yield line(path, { actorSequence, finished: true })
}

export interface StateLines {
  /** The next line; answers what is wrong with it, if something is. */
  readonly add: (line: string) => string | undefined
  readonly count: () => number
  /** Hex, over all lines with their line feeds. */
  readonly sha256: () => string
  readonly state: () => FirstState
}

/** Gathers the lines of a first state. @param keep false: only counts and hashes */
export const gatherStateLines = (keep: boolean): StateLines => {
  const hash = createHash("sha256")
  const actors: Array<ActorState> = []
  const finished: Array<readonly [string, number]> = []
  let pieces: Array<string> = []
  let count = 0
  let bytes = 0

  const take = (line: string): string | undefined => {
    let json: { readonly type?: unknown; readonly source?: unknown; readonly data?: unknown } | null
    try {
      json = JSON.parse(line) as typeof json
    } catch {
      return "a line of the first state is no JSON"
    }
    const source = typeof json?.source === "string" ? parseSource(json.source) : undefined
    const id = source === undefined ? undefined : parseActorPath(source.path)
    const data = decodeLine(json?.data)
    if (json?.type !== stateType || id === undefined || Result.isFailure(data))
      return "a line of the first state is none"
    const { actorSequence, sequence = 0, stateVersion = 0, state, piece, pieces: wanted, text = "" } = data.success
    if (data.success.finished === true) {
      finished.push([actorPath(id), actorSequence])
      return undefined
    }
    if (piece === undefined) {
      actors.push({ id, stateVersion, state, actorSequence, sequence })
      return undefined
    }
    if (piece !== pieces.length + 1) return "a piece of a state is missing"
    pieces.push(text)
    if (piece < (wanted ?? 0)) return undefined
    const whole = pieces.join("")
    pieces = []
    try {
      actors.push({ id, stateVersion, state: JSON.parse(whole), actorSequence, sequence })
      return undefined
    } catch {
      return "the pieces of a state are no JSON"
    }
  }
  return {
    add: (line) => {
      count++
      hash.update(line).update("\n")
      bytes += line.length
      if (!keep) return undefined
      return bytes > maxFirstStateBytes ? `the first state is longer than ${maxFirstStateBytes} bytes` : take(line)
    },
    count: () => count,
    sha256: () => hash.digest("hex"),
    state: () => ({ actors, finished })
  }
}
