import { Clock, Effect, Layer, Stream, SubscriptionRef } from "effect"
import { ApiSessions } from "../actors/api/sessions.ts"
import { deciders } from "../actors/deciders.ts"
import { grantsOf, ImageGrants } from "../actors/image/grants.ts"
import type { ActorSystemShape } from "../actors/kernel/system.ts"
import { Admission } from "../actors/node/admission.ts"
import { Reopening } from "../actors/node/reopening.ts"
import { isTooLarge, Retention } from "../actors/node/retention.ts"
import { TierHints } from "../actors/node/tier-hints.ts"
import { Pods } from "../actors/pod/pods.ts"
import type { PodState } from "../actors/pod/state.ts"
import { RuntimeView } from "../actors/runtime/features.ts"
import { RuntimeReach } from "../actors/runtime/reach.ts"
import type { RuntimeState } from "../actors/runtime/state.ts"
import { PublisherStatus } from "../actors/stream/status.ts"
import { layer as cgroupsLayer } from "../adapters/cgroupfs/live.ts"
import { Cgroups } from "../adapters/cgroupfs/port.ts"
import { layer as hostLayer } from "../adapters/host/live.ts"
import type { NodeMetrics } from "../adapters/metrics/node-metrics.ts"
import { layerLive as natsLayer } from "../adapters/nats/live.ts"
import { EventStream } from "../adapters/nats/port.ts"
import { journalPath } from "../cli/event-log/journal-path.ts"
import type { AgentOptions } from "../cli/run/agent-options.ts"
import { actorPath, nodeSubjects, nodeToken } from "../events/actor-id.ts"
import { Journal } from "../events/journal/port.ts"
import { SqliteJournal } from "../events/journal/sqlite.ts"
import { armedJournal, armedStream } from "../failpoints.ts"
import { pressureLayer } from "./eviction.ts"

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

const living = ({ system }: { readonly system: ActorSystemShape | undefined }) =>
  [...deciders.keys()].flatMap((kind) => system?.actors(kind) ?? [])

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
          tooLarge: Effect.sync(() =>
            living(current)
              .filter(({ state }) => isTooLarge(state))
              .map(({ id }) => actorPath(id))
          ),
          checkpointAll: Effect.suspend(() => {
            const { system } = current
            if (system === undefined) return Effect.void
            const ids = living(current).flatMap(({ id, state }) => (isTooLarge(state) ? [] : [id]))
            return Effect.forEach(ids, (id) => system.checkpoint(id), { discard: true, concurrency: checkpointsAtOnce })
          })
        })
      )
    )
  )

/** What every node has, whatever it is there for. */
export const buildBase = (
  options: AgentOptions,
  current: { system: ActorSystemShape | undefined },
  metrics: NodeMetrics
) =>
  Layer.build(
    lookLayer(options, current).pipe(
      Layer.provideMerge(
        Layer.mergeAll(
          journalLayer(options, metrics),
          hostLayer(options.nodeName),
          Admission.layer,
          ApiSessions.layer,
          TierHints.layer,
          RuntimeReach.layer,
          Layer.effect(Cgroups, Effect.map(Cgroups, metrics.cgroups)).pipe(Layer.provide(cgroupsLayer())),
          Reopening.layer,
          PublisherStatus.layer,
          streamLayer(options) ?? Layer.empty
        )
      )
    )
  )
