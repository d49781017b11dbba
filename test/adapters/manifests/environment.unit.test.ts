/** What a manifest may say of variables, sub paths and host names: see validate-environment.ts. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { maxRecordedPodBytes } from "../../../src/adapters/manifests/limits.ts"
import { parseManifest } from "../../../src/adapters/manifests/parse.ts"

const parse = (container: string, spec = "") =>
  parseManifest(
    `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  ${spec}
  containers:
  - name: app
    image: i:1
    ${container}
  volumes:
  - {name: files}
  - {name: host, hostPath: {path: /srv}}
`,
    "/m/web.yaml",
    "n1"
  )
const problems = (container: string, spec = "") =>
  parse(container, spec).problems.map((p) => `${p.field?.replace("spec.containers[0].", "")}: ${p.message}`)
const first = (container: string) => parse(container).pods[0]?.pod.spec.containers[0]
const variable = (from: string) => `env: [{name: A, valueFrom: ${from}}]`

describe("references of variables in a manifest", () => {
  it("are read, and recorded as they are written", () => {
    const text = `env:
    - {name: A, valueFrom: {fieldRef: {fieldPath: "metadata.labels['example.org/app']"}}}
    - {name: B, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1Mi, containerName: app}}}
    - {name: C, valueFrom: {configMapKeyRef: {name: cm, key: k.txt, optional: true}}}
    - {name: D, valueFrom: {secretKeyRef: {name: s, key: k}}}
    - {name: E, valueFrom: {fileKeyRef: {volumeName: files, path: a/b.env, key: E}}}
    - {name: F, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1}}}
    envFrom: [{prefix: "1 ", configMapRef: {name: cm}}, {secretRef: {name: s, optional: true}}]`
    const { pods, problems: none, ignoredFields } = parse(text)
    assert.deepEqual([none, ignoredFields], [[], []])
    const [{ pod, recorded }] = pods as unknown as [(typeof pods)[number]]
    assert.equal(pod.spec.containers[0]?.env?.[5]?.valueFrom?.resourceFieldRef?.divisor, "1")
    assert.equal(pod.spec.containers[0]?.envFrom?.length, 2)
    assert.deepEqual(recorded.spec, pod.spec)
  })
  it("come from one place only", () => {
    assert.deepEqual(problems(variable("{}")), [
      "env[0].valueFrom: needs one of fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef"
    ])
    assert.deepEqual(problems(variable("{configMapKeyRef: {name: a, key: k}, secretKeyRef: {name: a, key: k}}")), [
      "env[0].valueFrom: has more than one source"
    ])
    assert.deepEqual(problems("env: [{name: A, value: x, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]"), [
      "env[0].valueFrom: is not allowed beside a value"
    ])
    assert.deepEqual(problems("envFrom: [{}, {configMapRef: {name: a}, secretRef: {name: b}}]"), [
      "envFrom[0]: needs a configMapRef or a secretRef",
      "envFrom[1]: has more than one source"
    ])
  })
  it("name fields and resources that there are", () => {
    const field = (path: string) => problems(variable(`{fieldRef: {fieldPath: "${path}"}}`))
    for (const path of [
      "metadata.name",
      "metadata.namespace",
      "metadata.uid",
      "metadata.annotations['a']",
      "spec.nodeName",
      "spec.serviceAccountName",
      "status.hostIP",
      "status.hostIPs",
      "status.podIP",
      "status.podIPs"
    ])
      assert.deepEqual(field(path), [], path)
    for (const path of ["metadata.labels", "spec.containers", "status.phase", "metadata.name['x']"])
      assert.match(
        field(path).join(),
        /^env\[0\]\.valueFrom\.fieldRef\.fieldPath: must be one of metadata\.name/u,
        path
      )
    for (const key of ["", "-", "a/b/c", "Bad_Prefix/x", "k".repeat(64)])
      assert.match(field(`metadata.labels['${key}']`).join(), /is no key of a label or annotation/u, key)
    assert.deepEqual(field(""), ["env[0].valueFrom.fieldRef.fieldPath: is missing"])
    const resource = (name: string, divisor: string) =>
      problems(variable(`{resourceFieldRef: {resource: ${name}, divisor: ${divisor}}}`))
    assert.deepEqual(resource("requests.hugepages-2Mi", "1Ki"), [])
    assert.deepEqual(resource("limits.cpu", "1m"), [])
    assert.match(resource("limits.cpu", "1Ki").join(), /divisor: must be one of 1m, 1$/u)
    assert.match(resource("limits.memory", "3").join(), /divisor: must be one of 1, 1k/u)
    assert.match(resource("limits.memory", "lots").join(), /divisor: must be one of/u)
    assert.match(resource("limits.gpu", "1").join(), /resource: must be limits or requests of cpu, memory/u)
  })
  it("name objects, keys and files by good names", () => {
    assert.deepEqual(problems(variable("{configMapKeyRef: {key: k}}")), [
      "env[0].valueFrom.configMapKeyRef.name: is missing"
    ])
    assert.match(
      problems(variable("{secretKeyRef: {name: A_B, key: ..}}")).join(),
      /name: .*no DNS name.*key: .*is no key/u
    )
    assert.match(problems(variable(`{secretKeyRef: {name: ${"a".repeat(254)}, key: k}}`)).join(), /longer than 253/u)
    assert.match(problems(variable(`{secretKeyRef: {name: a, key: ${"k".repeat(254)}}}`)).join(), /longer than 253/u)
    const file = (more: string) => problems(variable(`{fileKeyRef: {volumeName: files, key: K, ${more}}}`))
    assert.deepEqual(file("path: a"), [])
    assert.deepEqual(file("path: ../a"), ['env[0].valueFrom.fileKeyRef.path: must not contain ".."'])
    assert.deepEqual(file("path: /a"), ["env[0].valueFrom.fileKeyRef.path: must be a relative path"])
    assert.deepEqual(problems(variable("{fileKeyRef: {volumeName: host, path: a, key: K}}")), [
      'env[0].valueFrom.fileKeyRef.volumeName: the pod has no emptyDir volume "host"'
    ])
    assert.match(problems('envFrom: [{prefix: "a=", secretRef: {name: s}}]').join(), /prefix: .*no variable name/u)
  })
  it("of a wrong type cost the pod, with line and column", () => {
    const [problem] = parse(variable("{secretKeyRef: {name: 7, key: k}}")).problems
    assert.equal(problem?.message, "must be text, not the number 7; put it in quotes")
    assert.deepEqual([problem?.line, problem?.field], [9, "spec.containers[0].env[0].valueFrom.secretKeyRef.name"])
  })
})

describe("many variables in a manifest", () => {
  const many = (count: number, name: (i: number) => string) =>
    `env: [${Array.from({ length: count }, (_, i) => `{name: ${name(i)}, value: v${i}}`).join(", ")}]`

  it("a thousand, are all there, and recorded by one hash", () => {
    const [{ pod, recorded }] = parse(many(1000, (i) => `VARIABLE_NUMBER_${i}`)).pods as never as [
      ReturnType<typeof parse>["pods"][number]
    ]
    assert.equal(pod.spec.containers[0]?.env?.length, 1000)
    const [app] = recorded.spec.containers
    assert.equal(app?.env, undefined)
    assert.equal(app?.envDigest?.count, 1000)
    assert.match(app?.envDigest?.hash ?? "", /^[0-9a-f]{16}$/u)
    const other = parse(many(1000, (i) => `VARIABLE_NUMBER_${i + 1}`)).pods[0]?.recorded
    assert.notDeepEqual(other?.spec.containers[0]?.envDigest, app?.envDigest)
  })
  it("that fit, are recorded one by one", () => {
    const app = parse(many(300, (i) => `V${i}`)).pods[0]?.recorded.spec.containers[0]
    assert.equal(app?.env?.length, 300)
    assert.equal(app?.envDigest, undefined)
  })
  it("with names of 253 characters are taken", () => {
    assert.equal(first(many(900, (i) => `N${i}_`.padEnd(253, "x")))?.env?.length, 900)
  })
  it("do not save a pod that is too large otherwise, and the bound is named", () => {
    const label = "x".repeat(60_000)
    const [problem] = parse(`command: [${label}]`).problems
    assert.match(
      problem?.message ?? "",
      new RegExp(`too large to be recorded: \\d+ bytes.* ${maxRecordedPodBytes} are`, "u")
    )
  })
  it("cannot give a digest of their own", () => {
    const { ignoredFields } = parse("envDigest: {count: 1, hash: x}")
    assert.deepEqual(
      ignoredFields.map(({ field }) => field),
      ["spec.containers[0].envDigest"]
    )
  })
})

describe("mounts in a manifest", () => {
  const mount = (more: string) => `volumeMounts: [{name: files, mountPath: /m, ${more}}]`
  it("may be of a path in the volume that leads down", () => {
    assert.equal(first(mount("subPath: a/..b"))?.volumeMounts?.[0]?.subPath, "a/..b")
    assert.equal(first(mount("subPathExpr: $(POD)/x"))?.volumeMounts?.[0]?.subPathExpr, "$(POD)/x")
    assert.deepEqual(problems(mount("subPath: /a")), ["volumeMounts[0].subPath: must be a relative path"])
    assert.deepEqual(problems(mount("subPath: a/../..")), ['volumeMounts[0].subPath: must not contain ".."'])
    assert.deepEqual(problems(mount("subPathExpr: ../$(A)")), ['volumeMounts[0].subPathExpr: must not contain ".."'])
    assert.deepEqual(problems(mount("subPath: a, subPathExpr: b")), [
      "volumeMounts[0].subPathExpr: is not allowed beside a subPath"
    ])
  })
  it("of an ephemeral container are of whole volumes", () => {
    const { problems } = parse(
      "",
      "ephemeralContainers: [{name: e, image: i, volumeMounts: [{name: files, mountPath: /m, subPath: a}]}]"
    )
    assert.deepEqual(
      problems.map(({ field, message }) => [field, message]),
      [["spec.ephemeralContainers[0].volumeMounts[0].subPath", "is not allowed for an ephemeral container"]]
    )
  })
  it("are recursively read-only only where they are read-only and private", () => {
    assert.deepEqual(problems(mount("readOnly: true, recursiveReadOnly: Enabled")), [])
    assert.deepEqual(problems(mount("recursiveReadOnly: Disabled")), [])
    assert.deepEqual(problems(mount("recursiveReadOnly: IfPossible")), [
      "volumeMounts[0].recursiveReadOnly: is for mounts that are readOnly only"
    ])
    assert.deepEqual(problems(mount("readOnly: true, recursiveReadOnly: Enabled, mountPropagation: HostToContainer")), [
      "volumeMounts[0].recursiveReadOnly: is for mounts without mountPropagation only"
    ])
    assert.match(
      problems(mount("recursiveReadOnly: Sometimes")).join(),
      /must be one of Disabled, IfPossible, Enabled/u
    )
  })
})

describe("names of a pod in a manifest", () => {
  const names = (spec: string) => problems("", spec).map((text) => text.replace("spec.", ""))
  it("may be overridden as a whole", () => {
    assert.deepEqual(names("hostnameOverride: web.example.org"), [])
    assert.match(names(`hostnameOverride: ${"a".repeat(65)}`).join(), /at most 64 characters/u)
    assert.match(names("hostnameOverride: Web_1").join(), /is no DNS name/u)
    assert.deepEqual(names("hostnameOverride: a\n  hostNetwork: true"), [
      "hostnameOverride: is not allowed on the host's network"
    ])
    assert.deepEqual(names("hostnameOverride: a\n  setHostnameAsFQDN: true"), [
      "hostnameOverride: and setHostnameAsFQDN cannot both be set"
    ])
  })
  it("take the old name of the service account for the new one", () => {
    const account = (spec: string) => parse("", spec).pods[0]?.pod.spec
    assert.equal(account("serviceAccount: old")?.serviceAccountName, "old")
    assert.equal(account("serviceAccount: old\n  serviceAccountName: new")?.serviceAccountName, "new")
    assert.equal("serviceAccount" in (account("serviceAccount: old") ?? {}), false)
  })
})
