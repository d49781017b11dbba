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

interface Epoch {
  agrees: boolean
  differs?: JournalHead
  lacks?: number
}

export interface HeadProof {
  /** The rows of the slice, in order; before any head but those given. */
  readonly row: (row: Pick<JournalRow, "sequence" | "hash">) => void
  /** Whether the slice holds this event. */
  readonly holds: (sequence: number) => boolean
  /** First and last sequence; 0 and 0: it is empty. */
  readonly range: () => SequenceRange
  readonly gaps: () => number
  /**
   * A head that was published, in the order of publishing. Of a node whose journal was made anew there are others for the
   * same sequences, which say nothing of this one: a head counts against the slice only where the chain that it is of
   * agrees with the slice elsewhere. `isWanted`: the slice should hold its event, if it is within its range.
   */
  readonly published: (head: JournalHead, isWanted?: boolean) => void
  /** An event that the slice should hold, and that it lacks. */
  readonly missing: (sequence: number, why: string) => void
  readonly end: () => Proof
}

/** @param given heads that must stand in the slice */
export const makeHeadProof = (given: ReadonlyArray<GivenHead>): HeadProof => {
  const hashes = new Map<number, string>()
  const runs: Array<Run> = []
  const places = new Map<string, number>()
  const wanted = new Set(given.map(({ hash }) => hash))
  /** Published heads of one journal, from 1 on or from where the stream begins. */
  let epoch: Epoch = { agrees: false }
  let before = 0
  /** The first head of each epoch that counts against the slice. */
  const against: Array<JournalHead> = []
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

  const missing = (sequence: number, why: string): void => {
    if (lacks === undefined || sequence < lacks.sequence) lacks = { sequence, why }
  }
  const endEpoch = (): void => {
    const { agrees, differs, lacks: lacking } = epoch
    epoch = { agrees: false }
    if (!agrees) return
    if (differs !== undefined) against.push(differs)
    if (lacking !== undefined) missing(lacking, "it was published, the file's filter takes it, and it is missing")
  }

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
    published: (head, isWanted = false) => {
      const { hash, sequence } = head
      if (sequence <= before) endEpoch()
      before = sequence
      const own = hashes.get(sequence)
      if (own === hash) {
        epoch.agrees = true
        prove(sequence)
      } else if (own !== undefined) epoch.differs ??= head
      else if (isWanted && sequence > range().first && sequence < range().last) epoch.lacks ??= sequence
    },
    missing,
    end: () => {
      endEpoch()
      let broken: Proof["broken"]
      for (const head of given) broken ??= contradiction(head)
      const uncovered = (sequence: number): boolean => (runOf(sequence)?.provenTo ?? 0) < sequence
      const [changed] = against.filter(({ sequence }) => uncovered(sequence)).sort((a, b) => a.sequence - b.sequence)
      if (changed !== undefined && broken === undefined) {
        const { hash, sequence } = changed
        const problem = `the chain's hash is ${hashes.get(sequence)}; published was ${hash}: it was changed here or before`
        broken = { sequence, problem }
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
