import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import { parseManifest } from "../../../../src/adapters/manifests/parse.ts"

const parse = (text: string) => parseManifest(text, "/m/a.yaml", "node-1")
const problems = (text: string) =>
  parse(text).problems.map((p) => `${p.line}:${p.column} ${p.field ?? ""}: ${p.message}`)
const object = (kind: string, rest: string, name = "x") =>
  `apiVersion: v1\nkind: ${kind}\nmetadata: {name: ${name}}\n${rest}\n`
const only = (text: string) => {
  const parsed = parse(text)
  assert.deepEqual(parsed.problems, [])
  assert.equal(parsed.objects.length, 1)
  return parsed.objects[0]!.object
}
const utf8 = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)
const base64 = (text: string | Uint8Array) => Buffer.from(text).toString("base64")

describe("objects beside the pods", () => {
  it("are read as the API server would: stringData over data, bytes decoded, defaults filled in", () => {
    const secret = only(
      object("Secret", `data: {a: ${base64("one")}, b: ${base64("two")}}\nstringData: {b: three}\nimmutable: true`)
    )
    assert.ok(secret.kind === "Secret")
    assert.equal(secret.namespace, "default")
    assert.equal(secret.type, "Opaque")
    assert.equal(secret.immutable, true)
    assert.deepEqual([utf8(secret.data.a), utf8(secret.data.b)], ["one", "three"])
    const config = only(
      object(
        "ConfigMap",
        `data: {a: |, b: "1"}\nbinaryData: {c: ${base64(Uint8Array.of(0, 255))}}`.replace("|", '"x\\n"')
      )
    )
    assert.ok(config.kind === "ConfigMap")
    assert.deepEqual(config.data, { a: "x\n", b: "1" })
    assert.deepEqual(config.binaryData, { c: Uint8Array.of(0, 255) })
    const service = only(object("Service", "spec: {clusterIPs: [10.0.0.1], ports: [{port: 80}], selector: {a: b}}"))
    assert.ok(service.kind === "Service")
    assert.deepEqual(
      [service.type, service.clusterIP, service.ports],
      ["ClusterIP", "10.0.0.1", [{ protocol: "TCP", port: 80 }]]
    )
  })

  it("stand in lists and beside pods in one file; a broken one costs only itself", () => {
    const text = `${JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [
        { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } },
        { apiVersion: "v1", kind: "Secret", metadata: { name: "b" }, data: { k: "no base64!" } },
        { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } }
      ]
    })}\n---\n${object("ConfigMapList", "items:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: z}}")}`
    const parsed = parse(text)
    assert.deepEqual(
      parsed.objects.map((o) => o.object.name),
      ["a", "z"]
    )
    assert.equal(parsed.pods.length, 1)
    assert.deepEqual(
      parsed.problems.map((p) => [p.field, p.message]),
      [['items[1].data["k"]', "is no base64"]]
    )
  })

  const wrong: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
    [
      "a key with a slash",
      object("ConfigMap", "data: {a/b: x}"),
      ['4:13 data["a/b"]: "a/b" is no key: letters, digits, "-", "_" and "."']
    ],
    [
      "a key that climbs",
      object("Secret", 'data: {"..a": ""}'),
      ['4:15 data["..a"]: "..a" is no key: it must not be "." nor begin with ".."']
    ],
    [
      "a long key",
      object("ConfigMap", `data: {${"k".repeat(254)}: x}`),
      [`4:264 data["${"k".repeat(254)}"]: the key "${"k".repeat(80)}…" is longer than 253 characters`]
    ],
    [
      "a number as a value",
      object("Secret", "stringData: {pin: 90210777}"),
      ['4:19 stringData["pin"]: must be text, not a number; put it in quotes']
    ],
    [
      "a key in both maps",
      object("ConfigMap", "data: {a: x}\nbinaryData: {a: eA==}"),
      ['4:11 data["a"]: stands in binaryData too']
    ],
    ["no name", "apiVersion: v1\nkind: ConfigMap\n", ["1:1 metadata.name: is missing"]],
    ["no version", "kind: ConfigMap\nmetadata: {name: x}\n", ["1:1 apiVersion: is missing: v1"]],
    [
      "a name in capitals",
      object("ConfigMap", "", "X"),
      ['3:18 metadata.name: "X" is no DNS name: labels of lower-case letters, digits and "-", joined by dots']
    ],
    [
      "a Service's name with a digit first",
      object("Service", "spec: {ports: [{port: 1}]}", "1a"),
      ['3:18 metadata.name: "1a" does not begin with a letter']
    ],
    [
      "a docker config that is no JSON",
      object("Secret", `type: kubernetes.io/dockerconfigjson\ndata: {.dockerconfigjson: ${base64("{")}}`),
      ['5:27 data[".dockerconfigjson"]: is no JSON']
    ],
    [
      "TLS without a key",
      object("Secret", "type: kubernetes.io/tls\ndata: {tls.crt: eA==}"),
      ['5:7 data["tls.key"]: is missing: a Secret of type kubernetes.io/tls needs tls.key']
    ],
    [
      "basic-auth without either",
      object("Secret", "type: kubernetes.io/basic-auth"),
      ['1:1 data["username"]: is missing: a Secret of type kubernetes.io/basic-auth needs username or password']
    ],
    ["a Service without ports", object("Service", "spec: {clusterIP: 10.0.0.1}"), ["4:7 spec.ports: is missing"]],
    [
      "a Service with a bad port and address",
      object("Service", "spec: {clusterIP: here, ports: [{port: 0}]}"),
      ["4:19 spec.clusterIP: is no IP address", "4:40 spec.ports[0].port: 0 is no port: 1 to 65535"]
    ],
    [
      "ports without names",
      object("Service", "spec: {ports: [{port: 1, name: a}, {port: 1}]}"),
      [
        "4:36 spec.ports[1].name: is missing: a Service of several ports needs it",
        "4:43 spec.ports[1].port: 1/TCP is given twice"
      ]
    ]
  ]
  for (const [name, text, said] of wrong)
    it(`are refused with line and field: ${name}`, () => assert.deepEqual(problems(text), said))

  it("take a mebibyte of values, also as base64, and not a byte more", () => {
    const full = "x".repeat(1024 * 1024)
    assert.deepEqual(problems(object("ConfigMap", `data: {a: "${full}"}`)), [])
    assert.deepEqual(problems(object("Secret", `data: {a: ${base64(full)}}`)), [])
    assert.deepEqual(problems(object("Secret", `data: {a: ${base64(`${full}y`)}}`)), [
      "4:7 data: has 1048577 bytes of values; at most 1048576"
    ])
    const many = `data: {${Array.from({ length: 60_000 }, (_, i) => `key-${i}: x`).join(",")}}`
    assert.deepEqual(problems(object("ConfigMap", many)), ["1:1 : the document is larger than 512 KiB"])
  })

  it("say which of their fields are unknown, and nothing of those that only others act on", () => {
    const { ignoredFields } = parse(
      object("Service", "spec: {ports: [{port: 1, targetPort: x}], sessionAffinity: None, colour: red}")
    )
    assert.deepEqual(ignoredFields, [{ line: 4, field: "spec.colour", message: "is no field of a Service; ignored" }])
  })

  it("and a pod that uses them are in the example of the documentation, without a fault", () => {
    const parsed = parse(readFileSync(new URL("../../../../docs/examples/objects.yaml", import.meta.url), "utf8"))
    assert.deepEqual([parsed.problems, parsed.ignoredFields], [[], []])
    assert.deepEqual(
      parsed.objects.map(({ object: o }) => `${o.kind} ${o.name}`),
      ["ConfigMap site", "Secret login", "Service database"]
    )
    assert.equal(parsed.pods[0]?.pod.spec.volumes?.[1]?.secret?.defaultMode, 0o400)
  })
})
