/** Which images go after a look at all of them (`pkg/kubelet/images/image_gc_manager.go` GarbageCollect, DeleteUnusedImages). Pure. */
import {
  type Freed,
  freeSpace,
  type ImageRecord,
  type ImageRecords,
  notEnoughFreed,
  outdated,
  type Usage,
  usageOf
} from "../image/garbage.ts"
import type { ImagesSurveyed } from "./commands.ts"
import type { RuntimeDecision } from "./state.ts"

type Survey = typeof ImagesSurveyed.Type
type Trigger = "HighThreshold" | "MaximumAge" | "Eviction"

const before = Number.NEGATIVE_INFINITY

const reasons: Readonly<Record<Trigger, string>> = {
  HighThreshold: "no container uses it, and the disk of images is too full",
  MaximumAge: "no container has used it for too long",
  Eviction: "no container uses it, and the node is short of room"
}

const recordsOf = (d: RuntimeDecision, { unused }: Survey): ImageRecords => {
  const leaving = new Set(d.state.garbage?.flatMap(({ what, id }) => (what === "Image" ? [id] : [])))
  return new Map(
    unused
      .filter(({ id }) => !leaving.has(id))
      .map(({ id, size, firstDetected = before, lastUsed = before }): [string, ImageRecord] => [
        id,
        { id, size, pinned: false, firstDetected, lastUsed }
      ])
  )
}

export const collectImages = (d: RuntimeDecision, survey: Survey): void => {
  const { at, by, disk, policy, since } = survey
  const records = recordsOf(d, survey)
  if (by === "Eviction") {
    remove(d, survey, "Eviction", freeSpace(records, [...records.keys()], Number.POSITIVE_INFINITY, at, policy))
    return
  }
  const old = new Set(outdated(records, [...records.keys()], since, at, policy))
  remove(d, survey, "MaximumAge", { images: [...old], bytes: sizeOf(records, old) })
  const usage = disk === undefined ? undefined : usageOf(disk, policy)
  // A disk without a capacity tells nothing that could be decided on.
  if (disk === undefined || usage === undefined || typeof usage === "string") return
  const { percent: usedPercent, bytesToFree } = usage
  const measured = { usedPercent, capacityBytes: disk.capacity, availableBytes: disk.available }
  if (bytesToFree === 0) {
    if (d.state.isImageSpaceShort === true) d.emit({ _tag: "ImageSpaceRestored", ...measured })
    return
  }
  const order = [...records.keys()].filter((id) => !old.has(id))
  const freed = freeSpace(records, order, bytesToFree, at, policy)
  remove(d, survey, "HighThreshold", freed, usage)
  if (freed.bytes >= bytesToFree || d.state.isImageSpaceShort === true) return
  const message = notEnoughFreed(usage, disk, freed)
  d.emit({ _tag: "ImageSpaceShort", ...measured, bytesToFree, freedBytes: freed.bytes, message })
}

const sizeOf = (records: ImageRecords, ids: Iterable<string>): number =>
  [...ids].reduce((sum, id) => sum + (records.get(id)?.size ?? 0), 0)

const remove = (
  d: RuntimeDecision,
  { disk, policy, unused }: Survey,
  trigger: Trigger,
  freed: Freed,
  usage?: Usage
) => {
  if (freed.images.length === 0) return
  const because = d.emit({
    _tag: "ImageCollectionDecided",
    trigger,
    images: freed.images.length,
    bytes: freed.bytes,
    ...(usage === undefined ? {} : { bytesToFree: usage.bytesToFree, usedPercent: usage.percent }),
    ...(disk === undefined ? {} : { capacityBytes: disk.capacity, availableBytes: disk.available }),
    highThresholdPercent: policy.highThresholdPercent,
    lowThresholdPercent: policy.lowThresholdPercent
  })
  const names = new Map(unused.map(({ id, name }) => [id, name]))
  for (const id of freed.images) {
    const name = names.get(id) ?? ""
    d.emit({ _tag: "GarbageFound", what: "Image", id, namespace: "", name, uid: "", reason: reasons[trigger] }, because)
  }
}
