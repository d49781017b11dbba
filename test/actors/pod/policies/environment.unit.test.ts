import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Result } from "effect"
import { envFileValue } from "../../../../src/actors/pod/environment/env-file.ts"
import {
  type EnvironmentSources,
  environment,
  expandCommand,
  filesOf,
  objectsOf,
  withoutExpanded
} from "../../../../src/actors/pod/environment/environment.ts"
import { serviceVariables, visibleServices } from "../../../../src/actors/pod/environment/service-variables.ts"
import { hostIpsOf, sortedPodIps } from "../../../../src/actors/pod/network/pod-ips.ts"
import { differs, itMeets, podOf, type Row, type RowValue, type Table } from "../../../support/cases.ts"

const nothing: EnvironmentSources = {
  place: { nodeName: "n1", hostIps: ["10.0.0.7"], podIps: ["10.1.0.2"] },
  allocatable: { cpu: "4", memory: "8Gi" },
  configMap: () => undefined,
  secret: () => undefined,
  file: () => Result.fail("no file"),
  services: new Map()
}
const shop = podOf({ metadata: { name: "web", namespace: "shop", uid: "u" } })

const make = (container: object, sources: Partial<EnvironmentSources> = {}) =>
  environment(shop, { name: "app", image: "i", ...container } as RowValue, { ...nothing, ...sources })
const valuesOf = (container: object, sources?: Partial<EnvironmentSources>) =>
  Object.fromEntries(Result.getOrThrow(make(container, sources)).map(({ key, value }) => [key, value]))
const problemOf = (container: object, sources?: Partial<EnvironmentSources>) => {
  const result = make(container, sources)
  assert.ok(Result.isFailure(result), "it has all that it refers to")
  return result.failure.message
}
const one = (valueFrom: object) => ({ env: [{ name: "V", valueFrom }] })
const holds = (values: Record<string, string | Uint8Array>) => () => new Map(Object.entries(values))

describe("the environment of a container, by the upstream rows", () => {
  const file = "env-vars.json"
  const serviceOf = ({ metadata, spec }: RowValue) => ({
    name: metadata.name,
    namespace: metadata.namespace,
    clusterIP: spec.clusterIP,
    ports: spec.ports
  })
  /** The upstream test's stores answer every name with the one object that they have. */
  const only = (object: RowValue, decode: (text: string) => string | Uint8Array) =>
    object === null
      ? () => undefined
      : () => new Map(Object.entries(object.data as Record<string, string>).map(([k, v]) => [k, decode(v)]))

  const check = (row: Row, table: Table) => {
    if (!row.in.servicesSynced && row.want.error !== null)
      return differs("objects are read from the directory that the pod is read from: they are never behind it")
    if (row.in.pod.spec.enableServiceLinks === undefined && row.want.error !== null)
      return differs("a manifest without enableServiceLinks has the default, true")
    const services = (row.in.services === "$services" ? (table.sharedServices as RowValue) : row.in.services) ?? []
    const { spec, metadata } = row.in.pod
    const seen = visibleServices(services.map(serviceOf), metadata.namespace, spec.enableServiceLinks)
    const hostIps = hostIpsOf(["127.0.0.1", "::1"])
    const result = environment(podOf(row.in.pod), row.in.container, {
      ...nothing,
      place: { nodeName: spec.nodeName, hostIps, podIps: sortedPodIps(row.in.podIPs ?? [], hostIps[0]) },
      configMap: only(row.in.configMap, (text) => text),
      secret: only(row.in.secret, (text) => Buffer.from(text, "base64")),
      services: new Map(serviceVariables(seen).map(({ key, value }) => [key, value]))
    })
    if (row.want.error !== null) {
      assert.ok(Result.isFailure(result))
      // The upstream test's client names its own object; kubelet's real one names the kind in the singular.
      assert.equal(
        result.failure.message.replace("test-config-map", "configmap-name").replace("test-secret", "secret-name"),
        row.want.error.replace("configmaps", "configmap").replace("secrets", "secret")
      )
      return undefined
    }
    const env = Result.getOrThrow(result)
      .map(({ key, value }) => ({ name: key, value }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    assert.deepEqual(env, row.want.env ?? [])
    assert.equal(row.want.event, "")
    return undefined
  }
  itMeets(file, "TestMakeEnvironmentVariables", "holds literals, references, objects and Services", check)
  itMeets(file, "TestFromServices", "describes Services as docker links did", (row) => {
    const variables = serviceVariables(row.in.services.map(serviceOf))
    assert.deepEqual(
      variables.map(({ key, value }) => ({ name: key, value })),
      row.want.env
    )
    return undefined
  })
  itMeets("env-files.json", "TestParseEnv", "reads files of variables", (row) => {
    const result = envFileValue(row.in.envContent, row.in.key)
    assert.equal(Result.isFailure(result), row.want.isError)
    if (Result.isSuccess(result)) assert.equal(result.success, row.want.value)
    else assert.ok(result.failure.message.includes(row.want.errorContains), result.failure.message)
    return undefined
  })
})

describe("the environment of a container", () => {
  it("lets an entry see those before it, itself included, and no later one", () => {
    const env = [
      { name: "A", value: "$(B)" },
      { name: "B", value: "1" },
      { name: "B", value: "$(B)2" },
      { name: "C", value: "$(B) $$(B)" },
      { name: "D" }
    ]
    assert.deepEqual(Result.getOrThrow(make({ env })), [
      { key: "A", value: "$(B)" },
      { key: "B", value: "12" },
      { key: "C", value: "12 $(B)" },
      { key: "D", value: "" }
    ])
  })
  it("ends where variables refer to each other in a circle", () => {
    const env = [
      { name: "A", value: "a$(C)" },
      { name: "B", value: "b$(A)" },
      { name: "C", value: "c$(B)$(C)" }
    ]
    assert.deepEqual(valuesOf({ env }), { A: "a$(C)", B: "ba$(C)", C: "cba$(C)$(C)" })
  })
  it("does not expand what a reference brought", () => {
    const configMap = holds({ k: "$(V)", other: "$(X)" })
    const container = {
      ...one({ configMapKeyRef: { name: "cm", key: "k" } }),
      envFrom: [{ configMapRef: { name: "cm" } }]
    }
    assert.deepEqual(valuesOf(container, { configMap }), { k: "$(V)", other: "$(X)", V: "$(V)" })
  })
  it("says in kubelet's words which reference leads nowhere", () => {
    const missing = (valueFrom: object, sources?: Partial<EnvironmentSources>) => problemOf(one(valueFrom), sources)
    assert.equal(missing({ configMapKeyRef: { name: "cm", key: "k" } }), 'configmap "cm" not found')
    assert.equal(missing({ secretKeyRef: { name: "s", key: "k" } }), 'secret "s" not found')
    const empty = { configMap: holds({}), secret: holds({}) }
    assert.equal(
      missing({ configMapKeyRef: { name: "cm", key: "k" } }, empty),
      "couldn't find key k in ConfigMap shop/cm"
    )
    assert.equal(missing({ secretKeyRef: { name: "s", key: "k" } }, empty), "couldn't find key k in Secret shop/s")
    assert.equal(problemOf({ envFrom: [{ secretRef: { name: "s" } }] }), 'secret "s" not found')
    assert.equal(missing({ resourceFieldRef: { resource: "limits.cpu", containerName: "x" } }), "container x not found")
    const fileKeyRef = { volumeName: "v", path: "a.env", key: "K" }
    assert.equal(missing({ fileKeyRef }), "no file")
    const text = (content: string) => ({ file: () => Result.succeed(content) })
    assert.equal(
      missing({ fileKeyRef }, text("OTHER='secret'\n")),
      'environment variable key "K" not found in file "a.env"'
    )
    assert.equal(missing({ fileKeyRef }, text("OTHER=secret\n")), "couldn't parse env file")
  })
  it("does without what is optional", () => {
    const ref = (more: object) => ({ name: "o", key: "k", optional: true, ...more })
    assert.deepEqual(valuesOf(one({ configMapKeyRef: ref({}) })), {})
    assert.deepEqual(valuesOf(one({ secretKeyRef: ref({}) }), { secret: holds({ other: "x" }) }), {})
    assert.deepEqual(valuesOf({ envFrom: [{ configMapRef: { name: "o", optional: true } }] }), {})
    const fileKeyRef = { volumeName: "v", path: "p", key: "K", optional: true }
    assert.deepEqual(valuesOf(one({ fileKeyRef }), { file: () => Result.succeed("") }), {})
    assert.deepEqual(valuesOf(one({ fileKeyRef }), { file: () => Result.succeed("K='v'") }), { V: "v" })
  })
  it("takes bytes that are text, and refuses others without showing them", () => {
    const ref = one({ secretKeyRef: { name: "s", key: "k" } })
    const bytes = (...list: Array<number>) => ({ secret: holds({ k: Uint8Array.from(list) }) })
    assert.deepEqual(valuesOf(ref, bytes(0xc3, 0xa9)), { V: "é" })
    assert.equal(problemOf(ref, bytes(0xff, 0xfe)), "the value of key k in Secret shop/s is not UTF-8 text")
    assert.equal(
      problemOf({ envFrom: [{ secretRef: { name: "s" } }] }, bytes(0xff)),
      "the value of key k in Secret shop/s is not UTF-8 text"
    )
  })
  it("names odd and long keys as they are (1.34)", () => {
    const long = "k".repeat(253)
    const configMap = holds({ "1-odd.key": "a", [long]: "b" })
    assert.deepEqual(valuesOf({ envFrom: [{ prefix: "9 ", configMapRef: { name: "cm" } }] }, { configMap }), {
      "9 1-odd.key": "a",
      [`9 ${long}`]: "b"
    })
  })
  it("yields to the pod's own variables where a Service has the same names, and comes last", () => {
    const services = new Map([
      ["WEB_PORT", "tcp://10.0.0.1:80"],
      ["WEB_SERVICE_HOST", "10.0.0.1"]
    ])
    const env = [
      { name: "WEB_PORT", value: "own" },
      { name: "URL", value: "http://$(WEB_SERVICE_HOST)" }
    ]
    assert.deepEqual(Result.getOrThrow(make({ env }, { services })), [
      { key: "WEB_PORT", value: "own" },
      { key: "URL", value: "http://10.0.0.1" },
      { key: "WEB_SERVICE_HOST", value: "10.0.0.1" }
    ])
  })
  it("tells which objects and files it needs, each once", () => {
    const ref = (name: string, key: string) => ({ name, key })
    const container = {
      envFrom: [{ configMapRef: { name: "a" } }, { secretRef: { name: "s" } }],
      env: [
        { name: "1", valueFrom: { configMapKeyRef: ref("a", "x") } },
        { name: "2", valueFrom: { configMapKeyRef: ref("b", "x") } },
        { name: "3", valueFrom: { secretKeyRef: ref("s", "x") } },
        { name: "4", valueFrom: { fileKeyRef: { volumeName: "v", path: "p", key: "x" } } },
        { name: "5", valueFrom: { fileKeyRef: { volumeName: "v", path: "p", key: "y" } } },
        { name: "6", value: "literal" }
      ]
    }
    assert.deepEqual(objectsOf(container), { configMaps: ["a", "b"], secrets: ["s"] })
    assert.deepEqual(filesOf(container), [{ volume: "v", path: "p" }])
  })
  it("is not shown by what the runtime says of a command", () => {
    const env = [{ key: "TOKEN", value: 'hunter"2' }]
    const container = { command: ["$(TOKEN)", "sh"], args: ["--key=$(TOKEN)"] }
    assert.deepEqual(expandCommand(container, env).args, ['--key=hunter"2'])
    const said = 'exec: "hunter\\"2": executable file not found in $PATH (--key=hunter"2, sh)'
    assert.equal(
      withoutExpanded(container, env, said),
      'exec: "$(TOKEN)": executable file not found in $PATH (--key=$(TOKEN), sh)'
    )
  })
  it("takes a thousand variables, and values of a mebibyte", () => {
    const value = "x".repeat(1024 * 1024)
    const env = Array.from({ length: 1000 }, (_, i) => ({ name: `V${i}`, value: i === 0 ? value : `$(V${i - 1}` }))
    const made = Result.getOrThrow(make({ env }))
    assert.equal(made.length, 1000)
    assert.equal(made[0]?.value, value)
  })
})
