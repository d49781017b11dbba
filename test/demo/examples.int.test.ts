import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { fileURLToPath } from "node:url"
import { busyboxImage } from "../../scripts/lab/image.ts"
import { parseManifest } from "../../src/adapters/manifests/parse.ts"
import { parseServices } from "../../src/adapters/manifests/services/read-file.ts"

const directory = fileURLToPath(new URL("../../examples/", import.meta.url))
const parse = (name: string) => parseManifest(readFileSync(`${directory}${name}`, "utf8"), name, "node")
const names = readdirSync(directory).filter((name) => name.endsWith(".yaml"))

describe("the example manifests", () => {
  it("hold nothing but manifests: a directory of manifests is read whole", () => {
    assert.deepEqual(names.sort(), [
      "crash-loop.yaml",
      "greeter-one.yaml",
      "greeter-two.yaml",
      "malformed.yaml",
      "notes.yaml",
      "sidecar.yaml",
      "web.yaml",
      "wedged.yaml"
    ])
  })

  for (const name of names.filter((other) => other !== "malformed.yaml")) {
    it(`${name} declares one pod of the demo's image, with nothing wrong or ignored`, () => {
      const { ignoredFields, pods, problems } = parse(name)
      assert.deepEqual({ ignoredFields, problems }, { ignoredFields: [], problems: [] })
      assert.deepEqual(
        pods.map(({ pod }) => `${pod.metadata.name}.yaml`),
        [name]
      )
      for (const { pod } of pods) {
        const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
        for (const { image } of containers) assert.equal(image, busyboxImage)
      }
    })
  }

  it("services/greeter.yaml declares a Service that selects the two greeters, with nothing wrong or ignored", async () => {
    const file = `${directory}services/greeter.yaml`
    const { services, problems, ignoredFields } = await parseServices(readFileSync(file, "utf8"), file)
    assert.deepEqual({ ignoredFields, problems }, { ignoredFields: [], problems: [] })
    const [selector] = services.map(({ spec }) => spec.selector)
    assert.deepEqual(selector, { app: "greeter" })
    for (const name of ["greeter-one.yaml", "greeter-two.yaml"])
      assert.deepEqual(parse(name).pods[0]?.pod.metadata.labels, selector)
  })

  it("malformed.yaml is refused by line and field", () => {
    const { pods, problems } = parse("malformed.yaml")
    assert.deepEqual(pods, [])
    assert.deepEqual(
      problems.map(({ line, field }) => ({ line, field })),
      [{ line: 12, field: "spec.containers[0].ports[0].containerPort" }]
    )
  })
})
