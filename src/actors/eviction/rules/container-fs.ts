/**
 * The thresholds of containerfs, which are not written but follow: from those of nodefs where containers' layers are on it, else
 * from those of imagefs (`helpers.go` UpdateContainerFsThresholds).
 */
import { isHard, type Threshold } from "./thresholds.ts"

/** Which file systems are on their own. */
export interface FsLayout {
  /** Images are on another file system than the node's data. */
  readonly dedicatedImageFs: boolean
  /** Containers' layers are on another file system than images. */
  readonly separateContainerFs: boolean
}

export interface WithContainerFs {
  readonly thresholds: ReadonlyArray<Threshold>
  /** Those that were written, which do not count: kubelet's words. */
  readonly ignored?: string
}

/** Not written, there is none: it is never met. */
const never: Pick<Threshold, "value" | "gracePeriod"> = {
  value: { quantity: { nano: 0n, format: "DecimalSI" } },
  gracePeriod: 0
}

export const withContainerFs = (
  thresholds: ReadonlyArray<Threshold>,
  { dedicatedImageFs, separateContainerFs }: FsLayout
): WithContainerFs => {
  const base = dedicatedImageFs && !separateContainerFs ? "imagefs" : "nodefs"
  const result = [...thresholds]
  let ignored: string | undefined
  for (const threshold of thresholds) {
    if (!threshold.signal.startsWith("containerfs.")) continue
    ignored = `found ${threshold.signal} for ${isHard(threshold) ? "hard" : "soft"} eviction. ignoring`
  }
  for (const what of ["available", "inodesFree"]) {
    for (const hard of [true, false]) {
      const signal = `containerfs.${what}`
      const from = thresholds.findLast((t) => t.signal === `${base}.${what}` && isHard(t) === hard)
      const own = thresholds.findLastIndex((t) => t.signal === signal && isHard(t) === hard)
      const threshold: Threshold = { ...(from ?? never), signal }
      if (own !== -1) result[own] = threshold
      else if (from !== undefined) result.push(threshold)
    }
  }
  return ignored === undefined ? { thresholds: result } : { thresholds: result, ignored }
}
