import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result } from "effect"
import { contentOf, contentText, type Found, referencesOf } from "../../../src/actors/volume/content.ts"
import { memorySize, pageSize } from "../../../src/actors/volume/empty-dir-size.ts"
import { nestedMounts } from "../../../src/actors/volume/nested-mounts.ts"
import type { Container, Pod, Volume } from "../../../src/events/pod-spec.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const podWith = (...containers: ReadonlyArray<Partial<Container>>): Pod => ({
  metadata: {
    name: "web",
    namespace: "shop",
    uid: "u-1",
    labels: { app: "web", tier: 'front "end"' },
    annotations: { note: "two\nlines" }
  },
  spec: { containers: containers.map((c, i) => ({ name: `c${i}`, image: "i", ...c })) }
})
const pod = podWith({ resources: { limits: { cpu: "1500m" }, requests: { memory: "64Mi" } } })
const found: Found = new Map([
  [
    "ConfigMap cm",
    new Map([
      ["k1", bytes("v1")],
      ["k2", bytes("v2")]
    ])
  ],
  ["Secret sec", new Map([["password", bytes("s3cret")]])]
])
const allocatable = { cpu: "4", memory: "8Gi" }

const files = (volume: Omit<Volume, "name">, at: Found = found) =>
  Result.map(contentOf({ name: "v", ...volume }, at, pod, allocatable), (all) =>
    all.map(({ path, data, mode }) => [path, new TextDecoder().decode(data), mode] as const)
  )
const filesOf = (volume: Omit<Volume, "name">) => Result.getOrThrow(files(volume))
const problem = (volume: Omit<Volume, "name">, at?: Found) => {
  const result = files(volume, at)
  assert.ok(Result.isFailure(result))
  return result.failure
}

describe("the files of a volume", () => {
  it("are all keys of an object, or those that are picked, with the mode of each", () => {
    assert.deepEqual(filesOf({ configMap: { name: "cm", defaultMode: 0o600 } }), [
      ["k1", "v1", 0o600],
      ["k2", "v2", 0o600]
    ])
    const items = [
      { key: "k2", path: "deep/two", mode: 0o400 },
      { key: "k2", path: "again" }
    ]
    assert.deepEqual(filesOf({ configMap: { name: "cm", items, defaultMode: 0o644 } }), [
      ["deep/two", "v2", 0o400],
      ["again", "v2", 0o644]
    ])
    assert.deepEqual(filesOf({ secret: { secretName: "sec", defaultMode: 0o400 } }), [["password", "s3cret", 0o400]])
  })

  it("are missing in kubelet's words, unless they are optional", () => {
    const missing = { name: "none", items: [{ key: "a", path: "a" }] }
    assert.deepEqual(problem({ configMap: { name: "none" } }), {
      message: 'configmap "none" not found',
      awaitsObject: true
    })
    assert.equal(problem({ secret: { secretName: "none" } }).message, 'secret "none" not found')
    const item = [{ key: "y", path: "y" }]
    assert.equal(problem({ configMap: { name: "cm", items: item } }).message, "references non-existent config key: y")
    assert.equal(
      problem({ secret: { secretName: "sec", items: item } }).message,
      "references non-existent secret key: y"
    )
    assert.deepEqual(filesOf({ configMap: { ...missing, optional: true } }), [])
    const half = [...item, { key: "k1", path: "one" }]
    assert.deepEqual(filesOf({ configMap: { name: "cm", items: half, optional: true } }), [["one", "v1", 0o644]])
  })

  it("are fields and resources of the pod, limits that it has not are the node's", () => {
    const field = (fieldPath: string) => ({ path: fieldPath.replace(/\W/gu, "-"), fieldRef: { fieldPath } })
    const resource = (path: string, selected: string, divisor?: string) => ({
      path,
      resourceFieldRef: { containerName: "c0", resource: selected, ...(divisor === undefined ? {} : { divisor }) }
    })
    const items = [
      field("metadata.name"),
      field("metadata.namespace"),
      field("metadata.uid"),
      field("metadata.labels"),
      field("metadata.annotations"),
      field("metadata.labels['app']"),
      field("metadata.annotations['none']"),
      resource("cpu", "limits.cpu"),
      resource("milli", "limits.cpu", "1m"),
      resource("node-memory", "limits.memory", "1Gi"),
      resource("memory", "requests.memory", "1M")
    ]
    assert.deepEqual(
      filesOf({ downwardAPI: { items } }).map(([path, text]) => [path, text]),
      [
        ["metadata-name", "web"],
        ["metadata-namespace", "shop"],
        ["metadata-uid", "u-1"],
        ["metadata-labels", 'app="web"\ntier="front \\"end\\""'],
        ["metadata-annotations", 'note="two\\nlines"'],
        ["metadata-labels--app--", "web"],
        ["metadata-annotations--none--", ""],
        ["cpu", "2"],
        ["milli", "1500"],
        ["node-memory", "8"],
        ["memory", "68"]
      ]
    )
    const nobody = { path: "x", resourceFieldRef: { containerName: "nobody", resource: "limits.cpu" } }
    assert.deepEqual(problem({ downwardAPI: { items: [nobody] } }), {
      message: "container nobody not found",
      awaitsObject: false
    })
  })

  it("come from several sources; what is missing of any is told together, and the later one wins a path", () => {
    const sources = [
      { configMap: { name: "cm" } },
      { secret: { name: "sec", items: [{ key: "password", path: "k2" }] } },
      { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } }
    ]
    assert.deepEqual(filesOf({ projected: { sources, defaultMode: 0o440 } }), [
      ["k1", "v1", 0o440],
      ["k2", "s3cret", 0o440],
      ["name", "web", 0o440]
    ])
    assert.deepEqual(filesOf({ projected: {} }), [])
    const bad = [{ configMap: { name: "a" } }, { secret: { name: "b" } }, { configMap: { name: "cm" } }]
    assert.deepEqual(problem({ projected: { sources: bad } }), {
      message: '[configmap "a" not found, secret "b" not found]',
      awaitsObject: true
    })
    assert.deepEqual(referencesOf({ name: "v", projected: { sources } }), [
      { kind: "ConfigMap", name: "cm" },
      { kind: "Secret", name: "sec" }
    ])
  })

  it("have one text whatever their order, and another for another mode", () => {
    const [a, b] = [
      { path: "a", data: bytes("1"), mode: 0o644 },
      { path: "b", data: bytes("2"), mode: 0o644 }
    ]
    assert.equal(contentText([a, b]), contentText([b, a]))
    assert.notEqual(contentText([a, b]), contentText([a, { ...b, mode: 0o600 }]))
  })
})

describe("mounts in a volume", () => {
  it("are the outermost ones of each container", () => {
    const mounts = (...paths: ReadonlyArray<readonly [string, string]>) => ({
      volumeMounts: paths.map(([name, mountPath]) => ({ name, mountPath }))
    })
    const of = (...containers: ReadonlyArray<Partial<Container>>) => nestedMounts(podWith(...containers), "v")
    assert.deepEqual(of(mounts(["v", "/a"], ["x", "/a/b/"], ["y", "/a/b/c"], ["z", "/ab"])), ["b"])
    assert.deepEqual(of(mounts(["v", "/a"], ["x", "/a/b"]), mounts(["v", "/q"], ["x", "/q/r/s"])), ["b", "r/s"])
    assert.deepEqual(of(mounts(["x", "/a"], ["v", "/a/b"])), [])
  })
})

describe("the size of an emptyDir", () => {
  it("in memory is the least of what the volume, the pod and the node allow", () => {
    const limited = podWith({ resources: { limits: { memory: "64Mi" }, requests: { memory: "64Mi" } } })
    const half = podWith({ resources: { limits: { memory: "64Mi" } } }, { resources: { requests: { cpu: "1" } } })
    assert.equal(memorySize(undefined, undefined, {}), undefined)
    assert.equal(memorySize("16Mi", limited, allocatable), 16 * 2 ** 20)
    assert.equal(memorySize("128Mi", limited, allocatable), 64 * 2 ** 20)
    assert.equal(memorySize("128Mi", half, allocatable), 128 * 2 ** 20)
    assert.equal(memorySize(undefined, pod, allocatable), 8 * 2 ** 30)
    assert.equal(memorySize("0", pod, allocatable), 8 * 2 ** 30)
  })

  it("of huge pages needs a container that asks for them", () => {
    const asks = (...resources: ReadonlyArray<string>) =>
      podWith(...resources.map((name) => ({ resources: { requests: { [name]: "4Mi" } } })))
    assert.deepEqual(pageSize("HugePages", asks("hugepages-2Mi")), Result.succeed(2 ** 21))
    assert.deepEqual(pageSize("HugePages-1Gi", asks("hugepages-2Mi", "hugepages-1Gi")), Result.succeed(2 ** 30))
    assert.deepEqual(
      pageSize("HugePages", asks("hugepages-2Mi", "hugepages-1Gi")),
      Result.fail("medium: HugePages can't be used if container requests multiple huge page sizes")
    )
    assert.ok(Result.isFailure(pageSize("HugePages", asks("cpu"))))
    assert.ok(Result.isFailure(pageSize("HugePages-1Gi", asks("hugepages-2Mi"))))
  })
})
