/** Makes the snapshots of a log while it is folded. */
import { Effect, Result, Stream } from "effect"
import type { NodeFold } from "../../actors/kernel/fold.ts"
import { millis } from "../../events/definition.ts"
import type { ClockSeen } from "../event-log/clock-seen.ts"
import type { ChainedLog, LogPlace } from "../event-log/log.ts"
import type { CommandFailed } from "../exit.ts"
import { packState, type Snapshot } from "./file.ts"
import { IdHashes } from "./ids.ts"

/** Events between two snapshots: folding so many takes less than the program's own start. */
export const usualSpacing = 10_000
/** Of one log; above it every second snapshot goes, and then they are twice as far apart. */
const maxLogBytes = 64 * 1024 * 1024

/** Where a fold is: at a log's beginning, or behind a place of it. */
export interface FoldPlace {
  readonly fold: NodeFold
  readonly clock: ClockSeen
  readonly place: LogPlace | undefined
}

export interface Made {
  readonly snapshots: ReadonlyArray<Snapshot>
  readonly spacing: number
  /** The log holds something that is no event, or its chain is broken: such a log is always folded whole. */
  readonly isDamaged: boolean
}

const bytesOf = (snapshots: ReadonlyArray<Snapshot>): number =>
  snapshots.reduce((sum, { ids, state }) => sum + (state()?.length ?? 0) + (ids()?.length ?? 0), 0)

/** Half of them: each second one, with what the one before it knew of the events before. */
const thinned = (snapshots: ReadonlyArray<Snapshot>): Array<Snapshot> =>
  snapshots.flatMap((snapshot, i) => {
    const before = snapshots[i - 1]
    if (i % 2 === 0 || before === undefined) return []
    const earliest = Math.min(snapshot.earliest, before.earliest)
    const ids = (): Uint8Array | undefined => {
      const [a, b] = [before.ids(), snapshot.ids()]
      return a === undefined || b === undefined ? undefined : Buffer.concat([a, b])
    }
    return [{ ...snapshot, earliest, ids }]
  })

/**
 * Folds to the log's end, and adds snapshots to those that there are.
 *
 * @param place behind the last of `before`
 * @param progress hears of the events so far
 */
export const makeSnapshots = (
  log: ChainedLog,
  before: ReadonlyArray<Snapshot>,
  spacing: number,
  { clock, fold, place }: FoldPlace,
  progress: (events: number) => void
): Effect.Effect<Made, CommandFailed> =>
  Effect.suspend(() => {
    let snapshots = [...before]
    let bytes = bytesOf(snapshots)
    let apart = spacing
    let isDamaged = false
    let earliest = Number.POSITIVE_INFINITY
    let since = 0
    const ids = new IdHashes()
    const take = (at: LogPlace): void => {
      const state = packState({ fold: fold.save(), clock: clock.save() })
      const taken = ids.take()
      snapshots.push({ place: at, events: fold.events, earliest, state: () => state, ids: () => taken })
      bytes += state.length + taken.length
      earliest = Number.POSITIVE_INFINITY
      since = 0
      if (bytes <= maxLogBytes) return
      snapshots = thinned(snapshots)
      bytes = bytesOf(snapshots)
      apart *= 2
    }
    return Stream.runForEach(log.pieces(place), (piece) =>
      Effect.sync(() => {
        for (const { broken, event } of piece.lines) {
          if (broken !== undefined || Result.isFailure(event)) isDamaged = true
          if (isDamaged || Result.isFailure(event)) return
          fold.apply(event.success)
          clock.apply(event.success)
          ids.add(event.success.id)
          earliest = Math.min(earliest, millis(event.success.recordedTime))
          since++
        }
        if (since >= apart && piece.place !== undefined) take(piece.place)
        progress(fold.events)
      })
    ).pipe(Effect.map(() => ({ snapshots, spacing: apart, isDamaged })))
  })
