/** What a pod as a whole must keep: names, priority, where it may run, what has to be true before it is ready, what is refused. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseManifest } from "../../../src/adapters/manifests/parse.ts"

const manifest = (spec: object = {}, metadata: object = {}) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", ...metadata },
    spec: { containers: [{ name: "app", image: "busybox" }], ...spec }
  })
const parse = (text: string) => parseManifest(text, "/m/a.yaml", "node-1")
const problems = (spec: object, metadata?: object) =>
  parse(manifest(spec, metadata)).problems.map(({ field, message }) => `${field}: ${message}`)
const read = (spec: object, metadata?: object) => {
  const { pods, problems: found } = parse(manifest(spec, metadata))
  assert.deepEqual(found, [])
  return pods[0]!.pod
}

describe("a pod's name", () => {
  it("may be as long as the directory of its logs may be, and no longer", () => {
    // default_<name>_<32 hex digits>
    assert.equal(read({}, { name: "a".repeat(214) }).metadata.name.length, 214)
    const [long] = problems({}, { name: "a".repeat(253) })
    assert.match(
      long ?? "",
      /^metadata\.name: is too long: the directory of its logs.* 294 characters; file systems take 255/u
    )
    assert.match(problems({}, { name: "a".repeat(254) })[0] ?? "", /longer than 253 characters/u)
  })
  it("may be overridden as the host's name, within what Linux takes", () => {
    assert.equal(read({ hostnameOverride: "db.example.org" }).spec.hostnameOverride, "db.example.org")
    assert.deepEqual(problems({ hostnameOverride: "a".repeat(65) }), [
      "spec.hostnameOverride: must be at most 64 characters"
    ])
    assert.match(problems({ hostnameOverride: "Not A Name" })[0] ?? "", /is no DNS name/u)
    assert.deepEqual(problems({ hostnameOverride: "db", hostNetwork: true, setHostnameAsFQDN: true }), [
      "spec.hostnameOverride: is not allowed on the host's network",
      "spec.hostnameOverride: and setHostnameAsFQDN cannot both be set"
    ])
  })
})

describe("a pod's priority", () => {
  it("is that of its class, where every cluster has it", () => {
    assert.equal(read({ priorityClassName: "system-node-critical" }).spec.priority, 2_000_001_000)
    assert.equal(read({ priorityClassName: "system-cluster-critical" }).spec.priority, 2_000_000_000)
    assert.equal(read({ priorityClassName: "batch" }).spec.priority, undefined)
    assert.equal(read({ priorityClassName: "batch", priority: 7 }).spec.priority, 7)
    const [wrong] = problems({ priorityClassName: "system-node-critical", priority: 7 })
    assert.equal(wrong, "spec.priority: must be 2000001000, that of system-node-critical, or be left out")
  })
})

describe("what a pod waits for", () => {
  it("are conditions with qualified names", () => {
    const readinessGates = [{ conditionType: "example.com/load-balancer" }]
    assert.deepEqual(read({ readinessGates }).spec.readinessGates, readinessGates)
    assert.deepEqual(
      problems({ readinessGates: [{ conditionType: "a b" }, {}, { conditionType: "/x" }] }).map((p) => p.split(":")[0]),
      [0, 1, 2].map((i) => `spec.readinessGates[${i}].conditionType`)
    )
  })
})

describe("where a pod may run", () => {
  const required = (...nodeSelectorTerms: ReadonlyArray<object>) => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } }
  })
  it("is what node affinity requires; what is preferred is a scheduler's", () => {
    const spec = required({ matchExpressions: [{ key: "disk", operator: "In", values: ["ssd"] }] })
    assert.deepEqual(read(spec).spec.affinity, spec.affinity)
    const preferred = {
      affinity: { podAntiAffinity: {}, nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } }
    }
    assert.deepEqual(
      parse(manifest(preferred)).ignoredFields.map(({ field }) => field),
      ["spec.affinity.podAntiAffinity", "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution"]
    )
  })
  it("is told by whole requirements", () => {
    const path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    assert.deepEqual(problems(required()), [`${path}: needs at least one term`])
    const wrong = required({
      matchExpressions: [
        { key: "a", operator: "Exists", values: ["x"] },
        { key: "b", operator: "In" },
        { key: "c", operator: "Gt", values: ["1", "2"] },
        { operator: "Exists" }
      ],
      matchFields: [{ key: "spec.x", operator: "In", values: ["n"] }]
    })
    assert.deepEqual(problems(wrong), [
      `${path}[0].matchExpressions[0].values: must be empty with Exists`,
      `${path}[0].matchExpressions[1].values: needs values with In`,
      `${path}[0].matchExpressions[2].values: needs one value with Gt`,
      `${path}[0].matchExpressions[3].key: is missing`,
      `${path}[0].matchFields[0].key: must be "metadata.name"`
    ])
  })
})

describe("a pod that is not to run here", () => {
  it("is refused: a mirror, one that is being deleted, one that nobody may place yet, one that claims devices", () => {
    const mirror = { annotations: { "kubernetes.io/config.mirror": "x" } }
    assert.match(
      problems({}, mirror)[0] ?? "",
      /^metadata\.annotations\["kubernetes.io\/config\.mirror"\]: marks the copy/u
    )
    const refused = (spec: object, metadata?: object) => {
      const [problem = ""] = problems(spec, metadata)
      assert.match(problem, /is not supported yet, and without it the pod would not be what it says/u)
      return problem.slice(0, problem.indexOf(":"))
    }
    assert.equal(refused({}, { deletionTimestamp: "2026-01-01T00:00:00Z" }), "metadata.deletionTimestamp")
    assert.equal(refused({ schedulingGates: [{ name: "a" }] }), "spec.schedulingGates")
    assert.equal(refused({ resourceClaims: [{ name: "gpu" }] }), "spec.resourceClaims")
    const claims = { containers: [{ name: "app", image: "i", resources: { claims: [{ name: "gpu" }] } }] }
    assert.equal(refused(claims), "spec.containers[0].resources.claims")
  })
  it("is read all the same where a dump holds these fields empty", () => {
    read({ schedulingGates: [], resourceClaims: null }, { deletionTimestamp: null })
  })
})
