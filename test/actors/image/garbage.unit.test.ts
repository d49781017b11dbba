/**
 * Which images go (`pkg/kubelet/images/image_gc_manager.go`). The rows of a table follow each other, but each holds what was known
 * before. kubelet reads its clock in the midst of a step; here it stands at the row's `now`.
 */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import {
  detectImages,
  evictionOrder,
  type Freed,
  freeSpace,
  type ImageGcPolicy,
  type ImageRecord,
  imageGcPolicy,
  imageGcPolicyProblem,
  imageKey,
  notEnoughFreed,
  outdated,
  usageOf
} from "../../../src/actors/image/garbage.ts"
import { itMeets, type Row, type RowValue, readCase } from "../../support/cases.ts"

const file = "image-gc.json"
const before = Number.NEGATIVE_INFINITY
/** Milliseconds, with what a double keeps of the nanoseconds. */
const time = (text: string | null): number => {
  if (text === null) return before
  const [, seconds = "", fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/u.exec(text) ?? []
  return Date.parse(`${seconds}Z`) + Number(`0.${fraction === "" ? "0" : fraction}`) * 1000
}

const recordsOf = (records: RowValue): Map<string, ImageRecord> =>
  new Map(
    Object.entries(records as Record<string, RowValue>).map(([key, r]) => [
      key,
      { id: key, size: r.size, pinned: r.pinned, firstDetected: time(r.firstDetected), lastUsed: time(r.lastUsed) }
    ])
  )

/** One step of the row; what goes, and what is known then. */
const step = ({ operation, ...given }: RowValue) => {
  const { minAge, maxAge, highThresholdPercent, lowThresholdPercent } = given.policy
  const policy: ImageGcPolicy = {
    minAge: minAge * 1000,
    maxAge: maxAge * 1000,
    highThresholdPercent,
    lowThresholdPercent
  }
  const now = time(given.now)
  const images = given.images.map((i: RowValue) => ({
    id: i.id,
    size: i.sizeBytes,
    pinned: i.pinned,
    runtimeHandler: i.runtimeHandler ?? ""
  }))
  const containers: ReadonlyArray<RowValue> = (given.podContainers ?? []).flat()
  const inUse = new Set(containers.map((c) => imageKey({ id: c.imageID, runtimeHandler: c.imageRuntimeHandler ?? "" })))
  const at = operation === "freeSpace" ? time(given.freeTime) : now
  const detectedAt = operation === "detectImages" ? time(given.detectTime) : now
  // Room is made among what was seen just before.
  const known =
    operation === "freeSpace"
      ? recordsOf(given.records)
      : detectImages(recordsOf(given.records), images, inUse, detectedAt, now)
  const order = evictionOrder(known, inUse)
  const free = (bytes: number): Freed => freeSpace(known, order, bytes, at, policy)
  const nothing: Freed = { images: [], bytes: 0 }
  let error: string | null = null
  let freed = nothing
  if (operation === "freeSpace") freed = free(given.bytesToFree)
  else if (operation === "DeleteUnusedImages") freed = free(Number.MAX_SAFE_INTEGER)
  else if (operation === "GarbageCollect") {
    const { imageFs, error: failed } = given.imageFs
    const fs = { capacity: imageFs.capacityBytes ?? 0, available: imageFs.availableBytes ?? 0 }
    const usage = failed ?? usageOf(fs, policy)
    if (typeof usage === "string") error = usage
    else if (usage.bytesToFree > 0) {
      freed = free(usage.bytesToFree)
      if (freed.bytes < usage.bytesToFree) error = notEnoughFreed(usage, fs, freed)
    }
  }
  const records = new Map([...known].filter(([key]) => !freed.images.includes(key)))
  return { records, freed, order, error, inUse, now }
}

const judged = ({ in: given, want }: Row): undefined => {
  const { records, freed, order, error, inUse, now } = step(given)
  assert.equal(error, want.error)
  if (want.bytesFreed !== undefined) assert.equal(freed.bytes, want.bytesFreed)
  if (want.imagesInUse !== undefined) assert.deepEqual([...inUse].sort(), [...want.imagesInUse].sort())
  if (given.imagesInEvictionOrder !== undefined) assert.deepEqual(order, given.imagesInEvictionOrder)
  assert.deepEqual([...records.keys()].sort(), Object.keys(want.records).sort())
  for (const [key, wanted] of recordsOf(want.records)) {
    const own = records.get(key)!
    const old = recordsOf(given.records).get(key)
    assert.deepEqual([own.size, own.pinned], [wanted.size, wanted.pinned])
    const isUsedNow = wanted.lastUsed !== (old?.lastUsed ?? before)
    assert.equal(own.lastUsed, isUsedNow ? now : wanted.lastUsed, `${key} was used`)
    const isGiven = given.operation === "detectImages" || given.operation === "freeSpace" || old !== undefined
    assert.equal(own.firstDetected, isGiven ? wanted.firstDetected : now, `${key} was detected`)
  }
  return undefined
}

describe("the garbage of images", () => {
  itMeets(file, "TestValidateImageGCPolicy", "is judged by thresholds that make sense", (row) => {
    assert.equal(imageGcPolicyProblem(row.in.policy) ?? "", row.want.error)
    return undefined
  })
  const others = new Set<string>(
    readCase(file)
      .tables.map((table: RowValue) => table.origin.test)
      .filter((test: string) => test !== "TestValidateImageGCPolicy")
  )
  for (const test of others) itMeets(file, test, "is what kubelet collects", judged)

  const image = (id: string, lastUsed: number): [string, ImageRecord] => [
    id,
    { id, size: 1, pinned: false, firstDetected: 0, lastUsed }
  ]
  it("is also what nobody has used for too long, once that long has been looked at it", () => {
    const records = new Map([image("old", 1000), image("new", 9000), image("never", before)])
    const order = evictionOrder(records, new Set())
    assert.deepEqual(order, ["never", "old", "new"])
    assert.deepEqual(outdated(records, order, 0, 10_000, { maxAge: 0 }), [])
    assert.deepEqual(outdated(records, order, 6000, 10_000, { maxAge: 5000 }), [])
    assert.deepEqual(outdated(records, order, 0, 10_000, { maxAge: 5000 }), ["never", "old"])
  })
  it("is looked for from 85 % on, down to 80 %, as kubelet does by default", () => {
    assert.equal(imageGcPolicyProblem(imageGcPolicy), undefined)
    assert.deepEqual(usageOf({ capacity: 1000, available: 151 }, imageGcPolicy), { percent: 85, bytesToFree: 49 })
    assert.deepEqual(usageOf({ capacity: 1000, available: 160 }, imageGcPolicy), { percent: 84, bytesToFree: 0 })
    assert.equal(usageOf({ capacity: 0, available: 0 }, imageGcPolicy), "invalid capacity 0 on image filesystem")
  })
})
