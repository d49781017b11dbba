/**
 * What-if runs against the truth: a simulated node lives through a story under one setting, the what-if run says what would
 * have happened under another, and the same node living through the same story under that other one says whether it was right.
 */
import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { Effect, type Scope } from "effect"
import { deciders } from "../../../src/actors/deciders.ts"
import { knownFlags } from "../../../src/actors/kernel/flags.ts"
import { NodeFold } from "../../../src/actors/kernel/fold.ts"
import type { Change } from "../../../src/actors/what-if/change.ts"
import { familyOf } from "../../../src/actors/what-if/letters.ts"
import { type WhatIf, WhatIfRun } from "../../../src/actors/what-if/what-if.ts"
import { actorPath } from "../../../src/events/actor-id.ts"
import type { RecordedEvent } from "../../../src/events/envelope.ts"
import {
  makeWorld,
  type SimulatedAgent,
  type SimulationOptions,
  simulate,
  simulatedPod,
  startAgent,
  type World
} from "../../support/simulated-node.ts"

type Story = (world: World, agent: SimulatedAgent) => Effect.Effect<unknown, unknown, Scope.Scope>

const live = (manifest: string, story: Story, options: SimulationOptions): Promise<ReadonlyArray<RecordedEvent>> =>
  simulate(
    Effect.gen(function* () {
      const world = yield* makeWorld(options)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const agent = yield* startAgent(world)
          yield* world.manifests.write("web.yaml", manifest)
          yield* story(world, agent)
        })
      )
      return yield* world.events
    })
  )

const takenAgain = (events: ReadonlyArray<RecordedEvent>, change: Change): WhatIf => {
  const run = new WhatIfRun(deciders, change)
  for (const event of events) run.apply(event)
  return run.finish()
}

/** The what-if run ends where the recorded log ends; the truth is compared up to there. */
const assertSame = (
  { pods, end }: WhatIf,
  truth: ReadonlyArray<Pick<RecordedEvent, "time" | "actor" | "event">>
): void => {
  const { common, instead } = pods[0]!.course
  const before = (events: typeof truth) => happenings(events.filter(({ time }) => time < end))
  const [told, actual] = [before([...common, ...instead]), before(truth)]
  const without = (list: ReadonlyArray<string>, other: ReadonlyArray<string>) => list.filter((h) => !other.includes(h))
  assert.deepEqual({ wrong: without(told, actual), missing: without(actual, told) }, { wrong: [], missing: [] })
  assert.equal(told.length, actual.length)
}

/** What happened to the pod and its probes, without ids, in an order of its own. */
const happenings = (events: ReadonlyArray<Pick<RecordedEvent, "time" | "actor" | "event">>): ReadonlyArray<string> =>
  events
    .filter(({ actor }) => familyOf(deciders, actor) !== undefined)
    .filter(({ event }) => event._tag !== "InputRecorded")
    .map(({ time, actor, event }) => {
      const {
        container = "",
        attempt = "",
        consecutive = "",
        ready = "",
        phase = "",
        reason = ""
      } = event as Readonly<Record<string, unknown>>
      return [time, actorPath(actor), event._tag, container, attempt, consecutive, ready, phase, reason].join(" ")
    })
    .sort()

const http = "httpGet: { port: 8080, path: /healthz }"
const http503 = { result: "failure", output: "HTTP probe failed with statuscode: 503" } as const

const failsFrom =
  (after: number, until: number): Story =>
  (world, agent) =>
    Effect.gen(function* () {
      yield* agent.pass(after)
      yield* world.probes.answer(() => true, http503)
      yield* agent.pass(until)
    })

interface Scenario {
  readonly name: string
  readonly was: string
  readonly is: string
  readonly change: Change
  readonly story: Story
  readonly options?: SimulationOptions
  /** Names of what has to be taken for granted, in flight-recorder mode. */
  readonly assumes: ReadonlyArray<string>
}

const part = (container: object, spec: object = {}): Change => ({
  pods: [
    { namespace: "default", name: "web", part: { spec: { ...spec, containers: [{ name: "app", ...container }] } } }
  ]
})
const withPeriod = (seconds: number): Change => ({ pods: [], maxRestartPeriodSeconds: seconds })
const crashing: SimulationOptions = { runtime: { program: () => ({ exits: { after: 1_000, code: 1 } }) } }

const scenarios: ReadonlyArray<Scenario> = [
  {
    name: "a liveness probe that bears more failures: the kill comes later",
    was: simulatedPod("web", `livenessProbe: { ${http}, periodSeconds: 2, failureThreshold: 3 }`),
    is: simulatedPod("web", `livenessProbe: { ${http}, periodSeconds: 2, failureThreshold: 5 }`),
    change: part({ livenessProbe: { failureThreshold: 5 } }),
    story: failsFrom(6, 40),
    assumes: ["answers-repeat", "runs-as-next", "work-takes-as-recorded"]
  },
  {
    name: "a deadline that the pod does not keep: it fails, and its container runs its preStop hook and ends",
    was: simulatedPod("web", "lifecycle: { preStop: { sleep: { seconds: 2 } } }"),
    is: simulatedPod("web", "lifecycle: { preStop: { sleep: { seconds: 2 } } }", "activeDeadlineSeconds: 20"),
    change: part({}, { activeDeadlineSeconds: 20 }),
    story: (_, agent) => agent.pass(40),
    assumes: ["stops-at-once", "work-takes-as-recorded"]
  },
  {
    name: "a liveness probe that bears one failure: the kill comes sooner",
    was: simulatedPod("web", `livenessProbe: { ${http}, periodSeconds: 2, failureThreshold: 3 }`),
    is: simulatedPod("web", `livenessProbe: { ${http}, periodSeconds: 2, failureThreshold: 1 }`),
    change: part({ livenessProbe: { failureThreshold: 1 } }),
    story: failsFrom(6, 12),
    assumes: ["runs-as-next", "work-takes-as-recorded"]
  },
  {
    name: "a readiness probe with another threshold: every answer is in the log, so it is exact",
    was: simulatedPod("web", `readinessProbe: { ${http}, periodSeconds: 2, failureThreshold: 2 }`),
    is: simulatedPod("web", `readinessProbe: { ${http}, periodSeconds: 2, failureThreshold: 4 }`),
    change: part({ readinessProbe: { failureThreshold: 4 } }),
    story: (world, agent) =>
      Effect.gen(function* () {
        yield* failsFrom(6, 6)(world, agent)
        yield* world.probes.answer(() => true, { result: "success" })
        yield* agent.pass(6)
        yield* world.probes.answer(() => true, http503)
        yield* agent.pass(20)
      }),
    assumes: []
  },
  {
    name: "no liveness probe at all",
    was: simulatedPod("web", `livenessProbe: { ${http}, periodSeconds: 2 }`),
    is: simulatedPod("web"),
    change: part({ livenessProbe: null }),
    story: failsFrom(6, 30),
    assumes: ["work-takes-as-recorded"]
  },
  {
    name: "a liveness probe where there was none: nothing is known of its answers",
    was: simulatedPod("web", `readinessProbe: { ${http}, periodSeconds: 2 }`),
    is: simulatedPod("web", `readinessProbe: { ${http}, periodSeconds: 2 }\n    livenessProbe: { ${http} }`),
    change: part({ livenessProbe: { httpGet: { port: 8080, path: "/healthz" } } }),
    story: (_, agent) => agent.pass(12),
    assumes: ["answers-success", "same-answers", "work-takes-as-recorded"]
  },
  {
    name: "a liveness probe in another rhythm",
    was: simulatedPod("web", `livenessProbe: { ${http}, periodSeconds: 2 }`),
    is: simulatedPod("web", `livenessProbe: { ${http}, periodSeconds: 4 }`),
    change: part({ livenessProbe: { periodSeconds: 4 } }),
    story: failsFrom(6, 18),
    assumes: ["answers-at-other-times", "answers-repeat", "runs-as-next", "work-takes-as-recorded"]
  },
  {
    name: "crashes with a shorter longest back-off",
    was: simulatedPod("web"),
    is: simulatedPod("web"),
    change: withPeriod(12),
    story: (_, agent) => agent.pass(80),
    options: crashing,
    assumes: ["runs-as-next"]
  },
  {
    name: "crashes without a restart",
    was: simulatedPod("web"),
    is: simulatedPod("web", "", "restartPolicy: Never"),
    change: part({}, { restartPolicy: "Never" }),
    story: (_, agent) => agent.pass(30),
    options: crashing,
    assumes: ["work-takes-as-recorded"]
  }
]

describe("a what-if run and the truth", () => {
  for (const { name, was, is, change, story, options, assumes } of scenarios) {
    it(name, async () => {
      const recording = { ...options, recording: "inputs" } as const
      const recorded = await live(was, story, recording)
      const truth = await live(is, story, {
        ...recording,
        ...(change.maxRestartPeriodSeconds === undefined
          ? {}
          : { maxContainerRestartPeriodSeconds: change.maxRestartPeriodSeconds })
      })
      const found = takenAgain(recorded, change)
      assert.ok(found.isWhole)
      const [outcome] = found.pods
      assert.ok(outcome?.course.parted !== undefined)
      assertSame(found, truth)
      assert.deepEqual(outcome.assumptions.map((a) => a.name).sort(), [...assumes].sort())
    })
  }

  it("a crash loop that ends at last: up for good between the two answers", async () => {
    // Something that the program needs is there from the 70th second on.
    const needs = { isThere: false }
    const options: SimulationOptions = {
      recording: "inputs",
      runtime: { program: () => (needs.isThere ? {} : { exits: { after: 1_000, code: 1 } }) }
    }
    const story: Story = (_, agent) =>
      Effect.gen(function* () {
        needs.isThere = false
        yield* agent.pass(70)
        needs.isThere = true
        yield* agent.pass(20)
      })
    const change = withPeriod(12)
    const recorded = await live(simulatedPod("web"), story, options)
    const truth = await live(simulatedPod("web"), story, { ...options, maxContainerRestartPeriodSeconds: 12 })
    const started = truth.map(({ event }) => event).findLast((event) => event._tag === "ContainerStarted")
    const [outcome] = takenAgain(recorded, change).pods
    const [earliest] = outcome!.answers
    const [latest] = outcome!.otherwise!
    assert.ok(started?._tag === "ContainerStarted")
    const up = [earliest!.instead.upSince, started.startedAt, latest!.instead.upSince] as const
    assert.deepEqual(
      up.map((time) => Math.round((Date.parse(time!) - Date.UTC(2026, 0, 1)) / 1000)),
      [38, 77, 77]
    )
    assert.equal(Math.round((Date.parse(earliest!.recorded.upSince!) - Date.UTC(2026, 0, 1)) / 1000), 74)
  })

  it("says the same of a slice, wherever it begins before the courses part", async () => {
    const { was, story, change } = scenarios[0]!
    const recorded = await live(was, story, { recording: "inputs" })
    const whole = takenAgain(recorded, change)
    const told = ({ pods }: WhatIf) => happenings(pods[0]!.course.instead)
    const parted = whole.pods[0]!.course.parted!.sequence
    for (let from = 1; from < parted; from++) {
      const fold = new NodeFold(deciders)
      for (const event of recorded.slice(0, from)) fold.apply(event)
      const run = new WhatIfRun(deciders, change)
      run.begin({ first: fold.capture(), flags: knownFlags, recording: "inputs" })
      for (const event of recorded.slice(from)) run.apply(event)
      const slice = run.finish()
      assert.equal(slice.pods[0]?.course.parted?.sequence, parted, `from ${from}`)
      assert.deepEqual(told(slice), told(whole), `from ${from}`)
      assert.deepEqual(slice.pods[0]?.answers, whole.pods[0]?.answers, `from ${from}`)
    }
  })

  it("without flight recorder, says that inputs may be missing", async () => {
    const [liveness] = scenarios
    const recorded = await live(liveness!.was, liveness!.story, {})
    const found = takenAgain(recorded, liveness!.change)
    assert.equal(found.isWhole, false)
    assert.ok(found.pods[0]?.assumptions.some(({ name }) => name === "unrecorded-inputs"))
    assertSame(found, await live(liveness!.is, liveness!.story, {}))
  })

  it("nothing parts where the change decides nothing, and that is exact", async () => {
    const recorded = await live(
      simulatedPod("web", `livenessProbe: { ${http}, periodSeconds: 2, failureThreshold: 3 }`),
      (_, agent) => agent.pass(10),
      { recording: "inputs" }
    )
    const { pods } = takenAgain(recorded, part({ livenessProbe: { failureThreshold: 9 } }))
    assert.equal(pods[0]?.course.parted, undefined)
    assert.deepEqual(pods[0]?.assumptions, [])
  })
})
