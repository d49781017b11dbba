/** All behaviours of a node, and the actors that are there from the start. */

import type { Cgroups } from "../adapters/cgroupfs/port.ts"
import type { Credentials } from "../adapters/credentials/port.ts"
import type { ContainerRuntime } from "../adapters/cri/port.ts"
import type { Host } from "../adapters/host/port.ts"
import type { ContainerLogs } from "../adapters/logs/port.ts"
import type { Manifests } from "../adapters/manifests/port.ts"
import type { EventStream } from "../adapters/nats/port.ts"
import type { Prober } from "../adapters/probing/port.ts"
import type { Volumes } from "../adapters/volumes/port.ts"
import { type ActorId, actorId } from "../events/actor-id.ts"
import type { Journal } from "../events/journal/port.ts"
import { apiBehavior } from "./api/behavior.ts"
import { apiServer } from "./api/identity.ts"
import type { ApiSessions } from "./api/sessions.ts"
import { deciders } from "./deciders.ts"
import { endpointBehavior } from "./endpoint/behavior.ts"
import type { EvictionNeeds } from "./eviction/behavior.ts"
import { evictionBehavior } from "./eviction/behavior.ts"
import { evictionActor } from "./eviction/identity.ts"
import { makeImageBehavior } from "./image/behavior.ts"
import type { ImageGrants } from "./image/grants.ts"
import { defaultImageOptions, type ImageOptions } from "./image/pull-limits.ts"
import type { AnyBehavior } from "./kernel/behavior.ts"
import { logBehavior } from "./log/behavior.ts"
import type { LogRotation } from "./log/settings.ts"
import type { Admission } from "./node/admission.ts"
import { nodeBehavior } from "./node/behavior.ts"
import type { Reopening } from "./node/reopening.ts"
import type { Retention } from "./node/retention.ts"
import type { TierHints } from "./node/tier-hints.ts"
import { podBehavior } from "./pod/behavior.ts"
import type { Pods } from "./pod/pods.ts"
import type { PodSettings } from "./pod/settings.ts"
import { probeBehavior } from "./probe/behavior.ts"
import { proxyBehavior } from "./proxy/behavior.ts"
import { proxyActor } from "./proxy/identity.ts"
import type { SyncNeeds } from "./proxy/sync.ts"
import { runtimeBehavior } from "./runtime/behavior.ts"
import type { RuntimeView } from "./runtime/features.ts"
import { runtimeActor } from "./runtime/identity.ts"
import type { ImageGc } from "./runtime/image-survey.ts"
import type { OomWitness } from "./runtime/oom-witness.ts"
import type { RuntimeReach } from "./runtime/reach.ts"
import { serviceBehavior } from "./service/behavior.ts"
import type { ServicesNeeds } from "./service/observer.ts"
import { makeSourceBehavior, manifestSource, serviceSource } from "./source/behavior.ts"
import type { Placements } from "./source/placements.ts"
import type { Statistics } from "./statistics/statistics.ts"
import { streamActor, streamBehavior } from "./stream/behavior.ts"
import { streamDecider } from "./stream/decider.ts"
import type { PublisherStatus } from "./stream/status.ts"
import { volumeBehavior } from "./volume/behavior.ts"

/** What the actors of a node need from outside, each only where the node has a part for it. */
export type ActorServices =
  | Admission
  | ApiSessions
  | Cgroups
  | ContainerLogs
  | ContainerRuntime
  | Credentials
  | EventStream
  | EvictionNeeds
  | Host
  | ImageGc
  | ImageGrants
  | Journal
  | LogRotation
  | Manifests
  | OomWitness
  | Placements
  | PodSettings
  | Pods
  | Prober
  | PublisherStatus
  | Reopening
  | Retention
  | TierHints
  | RuntimeReach
  | RuntimeView
  | ServicesNeeds
  | Statistics
  | SyncNeeds
  | Volumes

/** What a node is there for. */
export interface NodeParts {
  /** Without a stream its actor only keeps its state. */
  readonly publishes: boolean
  /** Pods of a directory of manifests. */
  readonly runsPods: boolean
  /** Pods go for the node's sake; absent: they do not. */
  readonly evictsPods?: boolean
  readonly servesServices: boolean
}

export const podsAlone: NodeParts = { publishes: true, runsPods: true, servesServices: false }

// biome-ignore lint/suspicious/noExplicitAny: see AnyBehavior
type AnyActor = AnyBehavior<any>

/** An actor of an earlier life of the agent that has no part in this one: it keeps its state, and does nothing. */
const atRest = (decider: object): AnyActor => ({ ...decider, timers: () => [] }) as unknown as AnyActor

export const actorsOf = (
  node: string,
  { publishes, runsPods, servesServices, evictsPods = false }: NodeParts,
  images: ImageOptions = defaultImageOptions
) => {
  const podActors = [
    makeImageBehavior(images),
    podBehavior,
    probeBehavior,
    volumeBehavior,
    logBehavior,
    runtimeBehavior
  ]
  const serviceActors = [proxyBehavior, serviceBehavior, endpointBehavior]
  const sources = [...(runsPods ? [manifestSource] : []), ...(servesServices ? [serviceSource] : [])]
  const behaviors = [
    nodeBehavior,
    apiBehavior,
    makeSourceBehavior(sources),
    ...(runsPods ? podActors : podActors.map(({ kind }) => atRest(deciders.get(kind)!))),
    ...(servesServices ? serviceActors : serviceActors.map(({ kind }) => atRest(deciders.get(kind)!))),
    evictsPods ? evictionBehavior : atRest(deciders.get("eviction")!),
    publishes ? streamBehavior : streamDecider
  ]
  const roots: ReadonlyArray<ActorId> = [
    actorId("node", "", node),
    apiServer(node),
    ...(runsPods ? [runtimeActor] : []),
    ...(evictsPods ? [evictionActor] : []),
    ...sources,
    ...(servesServices ? [proxyActor] : []),
    ...(publishes ? [streamActor] : [])
  ]
  return { behaviors: behaviors as unknown as ReadonlyArray<AnyBehavior<ActorServices>>, roots }
}
