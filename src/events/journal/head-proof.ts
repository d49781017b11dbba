/**
 * Whether a slice of a log belongs to a chain of which heads are known from elsewhere. The hash after an event covers it
 * and everything before it, so that a head which stands in the slice proves all that precedes it there without a gap.
 * Across a gap nothing can be said: what was left out is part of the hash. That a chain holds in itself is checked by
 * others (`verifyIncident`, `Journal.verify`) and taken for granted here.
 */
import type { JournalHead, JournalRow } from "./port.ts"

/** A head as somebody gives it: of which sequence it is may be unknown. */
export interface GivenHead {
  readonly sequence: number | undefined
  readonly hash: string
}

export interface SequenceRange {
  readonly first: number
  readonly last: number
}

export interface Proof {
  readonly events: number
  readonly proven: number
  /** What no head covers; at most `maxRanges` of them. */
  readonly unproven: ReadonlyArray<SequenceRange>
  /** The first contradiction: the slice is not what the chain was. */
  readonly broken: { readonly sequence: number | undefined; readonly problem: string } | undefined
}

/** Ranges that are told. */
export const maxRanges = 20

/** Events whose sequences follow each other. */
interface Run {
  readonly first: number
  last: number
  /** Up to and including this sequence; `first - 1`: nothing. */
  provenTo: number
}

export interface HeadProof {
  /** The rows of the slice, in order; before any head but those given. */
  readonly row: (row: Pick<JournalRow, "sequence" | "hash">) => void
  /** Whether the slice holds this event. */
  readonly holds: (sequence: number) => boolean
  /** First and last sequence; 0 and 0: it is empty. */
  readonly range: () => SequenceRange
  readonly gaps: () => number
  /** A head that was published. Of a node whose journal was made anew there are others for the same sequence. */
  readonly published: (head: JournalHead) => "agrees" | "differs" | "elsewhere"
  /** An event that was published, that the slice should hold, and that it lacks. */
  readonly missing: (sequence: number, why: string) => void
  readonly end: () => Proof
}

/** @param given heads that must stand in the slice */
export const makeHeadProof = (given: ReadonlyArray<GivenHead>): HeadProof => {
  const hashes = new Map<number, string>()
  const runs: Array<Run> = []
  const places = new Map<string, number>()
  const wanted = new Set(given.map(({ hash }) => hash))
  /** Sequences at which a published head differs, with its hash. */
  const differing = new Map<number, string>()
  let lacks: { readonly sequence: number; readonly why: string } | undefined

  const runOf = (sequence: number): Run | undefined => {
    let [low, high] = [0, runs.length - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const run = runs[middle] as Run
      if (sequence < run.first) high = middle - 1
      else if (sequence > run.last) low = middle + 1
      else return run
    }
    return undefined
  }
  const prove = (sequence: number): void => {
    const run = runOf(sequence)
    if (run !== undefined) run.provenTo = Math.max(run.provenTo, sequence)
  }
  const range = (): SequenceRange => ({ first: runs[0]?.first ?? 0, last: runs.at(-1)?.last ?? 0 })

  const contradiction = ({ hash, sequence }: GivenHead): Proof["broken"] => {
    const place = places.get(hash)
    if (place !== undefined && (sequence === undefined || sequence === place)) {
      prove(place)
      return undefined
    }
    if (sequence === undefined) {
      const problem = `no event has the head ${hash} behind it: something was changed, its end is missing, or it is of another log`
      return { sequence: undefined, problem }
    }
    const own = hashes.get(sequence)
    if (own !== undefined)
      return { sequence, problem: `the chain's hash is ${own}; the head says ${hash}: it was changed here or before` }
    const { first, last } = range()
    const where =
      sequence > last ? `it ends at ${last}` : sequence < first ? `it begins at ${first}` : "it leaves it out"
    return { sequence, problem: `the head's event is missing: ${where}` }
  }

  return {
    row: ({ hash, sequence }) => {
      hashes.set(sequence, hash)
      if (wanted.has(hash)) places.set(hash, sequence)
      const run = runs.at(-1)
      if (run !== undefined && sequence === run.last + 1) run.last = sequence
      else runs.push({ first: sequence, last: sequence, provenTo: sequence - 1 })
    },
    holds: (sequence) => hashes.has(sequence),
    range,
    gaps: () => Math.max(0, runs.length - 1),
    published: ({ hash, sequence }) => {
      const own = hashes.get(sequence)
      if (own === undefined) return "elsewhere"
      if (own === hash) {
        prove(sequence)
        return "agrees"
      }
      if (!differing.has(sequence)) differing.set(sequence, hash)
      return "differs"
    },
    missing: (sequence, why) => {
      if (lacks === undefined || sequence < lacks.sequence) lacks = { sequence, why }
    },
    end: () => {
      let broken: Proof["broken"]
      for (const head of given) broken ??= contradiction(head)
      const uncovered = (sequence: number): boolean => (runOf(sequence)?.provenTo ?? 0) < sequence
      const [changed] = [...differing.keys()].filter(uncovered).sort((a, b) => a - b)
      if (changed !== undefined && broken === undefined) {
        const problem = `the chain's hash is ${hashes.get(changed)}; published was ${differing.get(changed)}: it was changed here or before`
        broken = { sequence: changed, problem }
      }
      if (lacks !== undefined && broken === undefined) broken = { sequence: lacks.sequence, problem: lacks.why }
      const proven = runs.reduce((sum, run) => sum + run.provenTo - run.first + 1, 0)
      const unproven = runs
        .filter((run) => run.provenTo < run.last)
        .slice(0, maxRanges)
        .map((run) => ({ first: run.provenTo + 1, last: run.last }))
      return { events: hashes.size, proven, unproven, broken }
    }
  }
}
