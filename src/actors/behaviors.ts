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
import { makeImageBehavior } from "./image/behavior.ts"
import type { ImageGrants } from "./image/grants.ts"
import { defaultImageOptions, type ImageOptions } from "./image/pull-limits.ts"
import type { AnyBehavior } from "./kernel/behavior.ts"
import { logBehavior } from "./log/behavior.ts"
import type { LogRotation } from "./log/settings.ts"
import type { Admission } from "./node/admission.ts"
import { nodeBehavior } from "./node/behavior.ts"
import type { Retention } from "./node/retention.ts"
import type { TierHints } from "./node/tier-hints.ts"
import { podBehavior } from "./pod/behavior.ts"
import type { Pods } from "./pod/pods.ts"
import type { PodSettings } from "./pod/settings.ts"
import { probeBehavior } from "./probe/behavior.ts"
import { runtimeBehavior } from "./runtime/behavior.ts"
import type { RuntimeView } from "./runtime/features.ts"
import { runtimeActor } from "./runtime/observer.ts"
import { manifestSource, sourceBehavior } from "./source/behavior.ts"
import type { Placements } from "./source/placements.ts"
import { streamActor, streamBehavior } from "./stream/behavior.ts"
import { streamDecider } from "./stream/decider.ts"
import type { PublisherStatus } from "./stream/status.ts"
import { volumeBehavior } from "./volume/behavior.ts"

/** What the actors of a node need from outside; `EventStream` only where it publishes. */
export type ActorServices =
  | Admission
  | Cgroups
  | ContainerLogs
  | ContainerRuntime
  | Credentials
  | EventStream
  | Host
  | ImageGrants
  | Journal
  | LogRotation
  | Manifests
  | Placements
  | PodSettings
  | Pods
  | Prober
  | PublisherStatus
  | Retention
  | TierHints
  | RuntimeView
  | Volumes

/** `publishes`: without a stream its actor only keeps its state. */
export const actorsOf = (node: string, publishes: boolean, images: ImageOptions = defaultImageOptions) => {
  const behaviors = [
    nodeBehavior,
    sourceBehavior,
    runtimeBehavior,
    makeImageBehavior(images),
    podBehavior,
    probeBehavior,
    volumeBehavior,
    logBehavior,
    publishes ? streamBehavior : streamDecider
  ]
  const roots: ReadonlyArray<ActorId> = [
    actorId("node", "", node),
    runtimeActor,
    manifestSource,
    ...(publishes ? [streamActor] : [])
  ]
  return { behaviors: behaviors as unknown as ReadonlyArray<AnyBehavior<ActorServices>>, roots }
}
