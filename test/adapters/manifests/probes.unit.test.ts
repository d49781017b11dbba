/** What a manifest may say of probes, hooks and signals: see validate-lifecycle.ts. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
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
`,
    "/m/web.yaml",
    "n1"
  )
const problems = (container: string, spec = "") =>
  parse(container, spec).problems.map((p) => `${p.field}: ${p.message}`)

describe("a gRPC probe in a manifest", () => {
  it("is read for each kind of probe, with the defaults of the API server", () => {
    const { pods, problems: none } = parse(
      "livenessProbe: {grpc: {port: 9000}}\n    readinessProbe: {grpc: {port: 9000, service: users}}\n    startupProbe: {grpc: {port: 1}}"
    )
    assert.deepEqual(none, [])
    const [app] = pods[0]!.pod.spec.containers
    assert.deepEqual(app?.livenessProbe, {
      grpc: { port: 9000, service: "" },
      initialDelaySeconds: 0,
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3
    })
    assert.equal(app?.readinessProbe?.grpc?.service, "users")
    assert.equal(app?.startupProbe?.grpc?.port, 1)
  })
  it("has a port by number, and is the only handler", () => {
    assert.deepEqual(problems("livenessProbe: {grpc: {service: x}}"), [
      "spec.containers[0].livenessProbe.grpc.port: is missing"
    ])
    assert.deepEqual(problems("livenessProbe: {grpc: {port: http}}"), [
      "spec.containers[0].livenessProbe.grpc.port: must be a whole number, not text"
    ])
    assert.equal(problems("livenessProbe: {grpc: {port: 70000}}").length, 1)
    assert.deepEqual(problems("livenessProbe: {grpc: {port: 1}, exec: {command: [a]}}"), [
      "spec.containers[0].livenessProbe: needs exactly one of exec, httpGet, tcpSocket, grpc; has 2"
    ])
  })
})
