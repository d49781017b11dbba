/**
 * One pass of eviction (`pkg/kubelet/eviction/eviction_manager.go` synchronize), pure: what is known and what is seen in, what is
 * to be done and what is known then out.
 */
import { compare, quantityOf, scaledQuantity } from "../../pod/resources/quantity.ts"
import type { Candidate, StorageLimit } from "./candidate.ts"
import { type FsLayout, withContainerFs } from "./container-fs.ts"
import { type EvictionMessage, evictionMessage, storageLimitMessage } from "./message.ts"
import {
  type ConditionTimes,
  conditionsLastObserved,
  conditionsOf,
  conditionsSince,
  firstObserved,
  type MetSince,
  mergeThresholds,
  metGracePeriod,
  thresholdsMet,
  thresholdsUpdated
} from "./met.ts"
import type { Observation } from "./observations.ts"
import { comparatorsFor, ordered } from "./rank.ts"
import { type Reclaim, reclaimsFor } from "./reclaim.ts"
import type { PressureCondition, Resource } from "./signals.ts"
import { byEvictionPriority, isHard, reclaimable, type Threshold } from "./thresholds.ts"

export interface SyncConfig {
  /** With those of containerfs (container-fs.ts); kubelet's first pass has not got them yet. */
  readonly thresholds: ReadonlyArray<Threshold>
  /** For how long a condition holds after it was last observed, ms. */
  readonly pressureTransitionPeriod: number
  /** Seconds that a pod gets by a soft threshold. */
  readonly maxPodGracePeriodSeconds: number
  readonly localStorageCapacityIsolation: boolean
}

export interface SyncState {
  readonly met: ReadonlyArray<MetSince>
  /** Those whose grace is over and whose minimum reclaim is not reached. */
  readonly thresholdsMet: ReadonlyArray<Threshold>
  readonly conditions: ReadonlyArray<PressureCondition>
  readonly conditionTimes: ConditionTimes
  /** When the figures that were last seen are from, by signal. */
  readonly lastObservations: Readonly<Record<string, Pick<Observation, "time"> | undefined>>
}

export interface Sight {
  readonly now: number
  readonly layout: FsLayout
  readonly observations: Readonly<Record<string, Observation | undefined>>
  readonly candidates: ReadonlyArray<Candidate>
}

/** The pod that is to go, and why. */
export interface Victim extends EvictionMessage {
  readonly candidate: Candidate
  /** From 1: place in the ranking; 0: it passed a limit of its own. */
  readonly rank: number
  /** Seconds; the pod's own may be less. */
  readonly gracePeriodSeconds: number
  readonly limit?: StorageLimit
}

export interface Shortage {
  readonly threshold: Threshold
  readonly resource: Resource
  /** All that are to be dealt with, in order. */
  readonly thresholds: ReadonlyArray<Threshold>
}

export type Todo =
  | { readonly _tag: "Nothing" }
  /** Pods beyond limits of their own. */
  | { readonly _tag: "EvictLimited"; readonly victims: ReadonlyArray<Victim> }
  /** The node gives back what it can first; then `afterReclaim`. */
  | { readonly _tag: "Reclaim"; readonly shortage: Shortage; readonly reclaims: ReadonlyArray<Reclaim> }
  | { readonly _tag: "Evict"; readonly shortage: Shortage }

export interface Synchronized {
  readonly state: SyncState
  readonly todo: Todo
}

/** Seconds that a pod gets to end where there is no time (`immediateEvictionGracePeriodSeconds`). */
export const immediateGracePeriod = 1

export const synchronize = (config: SyncConfig, state: SyncState, sight: Sight): Synchronized => {
  const { now, layout, observations, candidates } = sight
  if (config.thresholds.length === 0 && !config.localStorageCapacityIsolation) {
    return { state, todo: { _tag: "Nothing" } }
  }
  const unresolved = thresholdsMet(state.thresholdsMet, observations, true)
  const nowMet = mergeThresholds(thresholdsMet(config.thresholds, observations, false), unresolved)
  const met = firstObserved(nowMet, state.met, now)
  const conditionTimes = conditionsLastObserved(conditionsOf(nowMet), state.conditionTimes, now)
  const due = metGracePeriod(met, now)
  const next: SyncState = {
    met,
    thresholdsMet: due,
    conditions: conditionsSince(conditionTimes, config.pressureTransitionPeriod, now),
    conditionTimes,
    lastObservations: observations
  }
  const limited = config.localStorageCapacityIsolation ? beyondLimits(candidates) : []
  if (limited.length > 0) return { state: next, todo: { _tag: "EvictLimited", victims: limited } }
  const thresholds = byEvictionPriority(thresholdsUpdated(due, observations, state.lastObservations))
  const found = reclaimable(thresholds)
  if (found === undefined) return { state: next, todo: { _tag: "Nothing" } }
  const shortage: Shortage = { ...found, thresholds }
  const reclaims = reclaimsFor(found.threshold.signal, layout)
  return {
    state: next,
    todo: reclaims.length === 0 ? { _tag: "Evict", shortage } : { _tag: "Reclaim", shortage, reclaims }
  }
}

/** Whether what the node gave back is enough: no threshold is met, minimum reclaim and all, whatever its grace. */
export const isRelieved = (
  config: SyncConfig,
  { layout, observations }: Pick<Sight, "layout" | "observations">
): boolean => thresholdsMet(withContainerFs(config.thresholds, layout).thresholds, observations, true).length === 0

/** At most one pod for a shortage: the first of the ranking that is not critical. */
export const victimOf = (
  config: Pick<SyncConfig, "maxPodGracePeriodSeconds">,
  shortage: Shortage,
  { layout, observations, candidates }: Sight
): Victim | undefined => {
  const ranking = rankingOf(shortage, { layout, candidates })
  const rank = ranking.findIndex(({ critical }) => critical !== true)
  if (rank === -1) return undefined
  const candidate = ranking[rank]!
  return {
    candidate,
    rank: rank + 1,
    gracePeriodSeconds: isHard(shortage.threshold) ? immediateGracePeriod : config.maxPodGracePeriodSeconds,
    ...evictionMessage(shortage.resource, candidate, shortage.thresholds, observations)
  }
}

export const rankingOf = (
  { threshold }: Pick<Shortage, "threshold">,
  { layout, candidates }: Pick<Sight, "layout" | "candidates">
): ReadonlyArray<Candidate> => {
  const comparators = comparatorsFor(threshold.signal, layout)
  return comparators === undefined ? [] : ordered(candidates, comparators)
}

const isPassed = ({ limit, used }: StorageLimit): boolean =>
  compare(scaledQuantity(BigInt(used)), quantityOf(limit)) > 0

/** Each pod for the first limit that it passed. */
const beyondLimits = (candidates: ReadonlyArray<Candidate>): ReadonlyArray<Victim> =>
  candidates.flatMap((candidate) => {
    const limit = candidate.critical === true ? undefined : candidate.limits?.find(isPassed)
    if (limit === undefined) return []
    const message = storageLimitMessage(limit)
    return [{ candidate, rank: 0, gracePeriodSeconds: immediateGracePeriod, limit, message, annotations: {} }]
  })
