import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import type { NodeCommand } from "../../../src/actors/node/commands.ts"
import { nodeDecider } from "../../../src/actors/node/decider.ts"
import { cutBefore, isTooLarge, prune, Retention, type RetentionPolicy } from "../../../src/actors/node/retention.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { makeMemoryJournal } from "../../../src/events/journal/memory.ts"
import { Journal } from "../../../src/events/journal/port.ts"
import { sampleDrafts, sampleTime } from "../../events/journal/sample.ts"
import { effectTest } from "../../support/effect.ts"
import { Story, tags } from "../../support/given.ts"

describe("the node's actor", () => {
  it("closes the gate once when room is short, whatever the degree, and opens it once", () => {
    const node = new Story(nodeDecider, actorId("node", "", "n1"))
    assert.deepEqual(node.when({ _tag: "SpaceReported", at: 1, state: "ok", freeBytes: 9 }), [])
    assert.deepEqual(tags(node.when({ _tag: "SpaceReported", at: 2, state: "low", freeBytes: 1 })), ["AdmissionClosed"])
    assert.deepEqual(node.when({ _tag: "SpaceReported", at: 3, state: "full", freeBytes: 0 }), [])
    assert.equal(node.state.admission, "closed")
    assert.deepEqual(tags(node.when({ _tag: "SpaceReported", at: 4, state: "ok", freeBytes: 9 })), ["AdmissionOpened"])
    assert.equal(node.state.admission, "open")
  })

  it("counts its agent's lives", () => {
    const node = new Story(nodeDecider, actorId("node", "", "n1"))
    const started = {
      _tag: "AgentStarted",
      at: 1,
      version: "0.1.0",
      host: "bun",
      kernel: "6",
      architecture: "amd64",
      cgroupVersion: "v2",
      bootId: "b",
      pid: 7,
      recording: "events",
      flags: [],
      recoveredEvents: 0,
      recoveredActors: 0
    } as const
    node.when(started)
    node.when({ _tag: "AgentStopping", at: 2, reason: "SIGTERM" })
    assert.equal(node.state.stopped, true)
    node.when(started)
    assert.deepEqual([node.state.starts, node.state.stopped], [2, false])
  })
})

describe("retention", () => {
  const journal = { first: 101, head: 1_100, bytes: 1_000_000 }
  const everything = Number.MAX_SAFE_INTEGER

  it("drops what is too old", () => assert.equal(cutBefore({ maxAge: 1, maxBytes: 0 }, journal, 600, everything), 600))
  it("drops the share that is too much", () =>
    assert.equal(cutBefore({ maxAge: 0, maxBytes: 750_000 }, journal, 0, everything), 350))
  it("keeps what is not published yet", () =>
    assert.equal(cutBefore({ maxAge: 1, maxBytes: 0 }, journal, 600, 400), 400))
  it("does nothing while nothing is published, or for a few events only", () => {
    assert.equal(cutBefore({ maxAge: 1, maxBytes: 0 }, journal, 600, 0), 0)
    assert.equal(cutBefore({ maxAge: 1, maxBytes: 0 }, journal, 150, everything), 0)
    assert.equal(cutBefore({ maxAge: 0, maxBytes: 0 }, journal, 0, everything), 0)
  })

  /** 300 events of pod old, then 300 of pod young, each a second after the one before; and 100 more of old. */
  const story = (given: { published?: number; tooLarge?: ReadonlyArray<string>; policy?: RetentionPolicy }) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(sampleTime)
      const { journal } = yield* makeMemoryJournal({ node: "n1" })
      for (const [from, count, pod] of [
        [1, 300, "old"],
        [301, 300, "young"],
        [601, 100, "old"]
      ] as const)
        yield* journal.append(sampleDrafts(from, count, { pod }))
      yield* TestClock.setTime(sampleTime + 700_000)
      const done: Array<NodeCommand | "checkpoints"> = []
      yield* prune((command) => Effect.sync(() => void done.push(command))).pipe(
        Effect.provideService(Journal, journal),
        Effect.provideService(Retention, {
          policy: given.policy ?? { maxAge: 200_000, maxBytes: 0 },
          published: Effect.succeed(given.published ?? everything),
          tooLarge: Effect.succeed(given.tooLarge ?? []),
          checkpointAll: Effect.sync(() => void done.push("checkpoints"))
        })
      )
      assert.equal((yield* journal.verify).broken, undefined)
      const cut = done[1]
      return {
        done: done.length,
        first: (yield* journal.size).first,
        told: cut !== undefined && cut !== "checkpoints" && cut._tag === "JournalCut" ? cut.throughSequence : undefined
      }
    })
  effectTest(
    "has every actor's state written down, drops the old prefix, and says so",
    Effect.map(story({}), (cut) => assert.deepEqual(cut, { done: 2, first: 501, told: 500 }))
  )
  effectTest(
    "drops only what is published",
    Effect.gen(function* () {
      assert.deepEqual(yield* story({ published: 350 }), { done: 2, first: 351, told: 350 })
      assert.deepEqual(yield* story({ published: 0 }), { done: 0, first: 1, told: undefined })
    })
  )
  effectTest(
    "keeps all events of an actor whose state is too large to be written down",
    Effect.gen(function* () {
      const young = { tooLarge: ["pod/default/young", "pod/default/none"] }
      assert.deepEqual(yield* story(young), { done: 2, first: 301, told: 300 })
      assert.deepEqual(yield* story({ tooLarge: ["pod/default/old"] }), { done: 0, first: 1, told: undefined })
    })
  )
  it("knows a state that is too large for an event", () => {
    assert.equal(isTooLarge({ spec: "x".repeat(50_000) }), false)
    assert.equal(isTooLarge({ spec: "ä".repeat(32_000) }), true)
  })
})
