import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { isDivisor, isResourceField } from "../../../src/adapters/manifests/resource-reference.ts"

describe("references to requests and limits", () => {
  it("are known resources in known units", () => {
    assert.deepEqual(
      ["limits.cpu", "requests.hugepages-1Gi", "limits.gpu", "cpu", "requests.ephemeral-storage"].map(isResourceField),
      [true, true, false, false, true]
    )
    assert.equal(isDivisor("limits.cpu", "1m"), true)
    assert.equal(isDivisor("limits.cpu", "1Mi"), false)
    assert.equal(isDivisor("limits.memory", "1Mi"), true)
    assert.equal(isDivisor("limits.memory", "2Mi"), false)
    assert.equal(isDivisor("limits.memory", undefined), true)
    assert.equal(isDivisor("limits.memory", "much"), false)
  })
})
