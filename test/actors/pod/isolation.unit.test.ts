/** What a pod's actor is told of its isolation: kept with its definition, and refused where the node cannot keep it. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { NodeRoom } from "../../../src/events/node-room.ts"
import { only, tags } from "../../support/given.ts"
import { container, PodStory, pod } from "./pod-story.ts"

const room: NodeRoom = { allocatable: {}, used: {}, maxPods: 110, pods: 0, labels: {}, takenPorts: [] }
const ids = { hostId: 65_536, length: 65_536 }
const desire = (story: PodStory, wanted = pod(), more: object = {}) =>
  story.tell({ _tag: "DesirePod", pod: wanted, source: "/m/web.yaml", room, ...more })
const refusal = (wanted: ReturnType<typeof pod>, seen: Partial<NodeRoom>) => {
  const [rejected] = only(desire(new PodStory(), wanted, { room: { ...room, ...seen } }), "PodRejected")
  return rejected?.event.reason
}

describe("a pod's ids and handler", () => {
  it("are written with its admission, and are its own as long as anything of it is left", () => {
    const story = new PodStory()
    const [admitted] = only(
      desire(story, pod({ hostUsers: false }), { userNamespace: ids, runtimeHandler: "kata" }),
      "PodAdmitted"
    )
    assert.deepEqual(admitted?.event.userNamespace, ids)
    assert.equal(admitted?.event.runtimeHandler, "kata")
    story.undesire()
    assert.deepEqual(story.state.definition?.userNamespace, ids)
    assert.deepEqual(story.refolded(), story.state)
  })

  it("of one that waits for another to end come with it", () => {
    const story = new PodStory()
    desire(story)
    const events = desire(story, pod({ hostUsers: false }, "uid-2"), { userNamespace: ids, runtimeHandler: "kata" })
    assert.ok(tags(events).includes("PodReplacementQueued"))
    assert.deepEqual(story.state.replacement?.userNamespace, ids)
    story.sandboxCreated()
    story.tell({ _tag: "ReportSandboxStop", sandboxId: "sandbox-0", outcome: "stopped" })
    assert.ok(only(story.tell({ _tag: "ReportCleanup", outcome: "done" }), "PodAdmitted").length === 1)
    assert.deepEqual(story.state.definition?.userNamespace, ids)
    assert.equal(story.state.definition?.runtimeHandler, "kata")
    assert.deepEqual(story.refolded(), story.state)
  })
})

describe("a pod that asks for what the node cannot keep", () => {
  const sysctls = [{ name: "net.core.somaxconn", value: "1" }]
  const unsafe = pod({ securityContext: { sysctls } })
  const strict = pod({ securityContext: { supplementalGroupsPolicy: "Strict" } })
  const confined = pod({
    containers: [container("app", { securityContext: { appArmorProfile: { type: "RuntimeDefault" } } })]
  })

  it("is rejected with kubelet's reason, on what was seen when it was asked for", () => {
    assert.equal(refusal(unsafe, { sysctls: ["net.ipv4.tcp_syncookies"] }), "SysctlForbidden")
    assert.equal(refusal(unsafe, { sysctls: ["net.core.*"] }), undefined)
    assert.equal(refusal(strict, { supplementalGroupsPolicy: false }), "SupplementalGroupsPolicyNotSupported")
    assert.equal(refusal(strict, { supplementalGroupsPolicy: true }), undefined)
    assert.equal(refusal(confined, { appArmor: false }), "AppArmor")
    assert.equal(refusal(confined, { appArmor: true }), undefined)
  })

  it("is not, in a log of an agent that did not look", () => {
    for (const wanted of [unsafe, strict, confined]) assert.equal(refusal(wanted, {}), undefined)
  })

  it("is judged before the room that it needs, and AppArmor after it", () => {
    const full = { maxPods: 0 }
    assert.equal(refusal(unsafe, { ...full, sysctls: [] }), "SysctlForbidden")
    assert.equal(refusal(confined, { ...full, appArmor: false }), "OutOfpods")
  })
})
