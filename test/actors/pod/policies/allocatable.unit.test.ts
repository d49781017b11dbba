import assert from "node:assert/strict"
import { describe } from "node:test"
import { podsTierValues } from "../../../../src/actors/node/tiers.ts"
import { overReserved, withoutReserved } from "../../../../src/actors/pod/resources/allocatable.ts"
import { compare, quantityOf } from "../../../../src/actors/pod/resources/quantity.ts"
import { differs, itMeets, later, type RowValue } from "../../../support/cases.ts"

const file = "node-allocatable.json"
const hasThreshold = ({ hardThreshold }: RowValue): boolean =>
  hardThreshold.quantity !== null || hardThreshold.percentage !== 0

describe("what of a node is for pods", () => {
  itMeets(file, "TestNodeAllocatableForEnforcement", "is what is not reserved", ({ in: input, want }) => {
    const left = withoutReserved(input.capacity, input.kubeReserved ?? {}, input.systemReserved ?? {})
    assert.deepEqual(Object.keys(left).sort(), Object.keys(want.allocatable).sort())
    for (const [resource, amount] of Object.entries<string>(want.allocatable)) {
      assert.equal(compare(quantityOf(left[resource]), quantityOf(amount)), 0, `${resource}: ${left[resource]}`)
    }
    return undefined
  })

  itMeets(file, "TestNodeAllocatableInputValidation", "cannot be less than nothing", ({ in: input, want }) => {
    const over = overReserved(input.capacity, input.kubeReserved ?? {}, input.systemReserved ?? {})
    if (want.invalidConfiguration && over.length === 0 && hasThreshold(input))
      return later("eviction thresholds are not reserved yet")
    assert.equal(over.length > 0, want.invalidConfiguration)
    return undefined
  })

  itMeets(file, "TestGetCgroupConfig", "limits the cgroup of all pods", ({ in: input, want }) => {
    if (input.compressibleOnly) return differs("the cgroups of the system, which have such limits, are left alone")
    const values = podsTierValues(input.resources ?? {})
    assert.equal(values.cpuShares, want.config?.cpuShares)
    assert.equal(values.memoryLimit, want.config?.memoryLimitBytes)
    return undefined
  })
})
