import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result } from "effect"
import { parseThresholds } from "../../../src/actors/eviction/rules/settings.ts"
import type { Threshold } from "../../../src/actors/eviction/rules/thresholds.ts"
import {
  enforcedAllocatable,
  overReserved,
  overReservedParts,
  type Reserved,
  reservation
} from "../../../src/actors/node/allocatable.ts"
import { reservedTierValues } from "../../../src/actors/node/tiers.ts"
import { compare, quantityOf } from "../../../src/actors/pod/resources/quantity.ts"
import { itMeets, type RowValue } from "../../support/cases.ts"

const file = "node-allocatable.json"

/** Tables about ephemeral storage have a threshold of the node's file system. */
const thresholdsOf = ({ hardThreshold, capacity }: RowValue): ReadonlyArray<Threshold> => {
  const { quantity, percentage } = hardThreshold
  const value = quantity === null ? { fraction: percentage } : { quantity: quantityOf(quantity) }
  const signal = capacity["ephemeral-storage"] === undefined ? "memory.available" : "nodefs.available"
  return [{ signal, value, gracePeriod: 0 }]
}
const reservedOf = (input: RowValue): Reserved => ({ ...input, thresholds: thresholdsOf(input) })

const same = (found: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): void => {
  for (const [resource, amount] of Object.entries(found))
    assert.equal(compare(quantityOf(amount), quantityOf(wanted[resource])), 0, `${resource}: ${amount}`)
}

describe("what of a node is for pods", () => {
  itMeets(file, "TestNodeAllocatableReservationForScheduling", "some of it is kept back", ({ in: input, want }) => {
    const kept = reservation(input.capacity, reservedOf(input))
    same(kept, want.reservation)
    // Upstream's table counts what the node has none of, and does not ask for it.
    const wanted = Object.keys(want.reservation).filter((resource) => input.capacity[resource] !== undefined)
    assert.deepEqual(Object.keys(kept).toSorted(), wanted.toSorted())
    return undefined
  })

  itMeets(
    file,
    "TestNodeAllocatableForEnforcement",
    "the kernel limits them to what is not reserved",
    ({ in: input, want }) => {
      const left = enforcedAllocatable(input.capacity, reservedOf(input))
      same(left, want.allocatable)
      assert.deepEqual(Object.keys(left).toSorted(), Object.keys(want.allocatable).toSorted())
      return undefined
    }
  )

  itMeets(
    file,
    "TestNodeAllocatableInputValidation",
    "no more can be kept back than there is",
    ({ in: input, want }) => {
      assert.equal(overReserved(input.capacity, reservedOf(input)) ?? null, want.error)
      return undefined
    }
  )

  itMeets(file, "TestGetCgroupConfig", "cgroups are limited to a list of resources", ({ in: input, want }) => {
    const values = reservedTierValues(input.resources ?? {}, input.compressibleOnly)
    assert.equal(values.cpuShares, want.config?.cpuShares)
    assert.equal(values.memoryLimit, want.config?.memoryLimitBytes)
    assert.deepEqual(values.hugePages ?? {}, want.config?.hugePageLimitBytes ?? {})
    return undefined
  })

  it("is told in figures where too much is kept back", () => {
    const texts = { evictionHard: { "memory.available": "100Mi" }, evictionSoft: {}, evictionSoftGracePeriod: {} }
    const parsed = parseThresholds({ ...texts, enforceNodeAllocatable: ["pods"], evictionMinimumReclaim: {} })
    const thresholds = Result.getOrThrow(parsed)
    const reserved = { kubeReserved: { memory: "1Gi" }, systemReserved: { cpu: "1", memory: "2Gi" }, thresholds }
    assert.deepEqual(overReservedParts({ cpu: "2", memory: "2Gi" }, reserved), [
      "memory: systemReserved 2Gi and kubeReserved 1Gi and evictionHard 100Mi are 3172Mi, and the node has 2Gi"
    ])
    assert.deepEqual(overReservedParts({ cpu: "2", memory: "4Gi" }, reserved), [])
  })
})
