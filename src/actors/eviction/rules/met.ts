/** Which thresholds are met, since when, and what follows for the node's conditions (`pkg/kubelet/eviction/helpers.go`). */
import { add, compare, scaledQuantity } from "../../pod/resources/quantity.ts"
import type { Observation } from "./observations.ts"
import { conditionOf, type PressureCondition } from "./signals.ts"
import { amountOf, sameThreshold, type Threshold } from "./thresholds.ts"

type ObservedSignals = Readonly<Record<string, Observation | undefined>>

/** Met now, whatever their grace. `enforceMinReclaim`: what is free has to be above the minimum reclaim as well. */
export const thresholdsMet = (
  thresholds: ReadonlyArray<Threshold>,
  observations: ObservedSignals,
  enforceMinReclaim: boolean
): ReadonlyArray<Threshold> =>
  thresholds.filter(({ signal, value, minReclaim }) => {
    const observed = observations[signal]
    if (observed === undefined) return false
    const own = amountOf(value, observed.capacity, signal)
    const wanted =
      enforceMinReclaim && minReclaim !== undefined ? add(own, amountOf(minReclaim, observed.capacity, signal)) : own
    return compare(wanted, scaledQuantity(BigInt(observed.available))) > 0
  })

export const mergeThresholds = (
  some: ReadonlyArray<Threshold>,
  more: ReadonlyArray<Threshold>
): ReadonlyArray<Threshold> => [
  ...some,
  ...more.filter((threshold) => !some.some((other) => sameThreshold(other, threshold)))
]

/** Those whose figures are newer than the last ones: nothing is done twice about the same figures. */
export const thresholdsUpdated = (
  thresholds: ReadonlyArray<Threshold>,
  observations: ObservedSignals,
  last: Readonly<Record<string, Pick<Observation, "time"> | undefined>>
): ReadonlyArray<Threshold> =>
  thresholds.filter(({ signal }) => {
    const observed = observations[signal]
    if (observed === undefined) return false
    const before = last[signal]
    if (before === undefined || observed.time === undefined) return true
    return Date.parse(observed.time) > (before.time === undefined ? Number.NEGATIVE_INFINITY : Date.parse(before.time))
  })

/** A threshold that is met, and since when (ms). */
export interface MetSince {
  readonly threshold: Threshold
  readonly at: number
}

export const firstObserved = (
  thresholds: ReadonlyArray<Threshold>,
  last: ReadonlyArray<MetSince>,
  now: number
): ReadonlyArray<MetSince> =>
  thresholds.map((threshold) => ({
    threshold,
    at: last.find((met) => sameThreshold(met.threshold, threshold))?.at ?? now
  }))

/** Those that have been met for their grace period. */
export const metGracePeriod = (met: ReadonlyArray<MetSince>, now: number): ReadonlyArray<Threshold> =>
  met.filter(({ threshold, at }) => now - at >= threshold.gracePeriod).map(({ threshold }) => threshold)

export const conditionsOf = (thresholds: ReadonlyArray<Threshold>): ReadonlyArray<PressureCondition> => [
  ...new Set(thresholds.flatMap(({ signal }) => conditionOf(signal) ?? []))
]

/** By condition: when it was last observed (ms). */
export type ConditionTimes = Readonly<Partial<Record<PressureCondition, number>>>

export const conditionsLastObserved = (
  conditions: ReadonlyArray<PressureCondition>,
  last: ConditionTimes,
  now: number
): ConditionTimes => ({ ...last, ...Object.fromEntries(conditions.map((condition) => [condition, now])) })

/** Those that were observed within the transition period (ms). */
export const conditionsSince = (times: ConditionTimes, period: number, now: number): ReadonlyArray<PressureCondition> =>
  (Object.entries(times) as ReadonlyArray<[PressureCondition, number]>)
    .filter(([, at]) => now - at < period)
    .map(([condition]) => condition)
