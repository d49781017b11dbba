/**
 * Looks at the runtime for as long as the agent runs: relisting is the truth, events are hints to relist sooner (law 4).
 * A runtime that does not answer, or hangs, is told of once and asked again; nothing is concluded about containers.
 */
import { Clock, Duration, Effect, Queue, Stream } from "effect"
import { ContainerRuntime, type CriError, type Sandbox } from "../../adapters/cri/port.ts"
import type { Host } from "../../adapters/host/port.ts"
import { Meters } from "../../adapters/metrics/port.ts"
import type { Outgoing } from "../kernel/behavior.ts"
import type { ObserveRuntime } from "../pod/commands.ts"
import { podNameLabel, podNamespaceLabel, podUidLabel } from "../pod/labels.ts"
import type { NodeFacts } from "../pod/node-facts.ts"
import { Pods } from "../pod/pods.ts"
import { PodSettings } from "../pod/settings.ts"
import { type PodState, uidOf } from "../pod/state.ts"
import type { RuntimeCommand } from "./commands.ts"
import { type compare, makeComparison, type PodFinding } from "./compare.ts"
import { observeContainer } from "./exit-status.ts"
import { observeHealth, RuntimeCalls } from "./health.ts"
import { runtimeActor } from "./identity.ts"
import { OomWitness, type Witnessed, witnessed } from "./oom-witness.ts"
import { RuntimeReach } from "./reach.ts"

/** kubelet's genericPlegRelistPeriod. */
export const relistPeriod = Duration.seconds(1)
/** How often version and conditions are asked for (kubelet's runtime health is asked with every sync, 5 s). */
export const statusPeriod = Duration.seconds(10)
/** Hints closer together than this make one relist. */
export const hintPause = Duration.millis(20)
/** Between attempts to open the event stream where it broke. */
export const eventRetryPeriod = Duration.seconds(5)
/** What an answer to "are there events?" may take: a runtime without them refuses at once. */
const eventProbe = Duration.millis(300)
/** Exit statuses asked for at once. */
const statusConcurrency = 8

type RelistNeeds = ContainerRuntime | Host | OomWitness | Pods | PodSettings

type Emit = (outgoing: Outgoing) => Effect.Effect<void>

export const observeRuntime = (emit: Emit): Effect.Effect<void, never, RelistNeeds | RuntimeReach> =>
  Effect.gen(function* () {
    const calls = new RuntimeCalls(yield* Clock.currentTimeMillis)
    const runtime = calls.follow(yield* ContainerRuntime)
    const reach = yield* RuntimeReach
    const signals = yield* Queue.sliding<"hint" | "due">(1)
    /** When the last look was over, milliseconds; undefined while one is under way. */
    let restedAt: number | undefined
    let events: "unknown" | "yes" | "no" = "unknown"
    let lastVersion = ""
    const otherVersion = yield* Queue.sliding<void>(1)
    const toRuntime = (command: RuntimeCommand) => emit({ to: runtimeActor, command })

    const listen = Effect.gen(function* () {
      while (true) {
        const result = yield* Effect.result(
          Stream.runForEach(runtime.containerEvents, () =>
            Effect.sync(() => {
              events = "yes"
              Queue.offerUnsafe(signals, "hint")
            })
          )
        )
        if (result._tag === "Failure" && result.failure.reason === "Unimplemented") {
          events = "no"
          // Another version may have them.
          yield* Queue.take(otherVersion)
          continue
        }
        yield* Effect.sleep(eventRetryPeriod)
      }
    })

    /** Answers whether the runtime can be worked with. */
    const ask = Effect.gen(function* () {
      const version = yield* runtime.version
      if (lastVersion !== "" && lastVersion !== version.runtimeVersion && events === "no") {
        events = "unknown"
        yield* Queue.offer(otherVersion, undefined)
      }
      lastVersion = version.runtimeVersion
      const { conditions, handlers, supplementalGroupsPolicy } = yield* runtime.status
      const cgroupDriver = yield* runtime.cgroupDriver.pipe(
        Effect.catchIf(
          (error: CriError) => error.reason === "Unimplemented" || error.reason === "Protocol",
          () => Effect.succeed("unknown" as const)
        )
      )
      if (events === "unknown") yield* Effect.sleep(eventProbe)
      if (events === "unknown") events = "yes"
      yield* toRuntime({
        _tag: "RuntimeAnswered",
        at: yield* Clock.currentTimeMillis,
        endpoint: runtime.endpoint,
        name: version.runtimeName,
        version: version.runtimeVersion,
        apiVersion: version.runtimeApiVersion,
        events: events === "yes",
        cgroupDriver,
        conditions,
        handlers: [...handlers].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
        supplementalGroupsPolicy
      })
    })

    const list = Effect.provideService(relist(emit, makeComparison()), ContainerRuntime, runtime)
    const look = Effect.gen(function* () {
      let askedAt = Number.NEGATIVE_INFINITY
      while (true) {
        const started = yield* Clock.currentTimeMillis
        const due = started - askedAt >= Duration.toMillis(statusPeriod)
        const result = yield* Effect.result(due ? Effect.andThen(ask, list) : list)
        if (result._tag === "Success") {
          calls.relisted(yield* Clock.currentTimeMillis)
          if (due) askedAt = started
          yield* reach.looked()
        } else {
          askedAt = Number.NEGATIVE_INFINITY
          yield* reach.looked(result.failure)
          yield* toRuntime({
            _tag: "RuntimeFailed",
            at: yield* Clock.currentTimeMillis,
            endpoint: runtime.endpoint,
            message: result.failure.message
          })
        }
        restedAt = yield* Clock.currentTimeMillis
        const signal = yield* Queue.take(signals)
        restedAt = undefined
        if (signal === "hint") yield* Effect.sleep(hintPause)
      }
    })

    /** A look is due one period after the one before. Cheaper than a race of the two signals for each look. */
    const tick = Effect.gen(function* () {
      const period = Duration.toMillis(relistPeriod)
      while (true) {
        const left = restedAt === undefined ? period : restedAt + period - (yield* Clock.currentTimeMillis)
        if (left <= 0) Queue.offerUnsafe(signals, "due")
        yield* Effect.sleep(left > 0 ? left : period)
      }
    })

    yield* Effect.raceAllFirst([look, tick, Effect.andThen(listen, Effect.never), observeHealth(calls, emit)])
  })

/** One look at everything; tells pods what changed for them. */
export const relist = (emit: Emit, compared: typeof compare): Effect.Effect<void, CriError, RelistNeeds> =>
  Effect.gen(function* () {
    const runtime = yield* ContainerRuntime
    const pods = yield* Pods
    const meter = yield* Meters
    const at = yield* Clock.currentTimeMillis
    const before = pods.all()
    const { facts } = yield* PodSettings
    const witness = yield* OomWitness
    yield* witness.look(() => before.flatMap(({ state }) => running(state, facts)))
    const [sandboxes, containers] = yield* Effect.all([runtime.listPodSandboxes({}), runtime.listContainers({})], {
      concurrency: 2
    })
    const { findings, strays } = compared(before, sandboxes, containers)
    yield* Effect.forEach(findings, (finding) => tellPod(emit, finding, before), {
      concurrency: statusConcurrency,
      discard: true
    })
    meter.relisted({ at, milliseconds: (yield* Clock.currentTimeMillis) - at })
    if (strays.length === 0) return
    const known = new Set(pods.all().map(({ state }) => state.definition?.pod.metadata.uid))
    for (const stray of strays) {
      if (!known.has(stray.labels[podUidLabel])) yield* tellStray(emit, stray)
    }
  })

/** Containers that the pod takes to be running. */
const running = (state: PodState, facts: NodeFacts): ReadonlyArray<Witnessed> =>
  state.containers.flatMap((c) =>
    c.status === "running" || c.status === "killing" ? [witnessed(state, c, facts)] : []
  )

const tellPod = (
  emit: Emit,
  finding: PodFinding,
  pods: ReadonlyArray<{ readonly state: PodState }>
): Effect.Effect<void, CriError, ContainerRuntime | Host | OomWitness | PodSettings> =>
  Effect.gen(function* () {
    const witness = yield* OomWitness
    const { facts } = yield* PodSettings
    const state = pods.find((pod) => uidOf(pod.state) === finding.uid)?.state
    const known = state === undefined ? [] : running(state, facts)
    const exited = yield* Effect.forEach(
      finding.exited,
      (id) =>
        Effect.flatMap(observeContainer(id), (observed) =>
          witness.testify(known.find((c) => c.containerId === id) ?? { containerId: id, podCgroup: "" }, observed)
        ),
      { concurrency: statusConcurrency }
    )
    const command: ObserveRuntime = {
      _tag: "ObserveRuntime",
      at: yield* Clock.currentTimeMillis,
      uid: finding.uid,
      sandboxes: finding.sandboxes,
      containers: [
        ...exited,
        ...finding.missing.map((containerId) => ({ containerId, state: "missing" as const })),
        ...finding.unclear.map((containerId) => ({ containerId, state: "unknown" as const }))
      ]
    }
    yield* emit({ to: finding.pod, command })
  })

/** Only what this node ran once is an orphan: sandboxes of others on the same runtime are left alone. */
const tellStray = (emit: Emit, stray: Sandbox): Effect.Effect<void, never, Pods> =>
  Effect.gen(function* () {
    const pods = yield* Pods
    const uid = stray.labels[podUidLabel] ?? ""
    if (!(yield* pods.everRan(uid))) return
    const command: RuntimeCommand = {
      _tag: "OrphanSeen",
      at: yield* Clock.currentTimeMillis,
      sandboxId: stray.id,
      namespace: stray.labels[podNamespaceLabel] ?? stray.metadata.namespace,
      name: stray.labels[podNameLabel] ?? stray.metadata.name,
      uid
    }
    yield* emit({ to: runtimeActor, command })
  })
