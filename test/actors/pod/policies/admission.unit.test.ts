import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { unmetPlacement } from "../../../../src/actors/pod/admission/node-affinity.ts"
import {
  type Neighbour,
  type NodeOffer,
  osRefusal,
  roomBeside,
  roomRefusals
} from "../../../../src/actors/pod/admission/node-room.ts"
import type { NodeRoom } from "../../../../src/events/node-room.ts"
import type { NodeSelectorRequirement, NodeSelectorTerm } from "../../../../src/events/pod-spec.ts"
import { differs, itMeets, podOf, type Row, type RowValue } from "../../../support/cases.ts"
import { only } from "../../../support/given.ts"
import { container, PodStory, pod } from "../pod-story.ts"

const offerOf = ({ allocatable, labels }: RowValue): NodeOffer => {
  const { cpu, memory, pods } = allocatable
  return { allocatable: { cpu, memory }, maxPods: Number(pods), labels: labels ?? {} }
}

describe("a node's room for a pod", () => {
  const file = "admission.json"
  itMeets(file, "TestGeneralPredicates", "is measured as kubelet measures it", (row: Row) => {
    const { pod: wanted, cachedNode, podsOnNode } = row.in
    if (/cached/u.test(row.name))
      return differs("the agent knows its node's labels itself: there is no older and no newer copy of them")
    if (wanted.spec.nodeName !== undefined)
      return differs("the pods of a directory are static: the name of their node is given to them")
    if (/NoExecute/u.test(row.name)) return differs("the pods of a directory are static: they ignore taints")
    const others = podsOnNode.map((other: RowValue): Neighbour => ({ name: "other", spec: podOf(other).spec }))
    const { spec } = podOf(wanted)
    const messages = roomRefusals(spec, roomBeside(spec, offerOf(cachedNode), others)).map(({ message }) => message)
    assert.equal(messages.length, row.want.reasons.length)
    // Which ports are taken, and by whom, is said behind kubelet's words.
    for (const [i, reason] of row.want.reasons.entries()) assert.ok(messages[i]?.startsWith(reason), messages[i])
    return undefined
  })
  itMeets(file, "TestRejectPodAdmissionBasedOnOSSelector", "is for pods of its operating system", (row) => {
    assert.equal(osRefusal(undefined, row.in.pod.metadata.labels) !== undefined, row.want.reject)
    return undefined
  })
  itMeets(file, "TestRejectPodAdmissionBasedOnOSField", "is for pods of its operating system", (row) => {
    assert.equal(osRefusal(row.in.pod.spec.os?.name, undefined) !== undefined, row.want.reject)
    return undefined
  })

  const offer: NodeOffer = {
    allocatable: { cpu: "2", memory: "1Gi" },
    maxPods: 2,
    labels: { "kubernetes.io/os": "linux" }
  }
  const asking = (requests: Record<string, string>) =>
    pod({ containers: [container("app", { resources: { requests } })] })
  const beside = (...others: ReadonlyArray<ReturnType<typeof pod>>): ReadonlyArray<Neighbour> =>
    others.map((other, i) => ({ name: `default/other-${i}`, spec: other.spec }))
  const reasons = (wanted: ReturnType<typeof pod>, ...others: ReadonlyArray<ReturnType<typeof pod>>) =>
    roomRefusals(wanted.spec, roomBeside(wanted.spec, offer, beside(...others))).map(({ reason }) => reason)

  it("counts what all other pods request, sidecars among them, and the pods themselves", () => {
    assert.deepEqual(reasons(asking({ cpu: "1500m" }), asking({ cpu: "500m" })), [])
    assert.deepEqual(reasons(asking({ cpu: "1500m" }), asking({ cpu: "501m" })), ["OutOfcpu"])
    assert.deepEqual(reasons(asking({ memory: "512Mi" }), asking({ memory: "513Mi" })), ["OutOfmemory"])
    const sidecar = container("proxy", { restartPolicy: "Always", resources: { requests: { cpu: "1" } } })
    assert.deepEqual(reasons(asking({ cpu: "1500m" }), pod({ initContainers: [sidecar] })), ["OutOfcpu"])
    assert.deepEqual(reasons(pod(), pod(), pod()), ["OutOfpods"])
  })

  it("tells host ports apart by protocol and address", () => {
    const on = (hostPort: number, more: object = {}) =>
      pod({ containers: [container("app", { ports: [{ containerPort: 80, hostPort, ...more }] })] })
    assert.deepEqual(reasons(on(80), on(81)), [])
    assert.deepEqual(reasons(on(80), on(80, { protocol: "UDP" })), [])
    assert.deepEqual(reasons(on(80, { hostIP: "10.0.0.1" }), on(80, { hostIP: "10.0.0.2" })), [])
    assert.deepEqual(reasons(on(80, { hostIP: "10.0.0.1" }), on(80)), ["NodePorts"])
    const room = roomBeside(on(80).spec, offer, beside(on(80)))
    assert.deepEqual(room.takenPorts, ["TCP 0.0.0.0:80 (default/other-0)"])
  })

  it("heeds what node affinity requires: one of its terms, all of a term", () => {
    const labels = { ...offer.labels, "kubernetes.io/hostname": "n1", disk: "ssd", cores: "8" }
    const fits = (...nodeSelectorTerms: ReadonlyArray<NodeSelectorTerm>): boolean => {
      const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } }
      return unmetPlacement({ affinity: { nodeAffinity: required } }, labels, "n1") === undefined
    }
    const where = (key: string, operator: NodeSelectorRequirement["operator"], ...values: ReadonlyArray<string>) => ({
      key,
      operator,
      values
    })
    const match = (...matchExpressions: ReadonlyArray<NodeSelectorRequirement>) => ({ matchExpressions })
    assert.deepEqual([fits(), fits({}), fits(match(where("disk", "In", "hdd", "ssd")))], [false, false, true])
    assert.deepEqual(
      [fits(match(where("disk", "NotIn", "ssd"))), fits(match(where("gpu", "NotIn", "a")))],
      [false, true]
    )
    assert.deepEqual([fits(match(where("disk", "Exists"))), fits(match(where("disk", "DoesNotExist")))], [true, false])
    assert.deepEqual([fits(match(where("cores", "Gt", "7"))), fits(match(where("cores", "Lt", "8")))], [true, false])
    assert.equal(fits(match(where("disk", "Gt", "1"))), false)
    assert.equal(fits(match(where("disk", "Exists"), where("gpu", "Exists"))), false)
    assert.equal(fits(match(where("gpu", "Exists")), match(where("disk", "Exists"))), true)
    assert.equal(fits({ matchFields: [where("metadata.name", "In", "n1")] }), true)
    assert.equal(fits({ matchFields: [where("metadata.name", "In", "n2")] }), false)
  })

  it("heeds a node selector", () => {
    assert.deepEqual(reasons(pod({ nodeSelector: { "kubernetes.io/os": "linux" } })), [])
    assert.deepEqual(reasons(pod({ nodeSelector: { disk: "ssd" } })), ["NodeAffinity"])
  })
})

describe("a pod without room", () => {
  const full: NodeRoom = {
    allocatable: { cpu: "1" },
    used: { cpu: "800m" },
    maxPods: 110,
    pods: 3,
    labels: {},
    takenPorts: []
  }
  const wanted = (uid?: string) =>
    pod({ containers: [container("app", { resources: { requests: { cpu: "500m" } } })] }, uid)
  const desire = (story: PodStory, room: NodeRoom, uid?: string) =>
    story.tell({ _tag: "DesirePod", pod: wanted(uid), source: "/manifests/web.yaml", room })

  it("is rejected in kubelet's words, once, until its definition changes", () => {
    const story = new PodStory()
    const [rejected] = only(desire(story, full), "PodRejected")
    assert.equal(rejected?.event.reason, "OutOfcpu")
    assert.equal(
      rejected?.event.message,
      "Node didn't have enough resource: cpu, requested: 500, used: 800, capacity: 1000"
    )
    assert.deepEqual(desire(story, full), [])
    assert.equal(only(desire(story, { ...full, used: { cpu: "0" } }, "uid-2"), "PodAdmitted").length, 1)
  })

  it("that is to replace a running one is rejected when that one is gone", () => {
    const story = new PodStory().running()
    const queued = desire(story, full, "uid-2")
    assert.equal(only(queued, "PodReplacementQueued")[0]?.event.room?.pods, 3)
    story.stopped("app")
    story.sandboxStopped()
    const gone = story.tell({ _tag: "ReportCleanup", outcome: "done" })
    assert.deepEqual(
      gone.map(({ event }) => event._tag),
      ["PodRemoved", "PodRejected"]
    )
  })

  it("is rejected for another operating system, whatever the room is", () => {
    const [rejected] = only(new PodStory().desire(pod({ os: { name: "windows" } })), "PodRejected")
    assert.equal(rejected?.event.reason, "PodOSNotSupported")
  })
})
