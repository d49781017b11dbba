import assert from "node:assert/strict"
import { describe, it } from "node:test"
import {
  fieldValue,
  goQuoted,
  resourceFieldValue,
  subscriptOf
} from "../../../../src/actors/pod/environment/downward.ts"
import { hostIpsOf, sortedPodIps } from "../../../../src/actors/pod/network/pod-ips.ts"
import { itMeets, podOf } from "../../../support/cases.ts"

const pod = podOf({
  metadata: {
    name: "web",
    namespace: "shop",
    uid: "uid-1",
    labels: { app: "web", "example.org/tier": 'a"b' },
    annotations: { note: "line\nbreak\t\\ é\x01" }
  },
  spec: {
    serviceAccountName: "robot",
    initContainers: [{ name: "first", resources: { limits: { cpu: "2" } } }],
    containers: [
      { name: "app", resources: { limits: { memory: "64Mi", cpu: "1500m" }, requests: { cpu: "10m" } } },
      { name: "free", resources: { limits: { "hugepages-2Mi": "4Mi" } } }
    ]
  }
})
const place = { nodeName: "n1", hostIps: ["10.0.0.7", "fd00::7"], podIps: ["10.1.0.2", "fd01::2"] }

describe("what a pod is told of itself", () => {
  it("are fields of the pod, of its node and of its addresses", () => {
    const value = (path: string) => fieldValue(pod, path, place)
    assert.equal(value("metadata.name"), "web")
    assert.equal(value("metadata.namespace"), "shop")
    assert.equal(value("metadata.uid"), "uid-1")
    assert.equal(value("spec.nodeName"), "n1")
    assert.equal(value("spec.serviceAccountName"), "robot")
    assert.equal(value("status.hostIP"), "10.0.0.7")
    assert.equal(value("status.hostIPs"), "10.0.0.7,fd00::7")
    assert.equal(value("status.podIP"), "10.1.0.2")
    assert.equal(value("status.podIPs"), "10.1.0.2,fd01::2")
    assert.equal(value("metadata.labels['example.org/tier']"), 'a"b')
    assert.equal(value("metadata.labels['missing']"), "")
    assert.equal(value("metadata.annotations['note']"), "line\nbreak\t\\ é\x01")
    assert.equal(value("spec.containers"), undefined)
    assert.equal(fieldValue(podOf({}), "status.podIP", { ...place, podIps: [] }), "")
    assert.deepEqual(subscriptOf("metadata.labels['a']['b']"), { map: "labels", key: "a']['b" })
    assert.equal(subscriptOf("metadata.labels"), undefined)
  })
  it("are maps, sorted, with values quoted as Go quotes them", () => {
    assert.equal(fieldValue(pod, "metadata.labels", place), 'app="web"\nexample.org/tier="a\\"b"')
    assert.equal(fieldValue(pod, "metadata.annotations", place), 'note="line\\nbreak\\t\\\\ é\\x01"')
    assert.equal(goQuoted("\u200b\u{1F30D}\u{E0001}"), '"\\u200b\u{1F30D}\\U000e0001"')
  })
  it("are requests and limits in units, rounded up, with the node's where there is no limit", () => {
    const allocatable = { cpu: "4", memory: "8589934592" }
    const [app, free] = pod.spec.containers
    const value = (container: typeof app, resource: string, more = {}) =>
      resourceFieldValue(pod, container, { resource, ...more }, allocatable)
    assert.equal(value(app, "limits.memory", { divisor: "1Mi" }), "64")
    assert.equal(value(app, "limits.memory", { divisor: "1Gi" }), "1")
    assert.equal(value(app, "limits.cpu"), "2")
    assert.equal(value(app, "limits.cpu", { divisor: "1m" }), "1500")
    assert.equal(value(app, "requests.cpu", { divisor: "0" }), "1")
    assert.equal(value(app, "requests.memory"), "0")
    assert.equal(value(free, "limits.cpu"), "4")
    assert.equal(value(free, "limits.memory", { divisor: "1Gi" }), "8")
    assert.equal(value(free, "limits.hugepages-2Mi"), "4194304")
    assert.equal(value(free, "limits.ephemeral-storage"), "0")
    assert.equal(value(free, "limits.cpu", { containerName: "first" }), "2")
    assert.equal(value(free, "limits.cpu", { containerName: "nobody" }), undefined)
    assert.equal(resourceFieldValue(pod, undefined, { resource: "limits.cpu" }, allocatable), undefined)
    const whole = { ...pod, spec: { ...pod.spec, resources: { limits: { memory: "1Gi" } } } }
    assert.equal(resourceFieldValue(whole, free, { resource: "limits.memory", divisor: "1Mi" }, allocatable), "1024")
  })
})

describe("addresses of a pod", () => {
  itMeets("pod-status.json", "TestSortPodIPs", "are one of each family, the node's first", (row) => {
    assert.deepEqual(sortedPodIps(row.in.podIPs, row.in.nodeIP === "" ? undefined : row.in.nodeIP), row.want.podIPs)
    return undefined
  })
  it("of the node are its primary one and the first of the other family", () => {
    assert.deepEqual(hostIpsOf(["10.0.0.1", "10.0.0.2", "fd00::1"]), ["10.0.0.1", "fd00::1"])
    assert.deepEqual(hostIpsOf(["fd00::1", "10.0.0.1"]), ["fd00::1", "10.0.0.1"])
    assert.deepEqual(hostIpsOf([]), [])
  })
})
