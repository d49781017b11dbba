/** The node as kubectl and the API show it, and what of the runtime speaks against its being ready. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { nodeReport, statusWord } from "../../../src/actors/node/report.ts"
import { initialNode, type NodeState } from "../../../src/actors/node/state.ts"
import { holdFor } from "../../../src/actors/node/status/holds.ts"
import { runtimeErrors } from "../../../src/actors/node/status/runtime-errors.ts"
import { nodeApiView } from "../../../src/actors/node/view.ts"
import { PodStory, pod } from "../pod/pod-story.ts"

const since = "2026-01-01T00:00:00.000Z"
const ready: NodeState = {
  ...initialNode,
  conditions: {
    Ready: { status: true, reason: "KubeletReady", message: "kubelet is posting ready status", since },
    DiskPressure: { status: false, reason: "KubeletHasNoDiskPressure", message: "kubelet has no disk pressure", since }
  }
}
const cordoned: NodeState = { ...ready, cordon: { by: "root", since, because: "e1" } }

describe("the node's status", () => {
  it("is one word, as kubectl prints it", () => {
    assert.equal(statusWord(undefined), "Unknown")
    assert.equal(statusWord(ready), "Ready")
    assert.equal(statusWord(cordoned), "Ready,SchedulingDisabled")
    assert.equal(statusWord({ ...ready, stopped: true }), "Unknown")
  })

  it("has the shape of the API; a stopped agent's conditions are unknown", () => {
    const view = nodeApiView(cordoned, { name: "containerd", version: "2.1.9" }, [new PodStory().running().state])
    assert.deepEqual(view.spec, { unschedulable: true })
    assert.deepEqual(
      view.status.conditions.map(({ type, status }) => [type, status]),
      [
        ["DiskPressure", "False"],
        ["Ready", "True"]
      ]
    )
    assert.equal(view.status.nodeInfo.containerRuntimeVersion, "containerd://2.1.9")
    assert.deepEqual(view.status.images, [{ names: ["sha256:abc", "busybox:1"] }])
    const [condition] = nodeApiView({ ...ready, stopped: true }, undefined, []).status.conditions
    assert.deepEqual([condition?.status, condition?.reason], ["Unknown", "NodeStatusUnknown"])
  })

  it("tells the command line who cordoned it, and how the drain goes on", () => {
    const drain = { status: "running", startedAt: since, because: "e2" } as const
    const report = nodeReport("n1", { ...cordoned, drain }, [])
    assert.deepEqual(report.cordon, { by: "root", since })
    assert.deepEqual(report.drain, { id: "e2", status: "running", startedAt: since })
  })
})

describe("a node that takes no pods", () => {
  const vital = pod({ priority: 2_000_000_000 })
  it("takes critical ones while it is cordoned, and none while it shuts down", () => {
    assert.equal(holdFor(ready, pod()), undefined)
    assert.equal(holdFor(cordoned, pod())?.reason, "NodeCordoned")
    assert.equal(holdFor(cordoned, vital), undefined)
    const shutdown = {
      status: "running",
      bootId: "b",
      startedAt: since,
      groups: [],
      left: [],
      leftCount: 0,
      because: "e"
    } as const
    assert.deepEqual(holdFor({ shutdown }, vital), {
      reason: "NodeShutdown",
      message: "Pod was rejected as the node is shutting down."
    })
  })
})

describe("what of the runtime makes a node unready", () => {
  const bad = (reason: string) => ({ status: false, reason, message: "cni plugin not initialized" })

  it("is told in kubelet's words", () => {
    assert.deepEqual(runtimeErrors(undefined, false).runtimeErrors, [
      "container runtime status check may not have completed yet"
    ])
    assert.deepEqual(runtimeErrors({ status: "connected", conditions: {} }, false), {
      runtimeErrors: [],
      networkErrors: []
    })
    assert.deepEqual(
      runtimeErrors(
        {
          status: "disconnected",
          conditions: { RuntimeReady: bad("Down"), NetworkReady: bad("NetworkPluginNotReady") },
          unhealthy: { message: "PLEG is not healthy: pleg has yet to be successful", because: "e1" }
        },
        true
      ),
      {
        runtimeErrors: [
          "container runtime is down",
          "PLEG is not healthy: pleg has yet to be successful",
          "container runtime not ready: RuntimeReady=false reason:Down message:cni plugin not initialized"
        ],
        networkErrors: [
          "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized"
        ]
      }
    )
  })
})
