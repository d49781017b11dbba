import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { runtimeDecider } from "../../../src/actors/runtime/decider.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { Story, tags } from "../../support/given.ts"

const story = () => new Story(runtimeDecider, actorId("runtime", "", "cri"))
const answered = {
  _tag: "RuntimeAnswered",
  at: 1,
  endpoint: "unix:///c.sock",
  name: "containerd",
  version: "1.6.20",
  apiVersion: "v1",
  events: false,
  cgroupDriver: "unknown",
  conditions: [
    { type: "RuntimeReady", status: true, reason: "", message: "" },
    { type: "NetworkReady", status: true, reason: "", message: "" }
  ]
} as const
const failed = { _tag: "RuntimeFailed", at: 2, endpoint: "unix:///c.sock", message: "nobody answers" } as const
const orphan = { _tag: "OrphanSeen", at: 3, sandboxId: "s1", namespace: "default", name: "web", uid: "u1" } as const

describe("the runtime's actor", () => {
  it("says that the runtime is there once, and again when its version changed", () => {
    const runtime = story()
    assert.deepEqual(tags(runtime.when(answered)), ["RuntimeConnected"])
    assert.deepEqual(runtime.when(answered), [])
    assert.deepEqual(tags(runtime.when({ ...answered, version: "2.1.9", events: true })), ["RuntimeConnected"])
  })

  it("says what its handlers can, and again when that changed", () => {
    const runtime = story()
    const handler = { name: "", recursiveReadOnlyMounts: true, userNamespaces: false }
    const telling = { ...answered, handlers: [handler], supplementalGroupsPolicy: false }
    const [connected] = runtime.when(telling)
    assert.deepEqual((connected?.event as { handlers?: unknown } | undefined)?.handlers, [handler])
    assert.deepEqual(runtime.when(telling), [])
    assert.deepEqual(runtime.when(answered), [], "one that does not tell says nothing new")
    const other = { ...handler, name: "kata" }
    assert.deepEqual(tags(runtime.when({ ...telling, handlers: [handler, other] })), ["RuntimeConnected"])
    assert.deepEqual(runtime.when({ ...telling, handlers: [other, handler] }), [], "the order is no news")
    assert.deepEqual(tags(runtime.when({ ...telling, handlers: [other], supplementalGroupsPolicy: true })), [
      "RuntimeConnected"
    ])
    assert.equal(runtime.state.supplementalGroupsPolicy, true)
  })

  it("says once that it is gone, however long, and that it is back", () => {
    const runtime = story()
    runtime.when(answered)
    assert.deepEqual(tags(runtime.when(failed)), ["RuntimeDisconnected"])
    assert.deepEqual(runtime.when({ ...failed, message: "something else" }), [])
    assert.deepEqual(tags(runtime.when(answered)), ["RuntimeConnected"])
  })

  it("tells of a condition when it turns bad, and when it turns good again", () => {
    const runtime = story()
    runtime.when(answered)
    const bad = {
      type: "NetworkReady",
      status: false,
      reason: "NetworkPluginNotReady",
      message: "cni config uninitialized"
    }
    const without = { ...answered, conditions: [answered.conditions[0], bad] }
    assert.deepEqual(tags(runtime.when(without)), ["RuntimeConditionChanged"])
    assert.deepEqual(runtime.when(without), [])
    assert.deepEqual(tags(runtime.when(answered)), ["RuntimeConditionChanged"])
  })

  it("finds an orphan once, and forgets it when it is removed", () => {
    const runtime = story()
    assert.deepEqual(tags(runtime.when(orphan)), ["OrphanSandboxFound"])
    assert.deepEqual(runtime.when(orphan), [])
    assert.deepEqual(tags(runtime.when({ _tag: "OrphanGone", at: 4, sandboxId: "s1" })), ["OrphanSandboxRemoved"])
    assert.deepEqual(runtime.when({ _tag: "OrphanGone", at: 5, sandboxId: "s1" }), [])
    assert.deepEqual(runtime.state.orphans, [])
  })
})
