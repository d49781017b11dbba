/** What a manifest may say of probes, hooks and signals: see validate-lifecycle.ts. */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { parseManifest } from "../../../src/adapters/manifests/parse.ts"
import { stopSignals } from "../../../src/events/signals.ts"

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
/** The fields of the first container. */
const first = (container: string, spec = "") => parse(container, spec).pods[0]?.pod.spec.containers[0]
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

describe("a stop signal in a manifest", () => {
  const signal = (name: string) => `lifecycle: {stopSignal: ${name}}`
  it("is any of the CRI's, by the API's name", () => {
    for (const name of ["SIGUSR1", "SIGKILL", "SIGRTMIN", "SIGRTMIN+15", "SIGRTMAX-14", "SIGRTMAX"]) {
      assert.deepEqual(problems(signal(name), "os: {name: linux}"), [])
      assert.equal(first(signal(name), "os: {name: linux}")?.lifecycle?.stopSignal, name)
    }
    assert.equal(stopSignals.length, 65)
  })
  it("needs the name of the pod's operating system, and is one of its signals", () => {
    const field = "spec.containers[0].lifecycle.stopSignal"
    assert.deepEqual(problems(signal("SIGUSR1")), [`${field}: needs spec.os.name`])
    for (const name of ["USR1", "sigusr1", "SIGRTMIN+16", "SIGRTMAX-15", "RUNTIME_DEFAULT"])
      assert.deepEqual(problems(signal(name), "os: {name: linux}"), [`${field}: "${name}" is no stop signal of linux`])
    assert.deepEqual(problems(signal("SIGUSR1"), "os: {name: windows}"), [
      `${field}: "SIGUSR1" is no stop signal of windows`
    ])
    assert.deepEqual(problems(signal("SIGTERM"), "os: {name: windows}"), [])
  })
  it("stands beside hooks, and their headers stay out of the log", () => {
    const [parsed] = parse(
      "lifecycle: {stopSignal: SIGINT, preStop: {httpGet: {port: 1, httpHeaders: [{name: a, value: s3cret}]}}}",
      "os: {name: linux}"
    ).pods
    const recorded = parsed?.recorded.spec.containers[0]?.lifecycle
    assert.equal(recorded?.stopSignal, "SIGINT")
    assert.doesNotMatch(JSON.stringify(recorded), /s3cret/u)
  })
})
