/** Thresholds, observations and states as the rows of eviction*.json write them. Times are milliseconds here. */
import { Result } from "effect"
import type { MetSince } from "../../../src/actors/eviction/rules/met.ts"
import { formatOf } from "../../../src/actors/eviction/rules/signals.ts"
import type { SyncState } from "../../../src/actors/eviction/rules/synchronize.ts"
import type { Threshold, ThresholdValue } from "../../../src/actors/eviction/rules/thresholds.ts"
import { parseQuantity, quantityText, scaledQuantity, value } from "../../../src/actors/pod/resources/quantity.ts"
import type { RowValue } from "../../support/cases.ts"

const valueFrom = ({ quantity, percentageFraction }: RowValue): ThresholdValue =>
  quantity === null
    ? { fraction: Math.fround(percentageFraction) }
    : { quantity: Result.getOrThrow(parseQuantity(quantity)) }

export const thresholdFrom = ({ signal, value: of, gracePeriodSeconds, minReclaim }: RowValue): Threshold => ({
  signal,
  value: valueFrom(of),
  gracePeriod: gracePeriodSeconds * 1000,
  ...(minReclaim === null ? {} : { minReclaim: valueFrom(minReclaim) })
})

const valueTo = (of: ThresholdValue): RowValue =>
  "quantity" in of
    ? { quantity: quantityText(of.quantity), percentageFraction: 0 }
    : { quantity: null, percentageFraction: Number(of.fraction.toFixed(7)) }

export const thresholdTo = ({ signal, value: of, gracePeriod, minReclaim }: Threshold): RowValue => ({
  signal,
  value: valueTo(of),
  gracePeriodSeconds: Number((gracePeriod / 1000).toFixed(9)),
  minReclaim: minReclaim === undefined ? null : valueTo(minReclaim)
})

/** Without the operator, which is always the same, and in one order. */
export const sortedThresholds = (thresholds: RowValue): RowValue =>
  (thresholds ?? [])
    .map(({ operator: _, ...rest }: RowValue) => rest)
    .sort((a: RowValue, b: RowValue) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

const amount = (text: string | null): number =>
  text === null || text === undefined ? 0 : value(Result.getOrThrow(parseQuantity(text)))

export const observationsFrom = (observations: RowValue): RowValue =>
  Object.fromEntries(
    Object.entries(observations ?? {}).map(([signal, { available, capacity, time }]: RowValue) => [
      signal,
      { available: amount(available), capacity: amount(capacity), ...(time === null ? {} : { time }) }
    ])
  )

const amountText = (signal: string, of: number): string => quantityText(scaledQuantity(BigInt(of), 0, formatOf(signal)))

export const observationsTo = (observations: RowValue): RowValue =>
  Object.fromEntries(
    Object.entries(observations ?? {}).map(([signal, { available, capacity, time }]: RowValue) => [
      signal,
      { capacity: amountText(signal, capacity), available: amountText(signal, available), time: time ?? null }
    ])
  )

export const metFrom = (observedAt: RowValue): ReadonlyArray<MetSince> =>
  (Array.isArray(observedAt) ? observedAt : []).map(({ key, value: at }: RowValue) => ({
    threshold: thresholdFrom(key),
    at: Date.parse(at)
  }))

export const metTo = (met: ReadonlyArray<MetSince>): RowValue =>
  met
    .map(({ threshold, at }) => ({ key: thresholdTo(threshold), value: at }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

export const metAsWritten = (observedAt: RowValue): RowValue => metTo(metFrom(observedAt))

export const timesFrom = (times: RowValue): RowValue =>
  Object.fromEntries(Object.entries(times ?? {}).map(([condition, at]) => [condition, Date.parse(at as string)]))

export const stateFrom = (state: RowValue): SyncState => ({
  met: metFrom(state.thresholdsFirstObservedAt),
  thresholdsMet: (state.thresholdsMet ?? []).map(thresholdFrom),
  conditions: state.nodeConditions ?? [],
  conditionTimes: timesFrom(state.nodeConditionsLastObservedAt),
  lastObservations: observationsFrom(state.lastObservations)
})

/** Absent instead of null, all the way down: as a summary is written here. */
export const withoutNull = (of: RowValue): RowValue => {
  if (Array.isArray(of)) return of.map(withoutNull)
  if (typeof of !== "object" || of === null) return of
  return Object.fromEntries(
    Object.entries(of).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNull(inner)]]))
  )
}
