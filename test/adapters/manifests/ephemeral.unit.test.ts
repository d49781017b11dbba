/** Ephemeral containers in a manifest: what they may have, and that they are no part of who the pod is. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseManifest } from "../../../src/adapters/manifests/parse.ts"

const parse = (ephemeral: string) =>
  parseManifest(
    `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  volumes: [{name: data}]
  containers: [{name: app, image: "i:1"}]
${ephemeral}`,
    "/m/web.yaml",
    "n1"
  )
const debug = (fields: string) => parse(`  ephemeralContainers:\n  - {name: debug, image: "i:1", ${fields}}\n`)
const problems = (fields: string) => debug(fields).problems.map((p) => `${p.line} ${p.field}: ${p.message}`)

describe("ephemeral containers in a manifest", () => {
  it("are read with the defaults of a container, and their variables stay out of the log", () => {
    const [parsed] = debug(
      "targetContainerName: app, stdin: true, tty: true, command: [sh], env: [{name: A, value: s3cret}], volumeMounts: [{name: data, mountPath: /d}]"
    ).pods
    const [read] = parsed?.pod.spec.ephemeralContainers ?? []
    assert.deepEqual(
      [read?.imagePullPolicy, read?.terminationMessagePath, read?.targetContainerName, read?.tty],
      ["IfNotPresent", "/dev/termination-log", "app", true]
    )
    assert.equal(read?.env?.[0]?.value, "s3cret")
    assert.doesNotMatch(JSON.stringify(parsed?.recorded), /s3cret/u)
    assert.match(parsed?.recorded.spec.ephemeralContainers?.[0]?.env?.[0]?.valueHash ?? "", /^[0-9a-f]{16}$/u)
  })
  it("do not change the pod's uid; another container does", () => {
    const uid = (text: string) => parse(text).pods[0]?.pod.metadata.uid
    const plain = uid("")
    assert.equal(uid('  ephemeralContainers: [{name: debug, image: "i:1"}]\n'), plain)
    assert.notEqual(uid('  initContainers: [{name: debug, image: "i:1"}]\n'), plain)
  })
  it("have no ports, probes, hooks, resources and restart rules", () => {
    for (const field of [
      "ports: [{containerPort: 1}]",
      "livenessProbe: {tcpSocket: {port: 1}}",
      "readinessProbe: {tcpSocket: {port: 1}}",
      "startupProbe: {tcpSocket: {port: 1}}",
      "lifecycle: {preStop: {sleep: {seconds: 1}}}",
      "resources: {requests: {cpu: 1}}",
      "resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]",
      "restartPolicy: Always"
    ]) {
      const name = field.slice(0, field.indexOf(":"))
      assert.deepEqual(problems(field), [
        `8 spec.ephemeralContainers[0].${name}: is not allowed for an ephemeral container`
      ])
    }
    assert.deepEqual(problems("ports: [], resources: {}"), [], "what is empty asks for nothing")
  })
  it("have names of their own, an image, known volumes, and a target that the pod has", () => {
    assert.deepEqual(problems("targetContainerName: nobody"), [
      '8 spec.ephemeralContainers[0].targetContainerName: the pod has no container "nobody"'
    ])
    assert.deepEqual(problems("volumeMounts: [{name: other, mountPath: /d}]"), [
      '8 spec.ephemeralContainers[0].volumeMounts[0].name: the pod has no volume "other"'
    ])
    const same = parse('  ephemeralContainers: [{name: app, image: "i:1"}, {name: x}]\n').problems
    assert.deepEqual(
      same.map(({ field, message }) => `${field}: ${message}`),
      [
        'spec.ephemeralContainers[0].name: another container is called "app" too',
        "spec.ephemeralContainers[1].image: is missing"
      ]
    )
  })
})
