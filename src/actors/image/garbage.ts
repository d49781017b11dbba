/**
 * Which images are to go (`pkg/kubelet/images/image_gc_manager.go`): when the disk that holds them is too full, those that were
 * not used for the longest time, until it is full no more. Pure; times are milliseconds since the epoch.
 */

/** Field names are kubelet's `imageGC…`. */
export interface ImageGcPolicy {
  /** Percent of the disk in use from which on images go. */
  readonly highThresholdPercent: number
  /** Percent in use at which enough of them have gone. */
  readonly lowThresholdPercent: number
  /** Milliseconds for which an image is known before it may go. */
  readonly minAge: number
  /** Milliseconds without use after which an image goes whatever room there is; 0: never. */
  readonly maxAge: number
}

export const imageGcPolicy: ImageGcPolicy = {
  highThresholdPercent: 85,
  lowThresholdPercent: 80,
  minAge: 120_000,
  maxAge: 0
}

/** What is wrong with a policy, in kubelet's words. */
export const imageGcPolicyProblem = ({
  highThresholdPercent: high,
  lowThresholdPercent: low
}: Pick<ImageGcPolicy, "highThresholdPercent" | "lowThresholdPercent">): string | undefined => {
  const isPercent = (value: number): boolean => value >= 0 && value <= 100
  if (!isPercent(high)) return `invalid HighThresholdPercent ${high}, must be in range [0-100]`
  if (!isPercent(low)) return `invalid LowThresholdPercent ${low}, must be in range [0-100]`
  return low > high ? `LowThresholdPercent ${low} can not be higher than HighThresholdPercent ${high}` : undefined
}

export interface ImageSight {
  readonly id: string
  /** Bytes. */
  readonly size: number
  readonly pinned: boolean
  /** Of the handler that it was pulled for (KEP-4216); empty: the default one. */
  readonly runtimeHandler?: string
}

export interface ImageRecord extends ImageSight {
  /** Negative infinity: it was there before anybody looked. */
  readonly firstDetected: number
  /** Negative infinity: never. */
  readonly lastUsed: number
}

/** By `imageKey`. */
export type ImageRecords = ReadonlyMap<string, ImageRecord>

export const imageKey = ({ id, runtimeHandler = "" }: Pick<ImageSight, "id" | "runtimeHandler">): string =>
  runtimeHandler === "" ? id : `${id},${runtimeHandler}`

const before = Number.NEGATIVE_INFINITY

/** What is known after a look: new images are known since `detectedAt`, those that containers use were used `now`. */
export const detectImages = (
  known: ImageRecords,
  images: ReadonlyArray<ImageSight>,
  inUse: ReadonlySet<string>,
  detectedAt: number | undefined,
  now: number
): ImageRecords => {
  const records = new Map<string, ImageRecord>()
  for (const image of images) {
    const key = imageKey(image)
    const { firstDetected = detectedAt ?? before, lastUsed = before } = records.get(key) ?? known.get(key) ?? {}
    records.set(key, { ...image, firstDetected, lastUsed: inUse.has(key) ? now : lastUsed })
  }
  return records
}

/** Images that may go, in the order in which they would: unused for the longest time first, then known for the longest. */
export const evictionOrder = (records: ImageRecords, inUse: ReadonlySet<string>): ReadonlyArray<string> =>
  [...records]
    .filter(([key, { pinned }]) => !pinned && !inUse.has(key))
    .sort(([, a], [, b]) => compare(a.lastUsed, b.lastUsed) || compare(a.firstDetected, b.firstDetected))
    .map(([key]) => key)

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1)

export interface Freed {
  readonly images: ReadonlyArray<string>
  readonly bytes: number
}

/** The images that go so that so many bytes are free, as far as they are old enough and were not used since. */
export const freeSpace = (
  records: ImageRecords,
  order: ReadonlyArray<string>,
  bytesToFree: number,
  at: number,
  { minAge }: Pick<ImageGcPolicy, "minAge">
): Freed => {
  const images: Array<string> = []
  let bytes = 0
  for (const key of order) {
    const record = records.get(key)
    if (record === undefined || record.lastUsed >= at || at - record.firstDetected < minAge) continue
    images.push(key)
    bytes += record.size
    if (bytes >= bytesToFree) break
  }
  return { images, bytes }
}

/** Images that nobody has used for too long. `since`: when looking began; nothing is told before `maxAge` has gone by. */
export const outdated = (
  records: ImageRecords,
  order: ReadonlyArray<string>,
  since: number,
  at: number,
  { maxAge }: Pick<ImageGcPolicy, "maxAge">
): ReadonlyArray<string> =>
  maxAge === 0 || at - since <= maxAge ? [] : order.filter((key) => at - (records.get(key)?.lastUsed ?? at) > maxAge)

/** The file system that holds the images; bytes. */
export interface ImageFs {
  readonly capacity: number
  readonly available: number
}

export interface Usage {
  readonly percent: number
  /** 0: there is room enough. */
  readonly bytesToFree: number
}

/** How full it is, and how much has to go. A runtime that tells no capacity is told of. */
export const usageOf = ({ capacity, available }: ImageFs, policy: ImageGcPolicy): Usage | string => {
  if (capacity <= 0) return `invalid capacity ${capacity} on image filesystem`
  const free = Math.min(available, capacity)
  const percent = 100 - Math.floor((free * 100) / capacity)
  if (percent < policy.highThresholdPercent) return { percent, bytesToFree: 0 }
  const wanted = Math.floor((capacity * (100 - policy.lowThresholdPercent)) / 100)
  return { percent, bytesToFree: Math.max(wanted - free, 0) }
}

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const
/** `10.0 GiB` */
const sizeText = (bytes: number): string => {
  const power = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  return power === 0 ? `${bytes} B` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power]}`
}

/** What is said when all that could go was too little. */
export const notEnoughFreed = ({ percent }: Usage, { capacity }: ImageFs, { bytes }: Freed): string =>
  `Insufficient free disk space on the node's image filesystem (${percent}% of ${sizeText(capacity)} used). ` +
  `Failed to free sufficient space by deleting unused images (freed ${bytes} bytes). ` +
  "Investigate disk usage, as it could be used by active images, logs, volumes, or other data."
