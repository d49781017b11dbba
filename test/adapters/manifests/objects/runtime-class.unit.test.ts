/** RuntimeClasses beside the pods, and what they do to pods that name them. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect } from "effect"
import { KnownPods } from "../../../../src/adapters/manifests/known-pods.ts"
import { underClass } from "../../../../src/adapters/manifests/objects/runtime-class.ts"
import { parseManifest } from "../../../../src/adapters/manifests/parse.ts"

const kata = `apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: kata}
handler: kata-qemu
overhead: {podFixed: {cpu: 250m, memory: 120Mi}}
scheduling:
  nodeSelector: {kata: "yes"}
  tolerations: [{key: kata, operator: Exists}]
`
const pod = (name: string, spec: object) =>
  JSON.stringify({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name } },
    spec: { containers: [{ name: "app", image: "i:1" }], ...spec }
  })
const file = (path: string, ...documents: ReadonlyArray<string>) => {
  const text = documents.join("\n---\n")
  return { file: path, hash: text, parsed: parseManifest(text, path, "n1") }
}
const known = (...files: ReadonlyArray<ReturnType<typeof file>>) => {
  const pods = new KnownPods((content) => String(content).slice(0, 32))
  return { pods, ...pods.take(files) }
}

describe("a RuntimeClass beside the pods", () => {
  it("gives pods that name it its overhead, node selector and tolerations, and leaves others alone", () => {
    const own = { key: "own", operator: "Exists" }
    const { pods, files, objects } = known(
      file("/m/a.yaml", pod("a", { runtimeClassName: "kata", nodeSelector: { zone: "x" }, tolerations: [own] })),
      file("/m/b.yaml", pod("b", {})),
      file("/m/kata.yaml", kata)
    )
    const [a, b] = files.flatMap((one) => one.pods)
    assert.deepEqual(a?.spec.overhead, { cpu: "250m", memory: "120Mi" })
    assert.deepEqual(a?.spec.nodeSelector, { zone: "x", kata: "yes" })
    assert.deepEqual(a?.spec.tolerations, [own, { key: "kata", operator: "Exists" }])
    assert.deepEqual(Effect.runSync(pods.secretsOf(a!.metadata.uid)).spec.overhead, a?.spec.overhead)
    assert.equal(b?.spec.overhead, undefined)
    assert.deepEqual(
      objects.map(({ kind, namespace, name, handler }) => ({ kind, namespace, name, handler })),
      [{ kind: "RuntimeClass", namespace: "", name: "kata", handler: "kata-qemu" }]
    )
    assert.equal(Effect.runSync(pods.objects.runtimeClass("kata"))?.handler, "kata-qemu")
    assert.equal(Effect.runSync(pods.objects.runtimeClass("none")), undefined)
  })

  it("does not make another pod of one that was there before it", () => {
    const declared = file("/m/a.yaml", pod("a", { runtimeClassName: "kata" }))
    const before = known(declared).files[0]?.pods[0]
    const after = known(declared, file("/m/kata.yaml", kata)).files[0]?.pods[0]
    assert.equal(before?.metadata.uid, after?.metadata.uid)
    assert.equal(before?.spec.overhead, undefined)
  })

  it("that a pod contradicts is a problem of the pod, with its line and field", () => {
    const { files } = known(
      file("/m/a.yaml", pod("a", { runtimeClassName: "kata", nodeSelector: { kata: "no" } }), pod("b", {})),
      file("/m/c.yaml", pod("c", { overhead: { cpu: "1" } })),
      file("/m/d.yaml", pod("d", { runtimeClassName: "kata", overhead: { memory: "0.12Gi", cpu: "0.25" } })),
      file("/m/e.yaml", pod("e", { runtimeClassName: "kata", overhead: { memory: "120Mi", cpu: "0.25" } })),
      file("/m/kata.yaml", kata)
    )
    assert.deepEqual(
      files.map((one) => [one.pods.map((p) => p.metadata.name), one.problems]),
      [
        [
          ["b"],
          [
            {
              ...{ line: 1, column: 52, field: 'spec.nodeSelector["kata"]' },
              message: `conflicts with the pod's RuntimeClass, which wants "yes"`
            }
          ]
        ],
        [["c"], []],
        [
          [],
          [
            {
              ...{ line: 1, column: 52, field: "spec.overhead" },
              message: "is not the overhead that the pod's RuntimeClass defines"
            }
          ]
        ],
        [["e"], []],
        [[], []]
      ]
    )
  })

  it("is checked as the API server would", () => {
    const problems = (text: string) =>
      parseManifest(text, "/m/a.yaml", "n1").problems.map((p) => `${p.line} ${p.field}: ${p.message}`)
    assert.deepEqual(problems(kata), [])
    assert.deepEqual(problems(kata.replace("node.k8s.io/v1", "v1").replace("kata-qemu", "a/b")), [
      '1 apiVersion: must be "node.k8s.io/v1" for a RuntimeClass',
      '4 handler: "a/b" is no DNS label: lower-case letters, digits and "-", with a letter or digit at both ends'
    ])
    assert.deepEqual(
      problems(
        kata.replace("handler: kata-qemu\n", "").replace("250m", "-1").replace("name: kata", "name: K, namespace: x")
      ),
      [
        '3 metadata.name: "K" is no DNS name: labels of lower-case letters, digits and "-", joined by dots',
        "3 metadata.namespace: is not allowed: a RuntimeClass is for all namespaces",
        "1 handler: is missing",
        '4 overhead.podFixed["cpu"]: must not be negative'
      ]
    )
    assert.deepEqual(problems(kata.replace("{cpu: 250m, memory: 120Mi}", "[1]")), [
      "5 overhead.podFixed: must be a mapping, not a list"
    ])
  })
})

describe("a pod without a class", () => {
  it("stays as it is", () => {
    const spec = { containers: [], runtimeClassName: "kata" }
    assert.deepEqual(underClass(spec, undefined), { spec })
  })
})
