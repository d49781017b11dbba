/** References to a container's requests and limits (`pkg/apis/core/validation`: validateContainerResourceFieldSelector). */
import { quantityNumber } from "./quantity.ts"

/** `limits.cpu`, `requests.hugepages-2Mi`, … */
export const isResourceField = (selected: string): boolean =>
  /^(?:limits|requests)\.(?:cpu|memory|ephemeral-storage|hugepages-.+)$/u.test(selected)

const cpuDivisors = ["1m", "1"]
const byteDivisors = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"]

/** The units in which a resource may be counted. */
export const divisorsOf = (selected: string): ReadonlyArray<string> =>
  selected.endsWith(".cpu") ? cpuDivisors : byteDivisors

/** Whether a resource may be counted in units of `divisor`; zero or absent is 1. */
export const isDivisor = (selected: string, divisor: string | undefined): boolean => {
  const unit = quantityNumber(divisor ?? "0")
  return unit === 0 || (unit !== undefined && divisorsOf(selected).some((known) => quantityNumber(known) === unit))
}
