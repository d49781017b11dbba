import assert from "node:assert/strict"
import { describe } from "node:test"
import { Context, Effect } from "effect"
import { TestClock } from "effect/testing"
import { askEveryPeriod } from "../../../src/actors/probe/asking.ts"
import type { ProbeObserved } from "../../../src/actors/probe/commands.ts"
import type { AskedContainer } from "../../../src/actors/probe/state.ts"
import { make as makeManifests } from "../../../src/adapters/manifests/memory.ts"
import { Manifests } from "../../../src/adapters/manifests/port.ts"
import { make as makeProber, ProberControl } from "../../../src/adapters/probing/memory.ts"
import { Prober } from "../../../src/adapters/probing/port.ts"
import { actorId } from "../../../src/events/actor-id.ts"
import { timestamp } from "../../../src/events/definition.ts"
import type { Probe } from "../../../src/events/pod-spec.ts"
import { effectTest } from "../../support/effect.ts"

const manifest = `apiVersion: v1
kind: Pod
metadata: {name: web, uid: uid-1}
spec:
  containers:
  - name: app
    image: i
    env: [{name: KEY, value: s3cret}]
    livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: X-Token, value: t0ken}]}}
    readinessProbe: {exec: {command: [check, "$(KEY)", "$(NONE)"]}}
`
const asked = (spec: Probe, more: Partial<AskedContainer> = {}): AskedContainer => ({
  podUid: "uid-1",
  container: "app",
  containerId: "c1",
  probe: "liveness",
  spec,
  host: "10.0.0.3",
  startedAt: timestamp(0),
  last: null,
  run: 0,
  result: "success",
  output: "",
  onHold: false,
  startedBy: "e1",
  because: "e1",
  ...more
})

/** Asks in the background; answers what was told, and the other end of the prober. */
const asking = (container: AskedContainer) =>
  Effect.gen(function* () {
    const prober = yield* makeProber
    const manifests = yield* makeManifests({ nodeName: "n", files: { "web.yaml": manifest } })
    yield* Context.get(manifests, Manifests).scan
    const told: Array<ProbeObserved> = []
    const id = actorId("probe", "default", `web.app.${container.probe}`)
    yield* askEveryPeriod(container, id, (outgoing) => {
      assert.deepEqual(outgoing.to, id)
      return Effect.sync(() => void told.push(outgoing.command as ProbeObserved))
    }).pipe(
      Effect.provideService(Prober, Context.get(prober, Prober)),
      Effect.provideService(Manifests, Context.get(manifests, Manifests)),
      Effect.forkScoped
    )
    return { told, control: Context.get(prober, ProberControl) }
  })
const tcp = (more: Probe = {}): Probe => ({ tcpSocket: { port: 80 }, periodSeconds: 10, ...more })
const seconds = (told: ReadonlyArray<ProbeObserved>) => told.map((t) => t.at / 1000)

describe("asking a container", () => {
  effectTest(
    "waits for the initial delay, from the container's start, and then asks every period",
    Effect.gen(function* () {
      yield* TestClock.adjust("4 seconds")
      const { told } = yield* asking(asked(tcp({ initialDelaySeconds: 15 })))
      yield* TestClock.adjust("10 seconds")
      assert.deepEqual(told, [])
      yield* TestClock.adjust("30 seconds")
      assert.deepEqual(seconds(told), [15, 25, 35])
      assert.deepEqual(told[0], {
        _tag: "ProbeObserved",
        at: 15_000,
        containerId: "c1",
        result: "success",
        output: "",
        timedOut: false,
        duration: 0
      })
    })
  )

  effectTest(
    "asks at once when the delay is over, as after a restart of the agent",
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hour")
      const { told } = yield* asking(asked(tcp({ initialDelaySeconds: 15 })))
      yield* TestClock.adjust("1 second")
      assert.deepEqual(seconds(told), [3600])
    })
  )

  effectTest(
    "does not wait longer than its own times when the clock was set back",
    Effect.gen(function* () {
      const { told } = yield* asking(asked(tcp({ initialDelaySeconds: 15 }), { startedAt: timestamp(3_600_000) }))
      yield* TestClock.adjust("25 seconds")
      assert.deepEqual(seconds(told), [15, 25])
    })
  )

  effectTest(
    "leaves out periods that an answer takes up",
    Effect.gen(function* () {
      const { told, control } = yield* asking(asked(tcp({ periodSeconds: 1, timeoutSeconds: 5 })))
      yield* control.answer(() => true, { result: "success", afterMillis: 2500 })
      yield* TestClock.adjust("8500 millis")
      // Asked at 0, 3 and 6: in the second in between the container was still busy with the answer before.
      assert.deepEqual(seconds(told), [2.5, 5.5, 8.5])
    })
  )

  effectTest(
    "tells a container that does not answer in time",
    Effect.gen(function* () {
      const { told, control } = yield* asking(asked(tcp({ initialDelaySeconds: 1, timeoutSeconds: 2 })))
      yield* control.answer(() => true, { result: "success", afterMillis: 60_000 })
      yield* TestClock.adjust("4 seconds")
      assert.deepEqual(
        told.map((t) => [t.at, t.result, t.timedOut, t.duration]),
        [[3000, "failure", true, 2000]]
      )
    })
  )

  effectTest(
    "tries three times at once when it cannot ask, and tells the error",
    Effect.gen(function* () {
      const { told, control } = yield* asking(asked(tcp({ initialDelaySeconds: 1 })))
      yield* control.answer(() => true, { result: "error", output: "?" })
      yield* TestClock.adjust("2 seconds")
      assert.equal((yield* control.asked).length, 3)
      assert.deepEqual(
        told.map((t) => t.result),
        ["error"]
      )
    })
  )

  effectTest(
    "puts the values in that the log does not have",
    Effect.gen(function* () {
      const http: Probe = { httpGet: { port: 80, path: "/", httpHeaders: [{ name: "X-Token", valueHash: "abc" }] } }
      const { control } = yield* asking(asked(http))
      yield* TestClock.adjust("1 second")
      const [question] = yield* control.asked
      assert.deepEqual(question, {
        kind: "httpGet",
        scheme: "HTTP",
        host: "10.0.0.3",
        port: 80,
        path: "/",
        headers: [{ name: "X-Token", value: "t0ken" }],
        timeoutSeconds: 1
      })
      const exec = asked({ exec: { command: ["check", "$(KEY)", "$(NONE)"] } }, { probe: "readiness" })
      const other = yield* asking(exec)
      yield* TestClock.adjust("1 second")
      const [run] = yield* other.control.asked
      assert.deepEqual(run, {
        kind: "exec",
        containerId: "c1",
        command: ["check", "s3cret", "$(NONE)"],
        timeoutSeconds: 1
      })
    })
  )

  effectTest(
    "cannot ask without them, or without a port",
    Effect.gen(function* () {
      const secret: Probe = { httpGet: { port: 80, httpHeaders: [{ name: "X", valueHash: "abc" }] } }
      for (const container of [asked(secret, { podUid: "gone" }), asked({ tcpSocket: { port: "nowhere" } })]) {
        const { told, control } = yield* asking(container)
        yield* TestClock.adjust("1 second")
        assert.equal(told[0]?.result, "error")
        assert.notEqual(told[0]?.output, "")
        assert.deepEqual(yield* control.asked, [])
      }
    })
  )
})
