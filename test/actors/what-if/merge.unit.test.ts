import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { differencesOf, strategicMerge } from "../../../src/actors/what-if/merge.ts"

const web = {
  metadata: { name: "web", labels: { a: "1" } },
  spec: {
    containers: [
      { name: "app", image: "one", args: ["a", "b"], env: [{ name: "X", valueHash: "12" }] },
      { name: "side", image: "two" }
    ]
  }
}

describe("a strategic merge", () => {
  const rows: ReadonlyArray<readonly [name: string, part: unknown, expected: unknown]> = [
    ["nothing", {}, web],
    [
      "a field of a container, found by its name",
      { spec: { containers: [{ name: "side", image: "three" }] } },
      { ...web, spec: { containers: [web.spec.containers[0], { name: "side", image: "three" }] } }
    ],
    [
      "a container more",
      { spec: { containers: [{ name: "new", image: "x" }] } },
      { ...web, spec: { containers: [...web.spec.containers, { name: "new", image: "x" }] } }
    ],
    [
      "a plain list, which is replaced",
      { spec: { containers: [{ name: "app", args: ["c"] }] } },
      { ...web, spec: { containers: [{ ...web.spec.containers[0], args: ["c"] }, web.spec.containers[1]] } }
    ],
    ["null, which takes away", { metadata: { labels: null } }, { ...web, metadata: { name: "web" } }],
    [
      "a map within",
      { metadata: { labels: { b: "2" } } },
      { ...web, metadata: { name: "web", labels: { a: "1", b: "2" } } }
    ],
    [
      "a field that was not there",
      { spec: { restartPolicy: "Never" } },
      { ...web, spec: { ...web.spec, restartPolicy: "Never" } }
    ]
  ]
  for (const [name, part, expected] of rows) {
    it(`lays over: ${name}`, () => assert.deepEqual(strategicMerge(web, part), expected))
  }

  it("leaves what it was given as it was", () => {
    const before = JSON.stringify(web)
    strategicMerge(web, { metadata: { labels: { a: "9" } }, spec: { containers: [{ name: "app", image: "z" }] } })
    assert.equal(JSON.stringify(web), before)
  })
})

describe("differences", () => {
  it("are named by container and field", () => {
    const after = strategicMerge(web, {
      metadata: { labels: null },
      spec: {
        containers: [
          { name: "app", livenessProbe: { failureThreshold: 5 } },
          { name: "side", image: "three" }
        ]
      }
    })
    assert.deepEqual(differencesOf(web, after), [
      { field: "metadata.labels", from: { a: "1" } },
      { field: "spec.containers[app].livenessProbe", to: { failureThreshold: 5 } },
      { field: "spec.containers[side].image", from: "two", to: "three" }
    ])
  })

  it("of equal values are none", () => assert.deepEqual(differencesOf(web, structuredClone(web)), []))
})
