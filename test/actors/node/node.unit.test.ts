import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { nodeDecider } from "../../../src/actors/node/decider.ts"
import { cutBefore } from "../../../src/actors/node/retention.ts"
import { actorId } from "../../../src/events/actor-id.ts"
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
})
