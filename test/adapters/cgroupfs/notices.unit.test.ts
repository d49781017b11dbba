/** When short memory is looked for, and what counts as such. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { crossingDetector, lookPeriod, nextLook, stallDetector } from "../../../src/adapters/cgroupfs/notices.ts"

const gibibyte = 1024 ** 3

describe("looks for short memory", () => {
  it("are as many as memory could come to be short in, and no fewer than one a second", () => {
    assert.equal(nextLook(undefined), lookPeriod)
    assert.equal(nextLook(-gibibyte), lookPeriod)
    assert.equal(nextLook(0), lookPeriod)
    assert.equal(nextLook(gibibyte / 2), lookPeriod)
    assert.equal(nextLook(4 * gibibyte), 500)
    assert.equal(nextLook(Number.MAX_SAFE_INTEGER), 1_000)
  })

  it("tell of usage that comes to the threshold once each time", () => {
    const hasCrossed = crossingDetector(10)
    assert.deepEqual([5, 10, 12, 9, 11].map(hasCrossed), [false, true, false, false, true])
  })

  it("tell of tasks that waited for a tenth of the time since, however far apart they are", () => {
    const often = stallDetector()
    assert.deepEqual(
      [0, 100, 200, 300, 400, 500].map((at) => often(at, at * 110)),
      [false, false, false, false, false, true]
    )
    const seldom = stallDetector()
    assert.deepEqual(
      [0, 1000, 2000].map((at) => seldom(at, at * 60)),
      [false, false, false]
    )
    assert.equal(seldom(3000, 2000 * 60 + 150_000), true)
  })
})
