/** Whom a drain ends, and label selectors as kubectl writes them. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { chooseDrained } from "../../../src/actors/node/drain-choice.ts"
import { matchesLabels, parseLabelSelector } from "../../../src/actors/node/label-selector.ts"
import type { PodState } from "../../../src/actors/pod/state.ts"
import type { Pod } from "../../../src/events/pod-spec.ts"
import { PodStory, pod } from "../pod/pod-story.ts"

const matches = (selector: string, labels: Record<string, string>): boolean => {
  const parsed = parseLabelSelector(selector)
  assert.ok(typeof parsed !== "string", String(parsed))
  return matchesLabels(parsed, labels)
}

describe("a label selector", () => {
  it("knows equality, sets and presence, all of which have to hold", () => {
    const labels = { app: "web", tier: "front", "example.com/debug": "" }
    for (const selector of [
      "app=web",
      "app == web",
      "tier!=cache",
      "missing!=x",
      "app in (web, db)",
      "tier notin (cache,back)",
      "example.com/debug",
      "!missing",
      "app=web,tier in (front,back),!missing"
    ]) {
      assert.equal(matches(selector, labels), true, selector)
    }
    for (const selector of ["app=db", "tier!=front", "app in (db)", "missing", "!app", "app=web,!tier", "toString"]) {
      assert.equal(matches(selector, labels), false, selector)
    }
  })

  it("says what is wrong", () => {
    for (const selector of ["", ",", "=x", "a=b=c", "a in b", "a in (b", "a=(b)", "-a", "a b", "a in (b c)"]) {
      assert.equal(typeof parseLabelSelector(selector), "string", selector)
    }
  })
})

describe("a drain", () => {
  const stateOf = (spec: Partial<Pod["spec"]>, labels: Record<string, string> = {}): PodState => {
    const { metadata, spec: whole } = pod(spec)
    const story = new PodStory()
    story.tell({ _tag: "DesirePod", pod: { metadata: { ...metadata, labels }, spec: whole }, source: "/web.yaml" })
    return story.state
  }
  const plain = stateOf({}, { app: "web" })
  const vital = stateOf({ priority: 2_000_000_000 }, { app: "web" })
  const scratch = stateOf({ volumes: [{ name: "tmp", emptyDir: {} }] })

  it("ends all but critical pods, and tells whose data would be lost", () => {
    const { ends, stays, losesData } = chooseDrained([plain, vital, scratch], undefined)
    assert.equal(ends.length, 2)
    assert.deepEqual(
      stays.map(({ why }) => why),
      ["it is critical"]
    )
    assert.deepEqual(
      losesData.map(({ volumes }) => volumes),
      [["tmp"]]
    )
  })

  it("leaves pods of other labels", () => {
    const { ends, stays, losesData } = chooseDrained([plain, scratch], [{ key: "app", operator: "Exists", values: [] }])
    assert.deepEqual([ends.length, stays.length, losesData.length], [1, 1, 0])
  })
})
