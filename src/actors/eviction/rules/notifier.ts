/** When the kernel is to tell that memory comes to be short (`pkg/kubelet/eviction/memory_threshold_notifier.go`). */
import type { MemoryStats } from "../../../events/stats-summary.ts"
import { toNumber } from "../../pod/resources/quantity.ts"
import { amountOf, type Threshold } from "./thresholds.ts"

/**
 * Bytes of usage at which the threshold is about to be met: capacity and what could be given back at once, without the
 * threshold's own amount. `undefined` where the figures do not tell.
 */
export const noticeUsage = (
  { availableBytes, workingSetBytes, usageBytes }: Omit<MemoryStats, "time">,
  threshold: Threshold
): number | undefined => {
  if (availableBytes === undefined || workingSetBytes === undefined || usageBytes === undefined) return undefined
  const capacity = availableBytes + workingSetBytes
  const inactive = usageBytes - workingSetBytes
  return Math.trunc(capacity - toNumber(amountOf(threshold.value, capacity, threshold.signal)) + inactive)
}
