/** Requests, limits, resize policies, resources of a pod as a whole and overhead, as a manifest writes them. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseManifest } from "../../../src/adapters/manifests/parse.ts"

const pod = (spec: string): string => `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n${spec}`
const one = (container: string, more = ""): string =>
  pod(`  containers:\n  - name: app\n    image: i:1\n    ${container}\n${more}`)
const problems = (text: string): ReadonlyArray<string> =>
  parseManifest(text, "/m/web.yaml", "n1").problems.map(({ line, field, message }) => `${line}: ${field}: ${message}`)
const read = (text: string) => {
  const { pods, problems: wrong, ignoredFields } = parseManifest(text, "/m/web.yaml", "n1")
  assert.deepEqual([wrong, ignoredFields], [[], []])
  return pods[0]!.pod.spec
}

describe("resources in manifests", () => {
  it("refuse what no node could keep, with line and field", () => {
    for (const [text, wanted] of [
      [
        one("resources: {limits: {nvidia.com/gpu: 1}}"),
        /^8: spec\.containers\[0\]\.resources\.limits\["nvidia\.com\/gpu"\]: is an extended resource, and this node has no device plugin/u
      ],
      [
        one("resources: {requests: {cpus: 1}}"),
        /must be a standard resource \(cpu, memory, ephemeral-storage, hugepages-<size>\)/u
      ],
      [one("resources: {limits: {hugepages-2Mi: 4Mi}}"), /huge pages need cpu or memory beside them/u],
      [
        one("resources: {requests: {hugepages-2Mi: 2Mi, cpu: 1}, limits: {hugepages-2Mi: 4Mi}}"),
        /must equal the limit of 4Mi/u
      ],
      [one("resources: {limits: {hugepages-big: 4Mi, cpu: 1}}"), /names no page size/u],
      [
        one("resizePolicy: [{resourceName: cpu, restartPolicy: Sometimes}]"),
        /must be one of NotRequired, RestartContainer/u
      ],
      [
        one(
          "resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}, {resourceName: cpu, restartPolicy: NotRequired}]"
        ),
        /cpu is given twice/u
      ],
      [one("resizePolicy: [{resourceName: cpu}]"), /restartPolicy: is missing/u],
      [
        one("resizePolicy: [{resourceName: cpu, restartPolicy: RestartContainer}]", "  restartPolicy: Never\n"),
        /must be NotRequired for a container that is never restarted/u
      ],
      [
        one("resources: {}", "  resources: {limits: {ephemeral-storage: 1Gi}}\n"),
        /is no resource of a pod as a whole/u
      ],
      [
        one("resources: {limits: {cpu: 2}}", "  resources: {limits: {cpu: 1}}\n"),
        /2 is more than the pod's limit of 1/u
      ],
      [
        one("resources: {requests: {cpu: 700m}}", "  resources: {requests: {cpu: 500m}}\n"),
        /spec\.resources\.requests\["cpu"\]: 500m is less than what the containers request together/u
      ],
      [one("resources: {}", "  overhead: {cpu: many}\n"), /spec\.overhead\["cpu"\]: "many" is no quantity/u]
    ] as const) {
      const found = problems(text)
      assert.equal(found.length, 1, JSON.stringify(found))
      assert.match(found[0]!, wanted)
    }
  })

  it("of a pod as a whole are filled in: requests by what the containers ask for, else by its limits", () => {
    const whole = "  resources: {limits: {cpu: 2, memory: 1Gi}}\n  overhead: {cpu: 100m, memory: 64Mi}\n"
    const spec = read(
      one(
        "resources: {requests: {cpu: 300m}}\n    resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]",
        whole
      )
    )
    assert.deepEqual(spec.resources, { limits: { cpu: "2", memory: "1Gi" }, requests: { cpu: "300m", memory: "1Gi" } })
    assert.deepEqual(spec.overhead, { cpu: "100m", memory: "64Mi" })
    assert.deepEqual(spec.containers[0]?.resizePolicy, [{ resourceName: "memory", restartPolicy: "RestartContainer" }])
    assert.equal(read(one("resources: {}")).resources, undefined)
  })
})
