/**
 * The agent: ties live adapters, the journal and the behaviours of all actors together, runs until a signal or a fatal
 * failure, and answers the exit code. Together with main.ts and the other agent-….ts the only place that knows live code of every room.
 */
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { Cause, Clock, Context, Duration, Effect, Exit, Layer, Result, Stream, SubscriptionRef } from "effect"
import { ApiSessions } from "./actors/api/sessions.ts"
import { type ActorServices, actorsOf } from "./actors/behaviors.ts"
import { deciders } from "./actors/deciders.ts"
import { grantsOf, ImageGrants } from "./actors/image/grants.ts"
import { knownFlags } from "./actors/kernel/flags.ts"
import { type ActorSystemShape, makeActorSystem } from "./actors/kernel/system.ts"
import { LogRotation } from "./actors/log/settings.ts"
import { Admission } from "./actors/node/admission.ts"
import { Reopening } from "./actors/node/reopening.ts"
import { Retention } from "./actors/node/retention.ts"
import { TierHints } from "./actors/node/tier-hints.ts"
import type { NodeFacts as PodFacts } from "./actors/pod/node-facts.ts"
import { Pods } from "./actors/pod/pods.ts"
import { safeSysctls } from "./actors/pod/security/sysctls.ts"
import { userNamespaceIds } from "./actors/pod/security/user-namespace-ids.ts"
import { PodSettings } from "./actors/pod/settings.ts"
import type { PodState } from "./actors/pod/state.ts"
import { RuntimeView } from "./actors/runtime/features.ts"
import type { RuntimeState } from "./actors/runtime/state.ts"
import { ServiceTable, type Table } from "./actors/service/table.ts"
import { Placements } from "./actors/source/placements.ts"
import { PublisherStatus } from "./actors/stream/status.ts"
import { layer as cgroupsLayer } from "./adapters/cgroupfs/live.ts"
import { Cgroups } from "./adapters/cgroupfs/port.ts"
import { isSystemdBooted, notBooted } from "./adapters/cgroupfs/systemd.ts"
import { make as makeCredentials } from "./adapters/credentials/live.ts"
import { defaultNodeFiles, namedNodeFile } from "./adapters/credentials/node-file.ts"
import { Credentials } from "./adapters/credentials/port.ts"
import { CriRuntime } from "./adapters/cri/live.ts"
import { ContainerRuntime } from "./adapters/cri/port.ts"
import { layer as fileSystemsLayer } from "./adapters/filesystems/live.ts"
import { FileSystems } from "./adapters/filesystems/port.ts"
import { layer as hostLayer } from "./adapters/host/live.ts"
import { Host } from "./adapters/host/port.ts"
import { layer as logsLayer } from "./adapters/logs/live.ts"
import { layer as manifestsLayer } from "./adapters/manifests/live.ts"
import { Manifests } from "./adapters/manifests/port.ts"
import type { NodeMetrics } from "./adapters/metrics/node-metrics.ts"
import { Meters } from "./adapters/metrics/port.ts"
import { layerLive as natsLayer } from "./adapters/nats/live.ts"
import { EventStream } from "./adapters/nats/port.ts"
import { layer as proberLayer } from "./adapters/probing/live.ts"
import { layer as volumesLayer } from "./adapters/volumes/live.ts"
import { Volumes } from "./adapters/volumes/port.ts"
import { startApi } from "./agent-api.ts"
import { liveConfiguration } from "./agent-configuration.ts"
import { evictionLayer, pressureLayer } from "./agent-eviction.ts"
import { MetricsTold, makeAgentMetrics, tellMetrics } from "./agent-metrics.ts"
import { buildNodeServices } from "./agent-node.ts"
import { startOtel } from "./agent-otel.ts"
import { buildServices, seedServices, withServices } from "./agent-services.ts"
import { statusServices } from "./agent-status.ts"
import { type LogThreshold, logEvents, logLayer } from "./cli/agent-log.ts"
import type { AgentOptions } from "./cli/agent-options.ts"
import { restartPeriodOf } from "./cli/agent-settings.ts"
import { journalPath } from "./cli/journal-path.ts"
import { hostProblem, nodeOffer, nodeResources, reservationProblem } from "./cli/node-offer.ts"
import { version } from "./cli/version.ts"
import { actorId, nodeSubjects, nodeToken } from "./events/actor-id.ts"
import { Journal } from "./events/journal/port.ts"
import { SqliteJournal } from "./events/journal/sqlite.ts"
import { armedJournal, armedRuntime, armedStream, armedVolumes } from "./failpoints.ts"

/** What a good stop may take: the last events to be written and published. */
const stopTimeout = Duration.seconds(5)
/** What asking the runtime for its cgroup driver may take at the start; without an answer the configuration counts. */
const driverTimeout = Duration.seconds(2)

const journalLayer = (options: AgentOptions, metrics: NodeMetrics) =>
  Layer.effect(
    Journal,
    Effect.map(Journal, (journal) => metrics.journal(armedJournal(journal)))
  ).pipe(
    Layer.provide(
      SqliteJournal.layer({
        path: journalPath(options.dataDir),
        node: options.nodeName,
        durability: options.durability
      })
    )
  )

const runtimeLayer = (options: AgentOptions, metrics: NodeMetrics) =>
  Layer.effect(
    ContainerRuntime,
    Effect.map(ContainerRuntime, (runtime) => metrics.runtime(armedRuntime(runtime)))
  ).pipe(
    Layer.provide(CriRuntime.layer({ endpoint: options.cri, deadlines: { request: options.runtimeRequestTimeout } }))
  )

const registryLayer = ({ dataDir, registry }: AgentOptions) =>
  Layer.effect(
    Credentials,
    Effect.map(Manifests, ({ objects }) =>
      makeCredentials({
        files:
          registry.config === undefined
            ? defaultNodeFiles(dataDir, process.env.HOME)
            : registry.config === "none"
              ? []
              : [namedNodeFile(registry.config)],
        isFileNamed: registry.config !== undefined,
        providers: registry.providers,
        readSecret: objects.secret
      })
    )
  )

const streamLayer = (options: AgentOptions): Layer.Layer<EventStream> | undefined => {
  if (options.nats === undefined) return undefined
  const settings = {
    name: `CHRONODE_${nodeToken(options.nodeName)}`,
    subjects: [nodeSubjects(options.nodeName)],
    ...options.stream,
    denyDelete: true
  }
  return Layer.effect(EventStream, Effect.map(EventStream, armedStream)).pipe(
    Layer.provide(natsLayer(options.nats, settings))
  )
}

/** How large the file system of the pods' directories is; nothing where it does not tell. */
const storageOf = (directory: string) =>
  Effect.gen(function* () {
    const { usage } = yield* FileSystems
    const found = yield* Effect.result(usage(directory))
    return Result.isSuccess(found) ? { storage: found.success.capacity } : {}
  })

/** Whether containers may swap, and what there is of it. */
const swapOf = ({ memorySwap }: AgentOptions["kubelet"]) =>
  Effect.gen(function* () {
    if (memorySwap.swapBehavior !== "LimitedSwap") return {}
    const { readText } = yield* Host
    const kib = /^SwapTotal:\s+(\d+) kB$/mu.exec(yield* Effect.orDie(readText("/proc/meminfo")))?.[1] ?? "0"
    return { swapBehavior: "LimitedSwap", swapCapacity: Number(kib) * 1024 } as const
  })

/** What pods are told of this node: facts of the host, the configuration, and the runtime's own cgroup driver. */
const podSettings = (options: AgentOptions) =>
  Layer.effect(
    PodSettings,
    Effect.gen(function* () {
      const host = yield* Host
      const runtime = yield* ContainerRuntime
      const { facts } = host
      const { pods } = options
      const driver = yield* runtime.cgroupDriver.pipe(
        Effect.timeout(driverTimeout),
        Effect.catch(() => Effect.succeed(pods.cgroupDriver))
      )
      if (driver === "systemd" && pods.cgroupsPerQOS && !isSystemdBooted())
        return yield* Effect.die(new Error(notBooted))
      const unfit = hostProblem(options.kubelet, facts.cgroupVersion, yield* Effect.orDie(host.readText("/proc/swaps")))
      if (unfit !== undefined) return yield* Effect.die(new Error(unfit))
      const machine = { ...facts, ...(yield* storageOf(options.dataDir)) }
      const overReserved = reservationProblem(options.kubelet, machine)
      if (overReserved !== undefined) return yield* Effect.die(new Error(overReserved))
      const { capacity, allocatable, enforced, reservedTiers } = nodeResources(options.kubelet, machine)
      const resolvConf = pods.resolvConf === "" ? undefined : yield* Effect.orDie(host.readText(pods.resolvConf))
      const podFacts: PodFacts = {
        nodeName: options.nodeName,
        podLogsDir: options.podLogsDir,
        ...(options.containerLogsDir === undefined ? {} : { containerLogsDir: options.containerLogsDir }),
        rootDir: options.dataDir,
        cgroupDriver: driver,
        cgroupRoot: pods.cgroupRoot,
        cgroupsPerQos: pods.cgroupsPerQOS,
        podPidsLimit: pods.podPidsLimit,
        enforceCpuLimits: pods.cpuCFSQuota,
        quotaPeriod: pods.cpuCFSQuotaPeriod * 1000,
        ...(pods.singleProcessOOMKill === undefined ? {} : { singleProcessOomKill: pods.singleProcessOOMKill }),
        cgroupVersion: facts.cgroupVersion === "v2" ? "v2" : "v1",
        memoryCapacity: facts.memoryCapacity,
        hugePageSizes: facts.hugePageSizes,
        swapAccounting: facts.swapAccounting,
        ...(yield* swapOf(options.kubelet)),
        selinux: facts.selinux,
        appArmor: facts.appArmor,
        seccompDefault: pods.seccompDefault,
        sysctls: [...safeSysctls(facts.kernel), ...pods.allowedUnsafeSysctls],
        maskedPaths: facts.thermalPaths,
        clusterDns: pods.clusterDNS,
        clusterDomain: pods.clusterDomain,
        ...(resolvConf === undefined ? {} : { resolvConf }),
        nodeIps: facts.addresses
      }
      return PodSettings.of({
        facts: podFacts,
        capacity,
        allocatable,
        offer: nodeOffer(options.nodeName, machine, { allocatable }),
        podsAllocatable: enforced,
        reservedTiers,
        userNamespaces: yield* userNamespaceIds(pods.idsPerPod, pods.maxPods),
        runtimeHandler: "",
        get maxContainerRestartPeriodSeconds() {
          return restartPeriodOf(options.kubelet) / 1000
        }
      })
    })
  )

/** Sandboxes of others on the same runtime are met with every relist: what the journal does not know is asked for once a minute. */
const strangerMillis = 60_000
/** Strangers that are remembered. */
const maxStrangers = 10_000

const everRan = (journal: Journal["Service"]): Pods["Service"]["everRan"] => {
  const strangers = new Map<string, number>()
  return (uid) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      if (now - (strangers.get(uid) ?? Number.NEGATIVE_INFINITY) < strangerMillis) return false
      const rows = yield* Effect.orDie(Stream.runCollect(journal.read({ correlation: uid, limit: 1 })))
      if (rows.length > 0) return true
      if (strangers.size >= maxStrangers) strangers.clear()
      strangers.set(uid, now)
      return false
    })
}

/** Checkpoints that wait for one write of the journal: a node may have 100,000 actors. */
const checkpointsAtOnce = 256

/** Services that look at the actors, made before there are any: they see them through `current`. */
const lookLayer = (options: AgentOptions, current: { system: ActorSystemShape | undefined }) =>
  Layer.mergeAll(
    Layer.succeed(RuntimeView, {
      state: () => current.system?.actors("runtime")[0]?.state as RuntimeState | undefined
    }),
    pressureLayer(current),
    Layer.succeed(ImageGrants, { now: () => grantsOf(current.system?.actors("image") ?? []) }),
    Layer.effect(
      Pods,
      Effect.map(Journal, (journal) =>
        Pods.of({
          // What an earlier life of the agent ran is nobody's concern where no pods are run.
          all: () =>
            (options.manifests === undefined ? [] : (current.system?.actors("pod") ?? [])).map(({ id, state }) => ({
              id,
              state: state as PodState
            })),
          everRan: everRan(journal)
        })
      )
    ),
    Layer.effect(
      Retention,
      Effect.map(PublisherStatus, ({ report }) =>
        Retention.of({
          policy: { maxAge: options.retention.maxAgeSeconds * 1000, maxBytes: options.retention.maxBytes },
          published:
            options.nats === undefined
              ? Effect.succeed(Number.MAX_SAFE_INTEGER)
              : Effect.map(SubscriptionRef.get(report), ({ published }) => published ?? 0),
          checkpointAll: Effect.suspend(() => {
            const { system } = current
            if (system === undefined) return Effect.void
            const ids = [...deciders.keys()].flatMap((kind) => system.actors(kind).map(({ id }) => id))
            return Effect.forEach(ids, (id) => system.checkpoint(id), { discard: true, concurrency: checkpointsAtOnce })
          })
        })
      )
    )
  )

/** What every node has, whatever it is there for. */
const buildBase = (options: AgentOptions, current: { system: ActorSystemShape | undefined }, metrics: NodeMetrics) =>
  Layer.build(
    lookLayer(options, current).pipe(
      Layer.provideMerge(
        Layer.mergeAll(
          journalLayer(options, metrics),
          hostLayer(options.nodeName),
          Admission.layer,
          ApiSessions.layer,
          TierHints.layer,
          Layer.effect(Cgroups, Effect.map(Cgroups, metrics.cgroups)).pipe(Layer.provide(cgroupsLayer())),
          Reopening.layer,
          PublisherStatus.layer,
          streamLayer(options) ?? Layer.empty
        )
      )
    )
  )

/** What pods need, over that. */
const podLayers = (options: AgentOptions, directory: string, table: Table | undefined, metrics: NodeMetrics) => {
  const declared = manifestsLayer({
    directory,
    nodeName: options.nodeName,
    keyFile: join(options.dataDir, "fingerprint.key"),
    fileCheckMillis: options.fileCheckFrequency
  })
  const adapters = Layer.mergeAll(
    runtimeLayer(options, metrics),
    table === undefined
      ? declared
      : Layer.effect(
          Manifests,
          Effect.map(Manifests, (manifests) => withServices(manifests, table))
        ).pipe(Layer.provide(declared)),
    Layer.effect(
      Volumes,
      Effect.map(Volumes, (volumes) => metrics.volumes(armedVolumes(volumes)))
    ).pipe(Layer.provide(volumesLayer({ rootDir: options.dataDir }))),
    logsLayer,
    Layer.succeed(LogRotation, LogRotation.make(options.logRotation))
  )
  return Placements.layer.pipe(
    Layer.provideMerge(
      Layer.mergeAll(podSettings(options).pipe(Layer.provide(fileSystemsLayer)), proberLayer, registryLayer(options))
    ),
    Layer.provideMerge(adapters)
  )
}

/** A node without pods makes no cgroups for them. */
const noPods = (options: AgentOptions) =>
  Effect.map(Host, ({ facts }) =>
    Context.make(
      PodSettings,
      PodSettings.of({
        facts: {
          nodeName: options.nodeName,
          podLogsDir: options.podLogsDir,
          rootDir: options.dataDir,
          cgroupDriver: "cgroupfs",
          cgroupsPerQos: false,
          cgroupVersion: facts.cgroupVersion === "v2" ? "v2" : "v1",
          memoryCapacity: facts.memoryCapacity,
          hugePageSizes: facts.hugePageSizes,
          swapAccounting: facts.swapAccounting,
          clusterDns: [],
          clusterDomain: ""
        },
        runtimeHandler: "",
        maxContainerRestartPeriodSeconds: restartPeriodOf(options.kubelet) / 1000
      })
    )
  )

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

const agent = (given: AgentOptions, threshold: LogThreshold) =>
  Effect.gen(function* () {
    const { options, follow } = liveConfiguration(given, threshold)
    const current: { system: ActorSystemShape | undefined } = { system: undefined }
    for (const { level, message } of options.remarks) {
      yield* level === "warn" ? Effect.logWarning(message) : Effect.logDebug(message)
    }
    mkdirSync(join(options.dataDir, "pods"), { recursive: true, mode: 0o750 })
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

/** The last event is written, and published where the stream can be reached. */
const stop = (system: ActorSystemShape, node: ReturnType<typeof actorId>, reason: string) =>
  Effect.gen(function* () {
    const journal = yield* Journal
    const { report } = yield* PublisherStatus
    const before = yield* journal.head
    yield* system.tell(node, { _tag: "AgentStopping", at: yield* Clock.currentTimeMillis, reason } as never)
    const head = yield* journal.awaitBeyond(before.sequence)
    yield* SubscriptionRef.changes(report).pipe(
      Stream.takeUntil(({ connected, published }) => !connected || (published ?? 0) >= head.sequence),
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
