/** Numbers of bytes, as people write them: Kubernetes quantities without a fraction. */

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

/** `1.4 GiB`, for people. */
export const formatBytes = (bytes: number): string => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"]
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}
