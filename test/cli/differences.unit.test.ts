import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { deciders } from "../../src/actors/deciders.ts"
import { NodeFold } from "../../src/actors/kernel/fold.ts"
import { stateDifferences } from "../../src/cli/differences.ts"
import { type ActorId, actorId } from "../../src/events/actor-id.ts"

/** A fold that came to these states. */
const foldOf = (...actors: ReadonlyArray<readonly [id: ActorId, state: unknown]>): NodeFold => {
  const fold = new NodeFold(deciders)
  for (const [id, state] of actors)
    fold.actors.set(`${id.kind}/${id.namespace}/${id.name}`, { id, state, actorSequence: 1, sequence: 1, events: 1 })
  return fold
}
const web = actorId("pod", "default", "web")
const old = actorId("pod", "default", "old")

describe("the difference of two states", () => {
  it("is nothing between equal ones, whatever the order of their fields", () => {
    assert.deepEqual(stateDifferences(foldOf([web, { a: 1, b: [2] }]), foldOf([web, { b: [2], a: 1 }])), [])
  })

  it("names actors that only one of them has", () => {
    assert.deepEqual(stateDifferences(foldOf([old, {}]), foldOf([web, {}])), [
      { actor: "pod/default/old", kind: "removed", fields: [] },
      { actor: "pod/default/web", kind: "added", fields: [] }
    ])
  })

  it("names fields by path, and items of lists by their names", () => {
    const a = {
      phase: "Running",
      containers: [
        { name: "app", n: 1 },
        { name: "side", n: 1 }
      ],
      ips: ["10.0.0.1"]
    }
    const b = {
      phase: "Failed",
      containers: [
        { name: "side", n: 1 },
        { name: "app", n: 2 }
      ],
      ips: ["10.0.0.1", "fd00::1"]
    }
    assert.deepEqual(stateDifferences(foldOf([web, a]), foldOf([web, b]))[0]?.fields, [
      { field: "phase", a: "Running", b: "Failed" },
      { field: "containers.app.n", a: 1, b: 2 },
      { field: "ips.1", b: "fd00::1" }
    ])
  })

  it("goes by position where names are not unique, and tells a list from a value", () => {
    const a = [
      { name: "x", v: 1 },
      { name: "x", v: 2 }
    ]
    const b = [
      { name: "x", v: 1 },
      { name: "x", v: 3 }
    ]
    assert.deepEqual(stateDifferences(foldOf([web, { a }]), foldOf([web, { a: b }]))[0]?.fields, [
      { field: "a.1.v", a: 2, b: 3 }
    ])
    assert.deepEqual(stateDifferences(foldOf([web, { a: null }]), foldOf([web, { a: [] }]))[0]?.fields, [
      { field: "a", a: null, b: [] }
    ])
  })

  it("leaves out the ids of causes", () => {
    const states = ["e1", "e2"].map((id) => ({ because: id, startedBecause: id, startedBy: id, result: "success" }))
    assert.deepEqual(stateDifferences(foldOf([web, states[0]]), foldOf([web, states[1]])), [])
  })
})
