/**
 * A whole node in memory under a virtual clock: every actor as in the real agent, on adapters that live in memory and
 * pass the same contract suites as the live ones. What a person or the world does goes in by the strings; what happened
 * comes out as events.
 */

import { Clock, Context, Effect, Layer, Result, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ApiSessions } from "../../src/actors/api/sessions.ts"
import { type ActorServices, actorsOf, podsAlone } from "../../src/actors/behaviors.ts"
import { deciders } from "../../src/actors/deciders.ts"
import { evictionActor } from "../../src/actors/eviction/identity.ts"
import { NodePressure, pressureOf } from "../../src/actors/eviction/pressure.ts"
import type { EvictionSettings, EvictionState } from "../../src/actors/eviction/state.ts"
import { imageGcPolicy } from "../../src/actors/image/garbage.ts"
import { grantsOf, ImageGrants } from "../../src/actors/image/grants.ts"
import { type Flags, knownFlags } from "../../src/actors/kernel/flags.ts"
import { type ActorSystemShape, makeActorSystem } from "../../src/actors/kernel/system.ts"
import { defaultLogRotation, LogRotation } from "../../src/actors/log/settings.ts"
import { Admission } from "../../src/actors/node/admission.ts"
import { Reopening } from "../../src/actors/node/reopening.ts"
import { Retention, type RetentionPolicy } from "../../src/actors/node/retention.ts"
import { NodeLook, NodeSettings } from "../../src/actors/node/settings.ts"
import type { PriorityGrace } from "../../src/actors/node/shutdown-groups.ts"
import type { NodeState } from "../../src/actors/node/state.ts"
import { TierHints } from "../../src/actors/node/tier-hints.ts"
import type { NodeOffer } from "../../src/actors/pod/admission/node-room.ts"
import { Pods } from "../../src/actors/pod/pods.ts"
import { PodSettings } from "../../src/actors/pod/settings.ts"
import type { PodState } from "../../src/actors/pod/state.ts"
import { RuntimeView } from "../../src/actors/runtime/features.ts"
import { runtimeActor } from "../../src/actors/runtime/identity.ts"
import { ImageGc } from "../../src/actors/runtime/image-survey.ts"
import { layer as nodeReclaimLayer } from "../../src/actors/runtime/node-reclaim.ts"
import { makeOomWitness, OomWitness } from "../../src/actors/runtime/oom-witness.ts"
import { RuntimeReach } from "../../src/actors/runtime/reach.ts"
import type { RuntimeState } from "../../src/actors/runtime/state.ts"
import type { Table } from "../../src/actors/service/table.ts"
import { manifestSource } from "../../src/actors/source/behavior.ts"
import { SourceLook } from "../../src/actors/source/look.ts"
import { Placements } from "../../src/actors/source/placements.ts"
import type { SourceState } from "../../src/actors/source/state.ts"
import { PublisherStatus } from "../../src/actors/stream/status.ts"
import { podViews } from "../../src/actors/views.ts"
import { makeMemoryCgroups } from "../../src/adapters/cgroupfs/memory.ts"
import { Cgroups } from "../../src/adapters/cgroupfs/port.ts"
import { makeMemoryStatistics } from "../../src/adapters/cgroupfs/statistics-memory.ts"
import { type GivenCredential, MemoryCredentials } from "../../src/adapters/credentials/memory.ts"
import { Credentials } from "../../src/adapters/credentials/port.ts"
import { withFaults } from "../../src/adapters/cri/fault.ts"
import { MemoryRuntime, type MemoryRuntimeOptions } from "../../src/adapters/cri/memory.ts"
import { ContainerRuntime } from "../../src/adapters/cri/port.ts"
import { makeMemoryHost } from "../../src/adapters/host/memory.ts"
import { Host } from "../../src/adapters/host/port.ts"
import type { MemoryTelemetry } from "../../src/adapters/http/memory.ts"
import { makeMemoryLogind } from "../../src/adapters/logind/memory.ts"
import { Logind } from "../../src/adapters/logind/port.ts"
import { LogsControl, layer as logsLayer } from "../../src/adapters/logs/memory.ts"
import { ManifestsControl, layer as manifestsLayer } from "../../src/adapters/manifests/memory.ts"
import { makeMemoryServer } from "../../src/adapters/nats/memory.ts"
import { defaultLimits } from "../../src/adapters/nats/port.ts"
import { ProberControl, layer as proberLayer } from "../../src/adapters/probing/memory.ts"
import { VolumesControl, layer as volumesLayer } from "../../src/adapters/volumes/memory.ts"
import { actorId, nodeSubjects } from "../../src/events/actor-id.ts"
import type { NodeEvent } from "../../src/events/catalogue.ts"
import { decodeLine } from "../../src/events/decode.ts"
import type { RecordedEvent } from "../../src/events/envelope.ts"
import { makeMemoryJournal } from "../../src/events/journal/memory.ts"
import { Journal, type JournalError } from "../../src/events/journal/port.ts"
import { makeSimulatedResources, resourcesLayer } from "./simulated-resources.ts"
import { makeServicesLife, makeServicesWorld } from "./simulated-services.ts"

export const simulatedImage = "registry.local/busybox:1"

/** A manifest of one container `app`. `container`, `spec`: further fields of each, as YAML. */
export const simulatedPod = (name: string, container = "", spec = ""): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 5
  ${spec}
  containers:
  - name: app
    image: ${simulatedImage}
    ${container}
`

export interface SimulationOptions {
  /** Of registries; none by default. */
  readonly credentials?: ReadonlyArray<GivenCredential>
  readonly runtime?: MemoryRuntimeOptions
  readonly recording?: "events" | "inputs"
  readonly retention?: RetentionPolicy
  /** Decision flags of the program that runs; default: all that there are. */
  readonly flags?: Flags
  /** What the node offers to pods; absent: no limit. */
  readonly offer?: NodeOffer
  /** Pods are evicted by these settings; absent: they are not. */
  readonly eviction?: EvictionSettings
  /** For want of disk the node gives back what its runtime does not need; else what a test says. */
  readonly reclaimsRuntime?: boolean
  /** Files of Services by name; absent: no Services are served. */
  readonly services?: Readonly<Record<string, string>>
  /** Groups of a graceful shutdown; absent: there is none. */
  readonly shutdown?: ReadonlyArray<PriorityGrace>
  /** Longest crash back-off; kubelet's 300. */
  readonly maxContainerRestartPeriodSeconds?: number
}

/** What outlives an agent: the disk, the runtime, the stream, the manifests. */
export const makeWorld = (options: SimulationOptions = {}) =>
  Effect.gen(function* () {
    const node = "sim"
    const { journal, control: journalControl } = yield* makeMemoryJournal({ node })
    const runtime = yield* MemoryRuntime.make({ images: [simulatedImage], ...options.runtime })
    const faulty = withFaults(runtime.runtime)
    const host = makeMemoryHost(node)
    const cgroups = makeMemoryCgroups()
    const memory = makeMemoryStatistics()
    const nats = makeMemoryServer({ name: `CHRONODE_${node}`, subjects: [nodeSubjects(node)], ...defaultLimits })
    const outside = yield* Layer.build(
      Layer.mergeAll(
        manifestsLayer({ nodeName: node }),
        volumesLayer,
        logsLayer,
        proberLayer,
        nats.layer,
        Layer.succeed(ContainerRuntime, faulty.runtime)
      )
    )
    const manifests = Context.get(outside, ManifestsControl)
    const events: Effect.Effect<ReadonlyArray<RecordedEvent>, JournalError> = Effect.map(
      Stream.runCollect(journal.read({})),
      (rows) =>
        rows.map((row) => {
          const decoded = decodeLine(row.line)
          if (Result.isFailure(decoded)) throw new Error(`${row.sequence}: ${decoded.failure.message}`)
          return decoded.success
        })
    )
    const resources =
      options.eviction === undefined ? undefined : makeSimulatedResources(options.eviction, options.reclaimsRuntime)
    const services = options.services === undefined ? undefined : yield* makeServicesWorld(options.services)
    return {
      node,
      options,
      services,
      /** What pods use, and what is left; only where pods are evicted. */
      resources,
      /** The disk of images, bytes; a test fills it. */
      imageDisk: { capacity: 100_000_000, available: 90_000_000 },
      journal,
      journalControl,
      runtime,
      /** What calls of the agent to the runtime suffer. */
      faults: faulty.faults,
      host,
      cgroups,
      /** What cgroups use, and which processes the kernel killed for want of memory. */
      memory,
      stream: nats.server,
      logind: yield* makeMemoryLogind(30_000),
      outside,
      manifests,
      logs: Context.get(outside, LogsControl),
      probes: Context.get(outside, ProberControl),
      volumes: Context.get(outside, VolumesControl),
      events
    }
  })
export type World = Effect.Success<ReturnType<typeof makeWorld>>

/** All events of one type so far, in the journal's order. */
export const eventsOf = <Tag extends NodeEvent["_tag"]>(world: World, tag: Tag) =>
  Effect.map(world.events, (events) =>
    events.flatMap(({ event }) => (event._tag === tag ? [event as Extract<NodeEvent, { readonly _tag: Tag }>] : []))
  )

export interface SimulatedAgent {
  readonly system: ActorSystemShape
  /** Only where Services are served. */
  readonly table: Table | undefined
  readonly telemetry: MemoryTelemetry | undefined
  /** Lets virtual time go by; everything that is due happens in it. */
  readonly pass: (seconds: number) => Effect.Effect<void>
  readonly status: (pod: string) => string | undefined
}

/** One life of the agent in this world; it ends with the scope, as suddenly as by SIGKILL. */
export const startAgent = (
  world: World,
  options: Pick<SimulationOptions, "flags"> & { readonly bootId?: string } = {}
): Effect.Effect<SimulatedAgent, JournalError, Scope.Scope> =>
  Effect.gen(function* () {
    const current: { system: ActorSystemShape | undefined } = { system: undefined }
    const { facts } = world.host.service
    const flags = options.flags ?? world.options.flags ?? knownFlags
    const inside = yield* Layer.build(
      Layer.mergeAll(
        Admission.layer,
        ApiSessions.layer,
        Reopening.layer,
        TierHints.layer,
        RuntimeReach.layer,
        PublisherStatus.layer
      )
    )
    const bare = world.outside.pipe(
      Context.merge(inside),
      Context.add(Journal, world.journal),
      Context.add(Host, world.host.service),
      Context.add(Cgroups, world.cgroups.service),
      Context.add(LogRotation, LogRotation.make(defaultLogRotation)),
      Context.add(
        PodSettings,
        PodSettings.of({
          facts: {
            nodeName: world.node,
            podLogsDir: "/var/log/pods",
            rootDir: "/var/lib/chronode",
            cgroupDriver: "cgroupfs",
            cgroupVersion: "v2",
            memoryCapacity: facts.memoryCapacity,
            hugePageSizes: [],
            swapAccounting: false,
            clusterDns: [],
            clusterDomain: ""
          },
          ...(world.options.offer === undefined ? {} : { offer: world.options.offer }),
          runtimeHandler: "",
          maxContainerRestartPeriodSeconds: world.options.maxContainerRestartPeriodSeconds ?? 300
        })
      ),
      Context.add(OomWitness, makeOomWitness(world.memory.service)),
      Context.add(NodeLook, { state: () => current.system?.actors("node")[0]?.state as NodeState | undefined }),
      Context.add(SourceLook, {
        files: () => (current.system?.state(manifestSource) as SourceState | undefined)?.files ?? {}
      }),
      Context.add(NodeSettings, {
        runsPods: true,
        statusPeriod: 10_000,
        machine: { machineId: "", systemUuid: "", osImage: "" },
        shutdown: () => world.options.shutdown ?? []
      }),
      Context.add(Logind, world.logind.service),
      Context.add(RuntimeView, {
        state: () => current.system?.actors("runtime")[0]?.state as RuntimeState | undefined
      }),
      Context.add(
        ImageGc,
        ImageGc.make(
          () => imageGcPolicy,
          Effect.sync(() => ({ ...world.imageDisk }))
        )
      ),
      Context.add(ImageGrants, { now: () => grantsOf(current.system?.actors("image") ?? []) }),
      Context.add(
        Pods,
        Pods.of({
          all: () => (current.system?.actors("pod") ?? []).map(({ id, state }) => ({ id, state: state as PodState })),
          everRan: (uid) =>
            Stream.runCollect(world.journal.read({ correlation: uid, limit: 1 })).pipe(
              Effect.map((rows) => rows.length > 0),
              Effect.orDie
            )
        })
      ),
      Context.add(NodePressure, {
        now: () => pressureOf(current.system?.state(evictionActor) as EvictionState | undefined)
      }),
      Context.add(Credentials, MemoryCredentials.make(world.options.credentials ?? [])),
      Context.add(
        Retention,
        Retention.of({
          policy: world.options.retention ?? { maxAge: 0, maxBytes: 0 },
          published: Effect.succeed(Number.MAX_SAFE_INTEGER),
          tooLarge: Effect.succeed([]),
          checkpointAll: Effect.suspend(() =>
            Effect.forEach(
              [...deciders.keys()].flatMap((kind) => current.system?.actors(kind).map(({ id }) => id) ?? []),
              (id) => current.system?.checkpoint(id) ?? Effect.void,
              { discard: true }
            )
          )
        })
      )
    )
    const resources =
      world.resources === undefined
        ? undefined
        : yield* Layer.build(
            resourcesLayer(world.resources, () =>
              (current.system?.actors("pod") ?? []).map(({ state }) => state as PodState)
            )
          )
    const reclaim =
      world.resources?.fromRuntime === true
        ? yield* Layer.build(
            nodeReclaimLayer((command) => current.system?.tell(runtimeActor, command) ?? Effect.void)
          ).pipe(Effect.provide(bare))
        : Context.empty()
    const served =
      world.services === undefined ? undefined : yield* makeServicesLife(world.services, world.node, current)
    const services = Context.merge(
      Context.merge(bare, yield* Layer.build(Placements.layer).pipe(Effect.provide(bare))),
      Context.merge(served?.context ?? Context.empty(), Context.merge(resources ?? Context.empty(), reclaim))
    ) as Context.Context<ActorServices>
    const { behaviors, roots } = actorsOf(world.node, {
      ...podsAlone,
      servesServices: served !== undefined,
      evictsPods: resources !== undefined
    })
    const system = yield* makeActorSystem(behaviors, { recording: world.options.recording ?? "events", flags }).pipe(
      Effect.provide(services)
    )
    current.system = system
    const recovered = yield* system.recover
    served?.seed(system)
    yield* system.tell(actorId("node", "", world.node), {
      _tag: "AgentStarted",
      at: yield* Clock.currentTimeMillis,
      version: "0.1.0",
      host: facts.host,
      kernel: facts.kernel,
      architecture: facts.architecture,
      cgroupVersion: "v2",
      bootId: options.bootId ?? facts.bootId,
      pid: 1,
      recording: world.options.recording ?? "events",
      flags: [...flags],
      recoveredEvents: recovered.events,
      recoveredActors: recovered.actors
    } as never)
    yield* system.start(roots)
    return {
      system,
      table: served?.table,
      telemetry: served?.telemetry,
      pass: (seconds) => pass(system, seconds),
      status: (pod) => podViews(system.actors("pod")).find((p) => `${p.namespace}/${p.name}` === pod)?.status
    }
  })

/** Steps small enough for what one thing leads to, one after another, within the time that goes by. Milliseconds. */
const step = 50

const pass = (system: ActorSystemShape, seconds: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    yield* settle(system)
    for (let left = Math.round(seconds * 1000); left > 0; left -= step) {
      yield* TestClock.adjust(Math.min(step, left))
      yield* settle(system)
    }
  })

/** Until nothing moves without the clock. Bounded: work that waits for the clock counts as busy. */
const settle = (system: ActorSystemShape): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let quiet = 0, turns = 0; quiet < 3 && turns < 50; turns++) {
      const before = system.counts()
      yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
      const after = system.counts()
      quiet = before.commands === after.commands && before.events === after.events ? quiet + 1 : 0
    }
  })

/** Runs a story in a simulated world, at a virtual time that begins on 2026-01-01. */
export const simulate = <A>(story: Effect.Effect<A, unknown, Scope.Scope>): Promise<A> =>
  Effect.runPromise(
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-01-01T00:00:00Z"))
      return yield* story
    }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.orDie) as Effect.Effect<A>
  )
