/**
 * The agent: ties live adapters, the journal and the behaviours of all actors together, runs until a signal or a fatal
 * failure, and answers the exit code. Only the files of this folder and main.ts know live code of every room.
 */

import { mkdirSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { Cause, Clock, Context, Duration, Effect, Exit, Layer, Stream, SubscriptionRef } from "effect"
import { type ActorServices, actorsOf } from "../actors/behaviors.ts"
import { knownFlags } from "../actors/kernel/flags.ts"
import { type ActorSystemShape, makeActorSystem } from "../actors/kernel/system.ts"
import type { NodeState } from "../actors/node/state.ts"
import type { PodSettings } from "../actors/pod/settings.ts"
import { ServiceTable } from "../actors/service/table.ts"
import { PublisherStatus } from "../actors/stream/status.ts"
import { Host } from "../adapters/host/port.ts"
import type { NodeMetrics } from "../adapters/metrics/node-metrics.ts"
import { Meters } from "../adapters/metrics/port.ts"
import { type LogThreshold, logEvents, logLayer } from "../cli/run/agent-log.ts"
import type { AgentOptions } from "../cli/run/agent-options.ts"
import { version } from "../cli/version.ts"
import { actorId } from "../events/actor-id.ts"
import { Journal } from "../events/journal/port.ts"
import { startApi } from "./api.ts"
import { buildBase } from "./base.ts"
import { liveConfiguration } from "./configuration.ts"
import { evictionLayer } from "./eviction.ts"
import { MetricsTold, makeAgentMetrics, tellMetrics } from "./metrics.ts"
import { buildNodeServices } from "./node.ts"
import { startOtel } from "./otel.ts"
import { noPods, podLayers } from "./pods.ts"
import { buildServices, seedServices } from "./services.ts"
import { statusServices } from "./status.ts"

/** What a good stop may take: the last events to be written and published. */
const stopTimeout = Duration.seconds(5)
/** How often it is looked whether it is written that the node stops. */
const stopLookPeriod = Duration.millis(5)
/** What the actors need: each where the node has a part for it. Without a stream nothing asks for one. */
const buildNode = (options: AgentOptions, current: { system: ActorSystemShape | undefined }, metrics: NodeMetrics) =>
  Effect.gen(function* () {
    const { proxy, manifests } = options
    const base = yield* buildBase(options, current, metrics)
    const services =
      proxy === undefined ? undefined : yield* Effect.provide(buildServices(options, proxy, current), base)
    const table = services === undefined ? undefined : Context.get(services, ServiceTable)
    const pods = yield* Effect.provide(
      manifests === undefined ? noPods(options) : Layer.build(podLayers(options, manifests, table, metrics)),
      base
    )
    const node = Context.merge(Context.merge(base, pods as Context.Context<PodSettings>), services ?? Context.empty())
    const wholeNode = node as unknown as Context.Context<ActorServices>
    const ofNode = yield* Effect.provide(buildNodeServices(options), wholeNode)
    const withNode = Context.merge(Context.merge(wholeNode, ofNode), statusServices(options, current))
    if (manifests === undefined) return { node: withNode, services }
    const eviction = yield* Effect.provide(Layer.build(evictionLayer(options, current)), withNode)
    return { node: Context.merge(withNode, eviction), services }
  })

const makeDataDir = (dataDir: string): Effect.Effect<void, Error> =>
  Effect.try({
    try: () => {
      mkdirSync(join(dataDir, "pods"), { recursive: true, mode: 0o750 })
    },
    catch: (error) =>
      new Error(
        `the data directory ${dataDir} cannot be made: ${error instanceof Error ? error.message : String(error)}. Choose another one with --data-dir; the agent runs as root.`
      )
  })

const agent = (given: AgentOptions, threshold: LogThreshold) =>
  Effect.gen(function* () {
    const { options, follow } = liveConfiguration(given, threshold)
    const current: { system: ActorSystemShape | undefined } = { system: undefined }
    for (const { level, message } of options.remarks) {
      yield* level === "warn" ? Effect.logWarning(message) : Effect.logDebug(message)
    }
    yield* makeDataDir(options.dataDir)
    const metrics = makeAgentMetrics(options, current)
    const { node: services, services: served } = yield* buildNode(options, current, metrics)
    const parts = {
      publishes: options.nats !== undefined,
      runsPods: options.manifests !== undefined,
      evictsPods: options.manifests !== undefined,
      servesServices: served !== undefined
    }
    const { behaviors, roots } = actorsOf(options.nodeName, parts, {
      maxParallelPulls: options.pods.maxParallelImagePulls,
      pullsPerSecond: options.pods.registryPullQPS,
      burst: options.pods.registryBurst,
      verification: options.registry.verification
    })
    const otel = options.otel === undefined ? undefined : yield* startOtel(options.otel, options.nodeName, metrics)
    const logged = logEvents(options.logFormat, threshold)
    const system = yield* makeActorSystem(behaviors, {
      recording: options.recording,
      onCommit: (events) => {
        logged(events)
        metrics.onCommit(events)
        otel?.onCommit(events)
      },
      onReacted: metrics.onReacted
    }).pipe(Effect.provide(Context.add(services, Meters, metrics.meter)))
    current.system = system
    const recovered = yield* system.recover
    if (served !== undefined) seedServices(system, served)
    const { facts } = Context.get(services, Host)
    const node = actorId("node", "", options.nodeName)
    yield* system.tell(node, {
      _tag: "AgentStarted",
      at: yield* Clock.currentTimeMillis,
      version,
      host: facts.host,
      kernel: facts.kernel,
      architecture: facts.architecture,
      cgroupVersion: facts.cgroupVersion,
      bootId: facts.bootId,
      pid: process.pid,
      recording: options.recording,
      flags: [...knownFlags],
      recoveredEvents: recovered.events,
      recoveredActors: recovered.actors,
      podLogsDir: options.podLogsDir
    } as never)
    yield* follow((command) => Effect.asVoid(system.tell(node, command as never))).pipe(
      Effect.tapCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError(cause))),
      Effect.forkScoped
    )
    yield* system.start(roots)
    const told = tellMetrics({ options, system, services, metrics })
    if (otel !== undefined) yield* otel.tell(told)
    const api = startApi({ options, system, services: Context.add(services, MetricsTold, told) })
    // Its streams have ended before the agent says that it does.
    const reason = yield* Effect.scoped(Effect.andThen(api, Effect.raceFirst(signalled, system.failure)))
    yield* Effect.logInfo(`stopping: ${reason}; containers run on`)
    yield* stop(system, node, reason).pipe(Effect.provide(services), Effect.timeoutOption(stopTimeout))
  }).pipe(Effect.scoped)

/** Answers the name of the first SIGTERM or SIGINT. */
const signalled: Effect.Effect<string> = Effect.callback((resume) => {
  const onSignal = (signal: string) => resume(Effect.succeed(signal))
  process.on("SIGTERM", onSignal)
  process.on("SIGINT", onSignal)
  return Effect.sync(() => {
    process.off("SIGTERM", onSignal)
    process.off("SIGINT", onSignal)
  })
})

/** The last event is written, and all that are written meanwhile are published where the stream can be reached. */
const stop = (system: ActorSystemShape, node: ReturnType<typeof actorId>, reason: string) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const { report } = yield* PublisherStatus
    yield* system.tell(node, { _tag: "AgentStopping", at: yield* Clock.currentTimeMillis, reason } as never)
    // Others may be writing too: the head says nothing.
    while ((system.state(node) as NodeState | undefined)?.stopped !== true) yield* Effect.sleep(stopLookPeriod)
    yield* SubscriptionRef.changes(report).pipe(
      Stream.takeUntilEffect(({ connected, published }) =>
        Effect.map(journal.head, ({ sequence }) => !connected || (published ?? 0) >= sequence)
      ),
      Stream.runDrain
    )
  })

/** Runs the agent until a signal or a fatal error; answers the exit code. */
export const runAgent = async (options: AgentOptions): Promise<number> => {
  const threshold: LogThreshold = { level: options.logLevel }
  const exit = await Effect.runPromiseExit(
    agent(options, threshold).pipe(
      Effect.tapCause((cause) => {
        const error = Cause.squash(cause)
        return Effect.logFatal(error instanceof Error ? error.message : String(error))
      }),
      Effect.provide(logLayer(options.logFormat, threshold))
    )
  )
  return Exit.isSuccess(exit) ? 0 : 1
}
