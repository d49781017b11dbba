/** The node's configuration as its decider tells it. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { CommandOf } from "../../../src/actors/node/commands.ts"
import { changedFields } from "../../../src/actors/node/configuration.ts"
import { nodeDecider } from "../../../src/actors/node/decider.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { only, Story } from "../../support/given.ts"

const at = Date.parse("2026-01-01T00:00:00Z")
const node = () => new Story(nodeDecider, actorId("node", "", "n1"))
const read = (
  configuration: CommandOf<"ConfigurationRead">["configuration"],
  more: Partial<CommandOf<"ConfigurationRead">> = {}
): CommandOf<"ConfigurationRead"> => ({
  ...{ _tag: "ConfigurationRead", at, reason: "Started", file: "/c.yaml", configuration, logLevel: "info" },
  ...{ needsRestart: [], notHonoured: [], beside: ["maxPods"] },
  ...more
})
const refused = (message: string): CommandOf<"ConfigurationRefused"> => ({
  ...{ _tag: "ConfigurationRefused", at, file: "/c.yaml", count: 1 },
  problems: [{ line: 3, column: 10, field: "maxPods", message }]
})

describe("a configuration", () => {
  it("is told with what is beside the defaults, and not again by a later start with the same", () => {
    const story = node()
    const [first] = only(story.when(read({ maxPods: 50 })), "ConfigurationApplied")
    assert.deepEqual([first?.event.reason, first?.event.changed], ["Started", ["maxPods"]])
    assert.deepEqual(story.when(read({ maxPods: 50 })), [])
  })

  it("is told anew with what changed, down to the field of a map", () => {
    const story = node()
    story.when(read({ maxPods: 50, evictionHard: { "memory.available": "1Gi", "nodefs.available": "10%" } }))
    const next = { maxPods: 50, evictionHard: { "memory.available": "2Gi", "nodefs.available": "10%" } }
    const [told] = only(story.when(read(next, { reason: "Reloaded" })), "ConfigurationApplied")
    assert.deepEqual(told?.event.changed, ["evictionHard.memory.available"])
    const [level] = only(story.when(read(next, { reason: "Reloaded", logLevel: "debug" })), "ConfigurationApplied")
    assert.deepEqual(level?.event.changed, ["log.level"])
  })

  it("is a warning where something of it waits for the next start", () => {
    const story = node()
    story.when(read({ maxPods: 50 }))
    const waits = read({ maxPods: 50 }, { reason: "Reloaded", needsRestart: ["maxPods"] })
    const [told] = only(story.when(waits), "ConfigurationApplied")
    assert.deepEqual([told?.event.changed, told?.event.needsRestart], [[], ["maxPods"]])
    assert.deepEqual(story.when(waits), [])
  })

  it("that cannot be taken is told once for each problem, until it is right again", () => {
    const story = node()
    story.when(read({ maxPods: 50 }))
    const [rejected] = only(story.when(refused("must be a number")), "ConfigurationRejected")
    assert.equal(rejected?.event.problems[0]?.line, 3)
    assert.deepEqual(story.when(refused("must be a number")), [])
    assert.equal(story.when(refused("must not be negative")).length, 1)
    const again = only(story.when(read({ maxPods: 50 }, { reason: "Reloaded" })), "ConfigurationApplied")
    assert.deepEqual(
      again.map(({ event }) => event.changed),
      [[]]
    )
    assert.deepEqual(story.when(read({ maxPods: 50 }, { reason: "Reloaded" })), [])
  })

  it("is compared field by field, lists as a whole", () => {
    assert.deepEqual(changedFields({ a: { b: 1, c: [1] }, d: 1 }, { a: { b: 1, c: [2] }, e: 2 }), ["a.c", "d", "e"])
  })
})
