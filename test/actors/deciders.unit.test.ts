/** What the kernel asks of every decider, whatever its kind. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { deciders } from "../../src/actors/deciders.ts"
import { canonical } from "../../src/actors/kernel/json.ts"
import { actorId } from "../../src/events/actor-id.ts"

describe("every decider", () => {
  for (const [kind, decider] of deciders) {
    const id = actorId(kind, "default", "a.b.c")
    it(`of a ${kind} begins with plain JSON`, () => {
      const state = decider.initial(id)
      assert.equal(canonical(JSON.parse(canonical(state))), canonical(state))
    })
    if (decider.finished !== undefined)
      it(`of a ${kind} is finished before anything happened, so that an end can be followed by a new beginning`, () =>
        assert.equal(decider.finished?.(decider.initial(id)), true))
  }
})
