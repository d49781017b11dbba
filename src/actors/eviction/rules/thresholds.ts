/** Thresholds of eviction and what they mean against what there is (`pkg/kubelet/eviction/api/types.go`, `helpers.go`). */
import { compare, type Quantity, quantityText, scaledQuantity } from "../../pod/resources/quantity.ts"
import { formatOf, isMemorySignal, type Resource, resourceOf } from "./signals.ts"

/** An amount, or a fraction (0-1, a 32-bit float as upstream) of the capacity. */
export type ThresholdValue = { readonly quantity: Quantity } | { readonly fraction: number }

/** It is met by an observation below its value. */
export interface Threshold {
  /** One of `evictionSignals`; rows of tests have others. */
  readonly signal: string
  readonly value: ThresholdValue
  /** How long it has to be met before something is done about it, milliseconds; 0: a hard threshold. */
  readonly gracePeriod: number
  /** What has to be free beyond the value before the pressure counts as over. */
  readonly minReclaim?: ThresholdValue
}

export const isHard = ({ gracePeriod }: Threshold): boolean => gracePeriod === 0

export const sameValue = (a: ThresholdValue, b: ThresholdValue): boolean => {
  if ("quantity" in a) return "quantity" in b && compare(a.quantity, b.quantity) === 0
  return "fraction" in b && a.fraction === b.fraction
}

/** Whatever the minimum reclaim is. */
export const sameThreshold = (a: Threshold, b: Threshold): boolean =>
  a.signal === b.signal && a.gracePeriod === b.gracePeriod && sameValue(a.value, b.value)

/** Of a signal whose capacity is that: bytes, inodes, processes. */
export const amountOf = (value: ThresholdValue, capacity: number, signal: string): Quantity =>
  "quantity" in value
    ? value.quantity
    : scaledQuantity(BigInt(Math.trunc(capacity * value.fraction)), 0, formatOf(signal))

/** `100Mi`, `10%` */
export const valueText = (value: ThresholdValue): string =>
  "quantity" in value ? quantityText(value.quantity) : `${Number((value.fraction * 100).toFixed(5))}%`

/** Tells a threshold from all others of a configuration: `memory.available<100Mi`, with its grace where it has one. */
export const thresholdKey = ({ signal, value, gracePeriod }: Threshold): string =>
  `${signal}<${valueText(value)}${gracePeriod === 0 ? "" : ` for ${gracePeriod / 1000}s`}`

/**
 * In the order in which they are dealt with: memory first, then what can be reclaimed, then the rest (`byEvictionPriority`).
 * Among those of one signal hard ones go first; upstream leaves that to chance.
 */
export const byEvictionPriority = (thresholds: ReadonlyArray<Threshold>): ReadonlyArray<Threshold> => {
  const rank = ({ signal }: Threshold): number =>
    isMemorySignal(signal) ? 0 : resourceOf(signal) === undefined ? 2 : 1
  return thresholds
    .map((threshold, index) => ({ threshold, index }))
    .sort(
      (a, b) =>
        rank(a.threshold) - rank(b.threshold) ||
        (a.threshold.signal === b.threshold.signal ? Number(isHard(b.threshold)) - Number(isHard(a.threshold)) : 0) ||
        a.index - b.index
    )
    .map(({ threshold }) => threshold)
}

/** The first of them whose resource can be reclaimed, with it. */
export const reclaimable = (
  thresholds: ReadonlyArray<Threshold>
): { readonly threshold: Threshold; readonly resource: Resource } | undefined => {
  for (const threshold of thresholds) {
    const resource = resourceOf(threshold.signal)
    if (resource !== undefined) return { threshold, resource }
  }
  return undefined
}
