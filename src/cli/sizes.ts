/** Numbers of bytes, as people write them: Kubernetes quantities without a fraction. */
export { formatBytes } from "../events/sizes.ts"

const factors: Readonly<Record<string, number>> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4
}

/** `10Gi`, `512Mi`, `1G`, `4096` to bytes. */
export const parseBytes = (text: string): number | undefined => {
  const match = /^(\d{1,15})([kMGT]|[KMGT]i)?$/u.exec(text)
  if (match === null) return undefined
  const bytes = Number(match[1]) * (factors[match[2] ?? ""] as number)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
