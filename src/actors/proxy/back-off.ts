/** Milliseconds. After the nth failure in a row the proxy waits `firstBackOff` × 2^(n-1). */
const firstBackOff = 100
const longestBackOff = 30_000
export const backOff = (failures: number): number =>
  Math.min(longestBackOff, firstBackOff * 2 ** Math.min(failures - 1, 20))
