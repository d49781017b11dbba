/**
 * The state of a log at a point, from the snapshot before it. Long logs get snapshots when they are first folded, and more as
 * they grow. An answer never depends on them: what is wrong with a snapshot, or with the log, leads to the whole fold.
 */
import { Effect, type Scope, Stream } from "effect"
import { deciders } from "../../actors/deciders.ts"
import { NodeFold, type SavedFold } from "../../actors/kernel/fold.ts"
import { ClockSeen, type ClockState } from "../event-log/clock-seen.ts"
import { beginFold, type Folded, foldLines, lastUntil, upTo, upToSequence } from "../event-log/fold-log.ts"
import { type ChainedLog, type LogIdentity, type LogPlace, noEvent } from "../event-log/log.ts"
import type { Moment } from "../event-log/moments.ts"
import type { CommandFailed } from "../exit.ts"
import { openCached, saveSnapshots } from "./cache.ts"
import { codeStamp } from "./code-stamp.ts"
import { inflateState, type Snapshot } from "./file.ts"
import { mayHold } from "./ids.ts"
import { type FoldPlace, makeSnapshots, usualSpacing } from "./make.ts"

export interface FoldOptions {
  /** False: the whole log is folded up to the point. */
  readonly snapshots: boolean
  /** Of events, when a log is folded that is long. */
  readonly progress: (events: number) => void
  /** Events between two snapshots. */
  readonly spacing?: number
  /** Hears why snapshots cannot be kept. */
  readonly note: (text: string) => void
}

export const foldAt = (
  log: ChainedLog,
  until: Moment | undefined,
  options: FoldOptions
): Effect.Effect<Folded, CommandFailed> =>
  Effect.gen(function* () {
    const isLong = options.snapshots && (yield* log.length) >= (options.spacing ?? usualSpacing)
    const identity = isLong ? yield* log.identity : undefined
    const snapshots = identity === undefined ? undefined : yield* snapshotsOf(log, identity, options)
    const folded = snapshots === undefined ? undefined : yield* foldFrom(log, until, snapshots)
    return folded ?? (yield* wholeFold(log, until))
  }).pipe(Effect.scoped)

/** Without any snapshot. */
const wholeFold = (log: ChainedLog, until: Moment | undefined): Effect.Effect<Folded, CommandFailed> =>
  Effect.flatMap(beginFold(log), (fold) => foldLines(upTo(log, until), undefined, fold))

/** Those of the cache, and new ones where the log has grown; undefined: none can be used. */
const snapshotsOf = (
  log: ChainedLog,
  { name, stamp }: LogIdentity,
  { note, progress, spacing: wanted = usualSpacing }: FoldOptions
): Effect.Effect<ReadonlyArray<Snapshot> | undefined, CommandFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const key = `${codeStamp()} ${stamp}`
    const cached = yield* openCached(name, key)
    const last = cached?.snapshots.at(-1)
    const isGood = last !== undefined && (yield* log.holds(last.place))
    const begun = isGood ? startAt(last) : undefined
    const known = begun === undefined ? [] : (cached?.snapshots ?? [])
    const spacing = known.length === 0 ? wanted : (cached?.spacing ?? wanted)
    const rest = (yield* log.length) - (known.at(-1)?.events ?? 0)
    if (rest < 2 * spacing && known.length > 0) return known
    const start = begun ?? { fold: yield* beginFold(log), clock: new ClockSeen(), place: undefined }
    const made = yield* makeSnapshots(log, known, spacing, start, progress)
    if (made.isDamaged) return undefined
    try {
      saveSnapshots(name, key, made.spacing, made.snapshots)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      note(`chronode: no snapshots could be kept, the next look takes as long: ${why}`)
    }
    return made.snapshots
  })

interface Saved {
  readonly fold: SavedFold
  readonly clock: ClockState
}

/** Undefined: the snapshot is damaged. */
const startAt = (snapshot: Snapshot): FoldPlace | undefined => {
  const saved = inflateState(snapshot.state()) as Saved | undefined
  return saved === undefined
    ? undefined
    : { fold: NodeFold.of(deciders, saved.fold), clock: new ClockSeen(saved.clock), place: snapshot.place }
}

/** Undefined: a snapshot is damaged. */
const foldFrom = (
  log: ChainedLog,
  until: Moment | undefined,
  snapshots: ReadonlyArray<Snapshot>
): Effect.Effect<Folded | undefined, CommandFailed> =>
  Effect.gen(function* () {
    const found = yield* find(log, until, snapshots)
    if (found === undefined) return undefined
    const before = snapshots[found.segment - 1]
    const start =
      before === undefined ? { fold: yield* beginFold(log), clock: new ClockSeen(), place: undefined } : startAt(before)
    if (start === undefined) return undefined
    const lines = log.pieces(start.place).pipe(Stream.flatMap((piece) => Stream.fromArray(piece.lines)))
    return yield* foldLines(upToSequence(lines, found.sequence), undefined, start.fold, start.clock)
  })

/** Which event is the last one, and in which segment it is: 0 is before the first snapshot. */
interface Found {
  readonly sequence: number
  readonly segment: number
}

/** Undefined: a snapshot is damaged. */
const find = (
  log: ChainedLog,
  until: Moment | undefined,
  snapshots: ReadonlyArray<Snapshot>
): Effect.Effect<Found | undefined, CommandFailed> =>
  Effect.gen(function* () {
    if (until === undefined) return { sequence: Number.MAX_SAFE_INTEGER, segment: snapshots.length }
    // From the last one back: of a time its last passage counts.
    for (let segment = snapshots.length; segment >= 0; segment--) {
      const end = snapshots[segment]
      if (end !== undefined && until._tag === "Time" && end.earliest > until.at) continue
      if (end !== undefined && until._tag === "Event") {
        const ids = end.ids()
        if (ids === undefined) return undefined
        if (!mayHold(ids, until.id)) continue
      }
      const span = { from: snapshots[segment - 1]?.place, to: end?.place.sequence ?? Number.MAX_SAFE_INTEGER }
      const sequence =
        until._tag === "Time" ? yield* lastUntil(log, until.at, span) : yield* sequenceOf(log, until.id, span)
      if (sequence > 0) return { sequence, segment }
    }
    if (until._tag === "Event") return yield* Effect.fail(noEvent(until.id, log.name))
    return { sequence: 0, segment: 0 }
  })

/** 0: it is not there. */
const sequenceOf = (
  log: ChainedLog,
  id: string,
  { from, to }: { readonly from: LogPlace | undefined; readonly to: number }
): Effect.Effect<number, CommandFailed> =>
  log.marks(from).pipe(
    Stream.takeWhile(({ sequence }) => sequence <= to),
    Stream.filter((mark) => mark.id === id),
    Stream.runHead,
    Effect.map((mark) => (mark._tag === "Some" ? mark.value.sequence : 0))
  )
