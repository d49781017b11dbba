/** Numbers of bytes in sentences. */

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

/** Of an eviction signal: bytes, or a number of inodes or processes. */
export const signalAmount = (signal: string, amount: number): string =>
  signal.endsWith(".inodesFree") || signal.startsWith("pid.") ? String(amount) : formatBytes(amount)
