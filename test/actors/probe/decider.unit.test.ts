import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { ProbeCommand, ProbeObserved, StartProbe } from "../../../src/actors/probe/commands.ts"
import { probeDecider } from "../../../src/actors/probe/decider.ts"
import { describeTarget, targetOf } from "../../../src/actors/probe/target.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { timestamp } from "../../../src/events/definition.ts"
import type { ProbeType } from "../../../src/events/kinds/probe.ts"
import type { Probe } from "../../../src/events/pod-spec.ts"
import { differs, itMeets, type Row } from "../../support/cases.ts"
import { Story, tags } from "../../support/given.ts"
import { seededRandom } from "../../support/random.ts"

const storyOf = (probe: ProbeType) => new Story(probeDecider, actorId("probe", "default", `web.v1.app.${probe}`))
const start = (probe: ProbeType, spec: Probe = {}, containerId = "c1", at = 1000): StartProbe => ({
  _tag: "StartProbe",
  at,
  podUid: "uid-1",
  pod: "default/web.v1",
  container: "app",
  containerId,
  probe,
  spec: { httpGet: { port: "http", path: "/healthz" }, failureThreshold: 3, successThreshold: 1, ...spec },
  host: "10.0.0.3",
  ports: { http: 8080 },
  startedAt: timestamp(at)
})
const answer = (result: ProbeObserved["result"], containerId = "c1", at = 2000): ProbeObserved => ({
  _tag: "ProbeObserved",
  at,
  containerId,
  result,
  output: result === "failure" ? "statuscode: 500" : "ok",
  timedOut: false,
  duration: 3
})

describe("a probe", () => {
  it("says what it asks, with the port's number, and begins with what counts before any answer", () => {
    for (const [probe, result] of [
      ["readiness", "failure"],
      ["liveness", "success"],
      ["startup", "unknown"]
    ] as const) {
      const story = storyOf(probe)
      const [started] = story.when(start(probe))
      assert.ok(started?.event._tag === "ProbeStarted")
      assert.equal(started.event.target, "GET http://10.0.0.3:8080/healthz")
      assert.equal(started.event.spec.httpGet?.port, 8080)
      assert.equal(story.state.asked?.result, result)
    }
  })

  it("is started once for a container, and anew for the next one", () => {
    const story = storyOf("liveness")
    story.when(start("liveness"))
    assert.deepEqual(story.when(start("liveness")), [])
    story.when(answer("failure"))
    assert.deepEqual(tags(story.when(start("liveness", {}, "c2"))), ["ProbeStopped", "ProbeStarted"])
    assert.equal(story.state.asked?.run, 0)
    assert.equal(story.state.asked?.last, null)
  })

  it("writes the first success of a healthy container and no other", () => {
    const story = storyOf("liveness")
    story.when(start("liveness"))
    assert.deepEqual(tags(story.when(answer("success"))), ["ProbeSucceeded"])
    for (let i = 0; i < 10; i++) assert.deepEqual(story.when(answer("success")), [])
  })

  it("counts failures, changes at the threshold, and names each as the cause of the next", () => {
    const story = storyOf("liveness")
    story.when(start("liveness"))
    story.when(answer("success"))
    const [first] = story.when(answer("failure"))
    const [second] = story.when(answer("failure"))
    const [third, changed] = story.when(answer("failure"))
    assert.ok(third?.event._tag === "ProbeFailed" && changed?.event._tag === "ProbeResultChanged")
    assert.deepEqual([third.event.consecutive, third.event.threshold], [3, 3])
    assert.deepEqual([changed.event.from, changed.event.to], ["success", "failure"])
    assert.deepEqual([second?.cause, third.cause, changed.cause], [first?.id, second?.id, third.id])
    assert.equal(story.state.asked?.onHold, true)
  })

  it("says nothing more after the verdict of liveness until there is a new container", () => {
    const story = storyOf("liveness")
    story.when(start("liveness", { failureThreshold: 1 }))
    story.when(answer("failure"))
    assert.deepEqual(story.when(answer("success")), [])
    assert.deepEqual(story.when(start("liveness", { failureThreshold: 1 })), [])
    story.when(start("liveness", { failureThreshold: 1 }, "c2"))
    assert.deepEqual(tags(story.when(answer("failure", "c2"))), ["ProbeFailed", "ProbeResultChanged"])
  })

  it("ends a row with one event, and the row begins anew", () => {
    const story = storyOf("readiness")
    story.when(start("readiness", { failureThreshold: 2 }))
    story.when(answer("success"))
    story.when(answer("failure"))
    assert.deepEqual(tags(story.when(answer("success"))), ["ProbeSucceeded"])
    assert.deepEqual(story.when(answer("success")), [])
    assert.deepEqual(tags(story.when(answer("failure"))), ["ProbeFailed"])
    assert.deepEqual(tags(story.when(answer("failure"))), ["ProbeFailed", "ProbeResultChanged"])
    assert.deepEqual(story.when(answer("failure")), [])
  })

  it("writes the first failure of a container that never was ready, as evidence", () => {
    const story = storyOf("readiness")
    story.when(start("readiness"))
    assert.deepEqual(tags(story.when(answer("failure"))), ["ProbeFailed"])
    assert.deepEqual(story.when(answer("failure")), [])
  })

  it("concludes nothing from errors and from containers that are gone", () => {
    const story = storyOf("liveness")
    assert.deepEqual(story.when(answer("failure")), [])
    story.when(start("liveness", { failureThreshold: 1 }))
    assert.deepEqual(story.when(answer("error")), [])
    assert.deepEqual(story.when(answer("failure", "c0")), [])
  })

  it("is finished when it is stopped, and stops once", () => {
    const story = storyOf("liveness")
    assert.equal(probeDecider.finished?.(story.state), true)
    story.when(start("liveness"))
    assert.equal(probeDecider.finished?.(story.state), false)
    assert.equal(probeDecider.subject?.(story.state), "uid-1")
    assert.deepEqual(tags(story.when({ _tag: "StopProbe", at: 1, reason: "its container has ended" })), [
      "ProbeStopped"
    ])
    assert.deepEqual(story.when({ _tag: "StopProbe", at: 1, reason: "again" }), [])
    assert.deepEqual(story.state, probeDecider.initial(actorId("probe", "default", "web.v1.app.liveness")))
  })

  it("is supervised by its pod, whose name may hold dots", () => {
    const supervisor = probeDecider.supervisor?.(actorId("probe", "default", "web.v1.app.liveness"))
    assert.deepEqual(supervisor, actorId("pod", "default", "web.v1"))
  })

  it("folds to the same state from what was recorded, whatever happened", () => {
    const random = seededRandom("probe stories")
    for (let round = 0; round < 200; round++) {
      const probe = random.pick(["liveness", "readiness", "startup"] as const)
      const story = storyOf(probe)
      const spec = { failureThreshold: random.int(1, 3), successThreshold: random.int(1, 3) }
      for (let step = 0; step < 30; step++) {
        const id = `c${random.int(1, 2)}`
        const command: ProbeCommand = random.chance(0.1)
          ? start(probe, spec, id)
          : random.chance(0.05)
            ? { _tag: "StopProbe", at: 1, reason: "r" }
            : answer(random.pick(["success", "failure", "error"] as const), id)
        const before = story.state
        if (story.when(command).length === 0) assert.equal(story.state, before)
      }
      assert.deepEqual(story.refolded(), story.state)
    }
  })
})

describe("what a probe asks", () => {
  const named = { found: 93 }
  itMeets("prober.json", "TestGetURLParts", "is the URL that upstream asks", ({ in: { probe }, want }) => {
    const target = targetOf({ httpGet: probe }, "127.0.0.1", named)
    if (!want.ok) assert.equal(target.kind, "none")
    else {
      assert.ok(target.kind === "httpGet")
      assert.deepEqual([target.host, target.port, target.path], [want.host, want.port, want.path])
    }
    return undefined
  })
  itMeets("prober.json", "TestGetTCPAddrParts", "is the address that upstream asks", ({ in: { probe }, want }) => {
    const target = targetOf({ tcpSocket: probe }, "1.2.3.4", named)
    if (!want.ok) assert.equal(target.kind, "none")
    else {
      assert.ok(target.kind === "tcpSocket")
      assert.deepEqual([target.host, target.port], [want.host, want.port])
    }
    return undefined
  })
  itMeets(
    "probe-http.json",
    "TestResolveContainerPort",
    "has the port that upstream resolves",
    ({ in: { port, container }, want }) => {
      const ports = Object.fromEntries(
        (container.ports ?? []).map((p: { name: string; containerPort: number }) => [p.name, p.containerPort])
      )
      const target = targetOf({ tcpSocket: { port } }, "h", ports)
      if (want.error !== null) assert.equal(target.kind, "none")
      else assert.ok(target.kind === "tcpSocket" && target.port === want.port)
      return undefined
    }
  )
  it("is told to people", () => {
    const tell = (spec: Probe) => describeTarget(targetOf(spec, "fd00::2"))
    assert.equal(tell({ tcpSocket: { port: 80 } }), "connect [fd00::2]:80")
    assert.equal(tell({ grpc: { port: 9000 } }), "gRPC health at [fd00::2]:9000")
    assert.equal(tell({ grpc: { port: 9000, service: "users" } }), "gRPC health of users at [fd00::2]:9000")
    assert.equal(tell({ exec: { command: ["cat", "/ok"] } }), "exec cat /ok")
    assert.equal(tell({ httpGet: { port: 443, scheme: "HTTPS", host: "h", path: "x" } }), "GET https://h:443/x")
    assert.equal(tell({ httpGet: { port: "web" } }), 'nothing: the container has no port "web"')
    assert.equal(tell({}), "nothing: the probe has no handler")
  })
})

const scenarioOf = (row: Row): string => row.name.replace(/ #\d+$/u, "")
const words = { Success: "success", Failure: "failure", UNKNOWN: "unknown" } as const

/** Upstream's worker, one pass a row. Which containers are asked, and when: asked.unit.test.ts. */
describe("thresholds", () => {
  const judged = new Map<string, Story<never, never, never>>()
  const check = (row: Row) => {
    const { probeType, probe, podStatus, probeOutcome, container, state } = row.in
    const want = row.want.state
    const status = podStatus.containerStatuses.find((c: { name: string }) => c.name === container)
    if (state.containerID === "://" && probeType === "Startup" && status.started === true) {
      return differs("a startup probe that has passed is not started")
    }
    const type = probeType.toLowerCase() as ProbeType
    const key = `${scenarioOf(row)}`
    const isNew = state.containerID === "://" || !judged.has(key)
    const story = (isNew ? storyOf(type) : judged.get(key)) as ReturnType<typeof storyOf>
    judged.set(key, story as never)
    story.when(start(type, probe, status.containerID))
    story.when(answer(probeOutcome, status.containerID))
    const { asked } = story.state
    assert.equal(asked?.result, words[want.stored[status.containerID] as keyof typeof words])
    assert.equal(asked?.onHold, want.onHold)
    // A row beyond its threshold changes nothing and is not counted on.
    if (!want.onHold && words[want.lastResult as keyof typeof words] !== asked?.result)
      assert.equal(asked?.run, want.resultRun)
    return undefined
  }
  for (const test of [
    "TestFailureThreshold",
    "TestSuccessThreshold",
    "TestStartupProbeSuccessThreshold",
    "TestStartupProbeFailureThreshold",
    "TestOnHoldOnLivenessOrStartupCheckFailure",
    "TestResultRunOnLivenessCheckFailure",
    "TestResultRunOnStartupCheckFailure",
    "TestStartupProbeDisabledByStarted"
  ]) {
    itMeets("prober-worker.json", test, "change what is said as upstream does", check)
  }
})
