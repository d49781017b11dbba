/** What each event does to a pod's state. Total: every event of the pod is handled, nothing is decided here. */

import type { EventsOf } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { podEvents } from "../../events/kinds/pod.ts"
import type { EphemeralContainer, PodSpec } from "../../events/pod-spec.ts"
import type { Decision } from "../kernel/decision.ts"
import { type ContainerEvent, evolveContainer } from "./evolve-container.ts"
import { evolveResize, isResizeEvent, type ResizeEvent } from "./evolve-resize.ts"
import { maximumDelay } from "./plan/backoff.ts"
import { isSidecar } from "./spec-extension.ts"
import {
  type Definition,
  emptyContainer,
  emptyEphemeral,
  emptyPod,
  failuresOf,
  type PodState,
  type SandboxInState,
  type VolumeInState
} from "./state.ts"

export type PodEvent = EventsOf<typeof podEvents> | ContainerEvent | ResizeEvent
/** A decision about a pod that is being made. */
export type PodDecision = Decision<PodState, PodEvent>

const withSandbox = (state: PodState, meta: EventMeta, change: Partial<SandboxInState>): PodState => ({
  ...state,
  because: meta.id,
  sandbox: state.sandbox === null ? null : { ...state.sandbox, because: meta.id, ...change }
})

const withVolume = (state: PodState, name: string, meta: EventMeta, change: Partial<VolumeInState>): PodState => ({
  ...state,
  because: meta.id,
  volumes: state.volumes.map((v) => (v.name === name ? { ...v, ...change } : v))
})

const definitionOf = (
  event: Extract<
    PodEvent,
    { readonly _tag: "PodAdmitted" | "PodReplacementQueued" | "PodPreemptionDecided" | "PodHeld" }
  >,
  meta: EventMeta
): Definition => ({
  pod: event.pod,
  source: event.source,
  qosClass: event.qosClass,
  maxRestartPeriodSeconds: event.maxRestartPeriodSeconds ?? maximumDelay / 1000,
  ...(event.userNamespace === undefined ? {} : { userNamespace: event.userNamespace }),
  ...(event.runtimeHandler === undefined ? {} : { runtimeHandler: event.runtimeHandler }),
  ...(event._tag === "PodReplacementQueued" && event.room !== undefined ? { room: event.room } : {}),
  ...(event._tag === "PodReplacementQueued" && event.hold !== undefined ? { hold: event.hold } : {}),
  because: meta.id
})

const withEphemeral = (definition: Definition, added: ReadonlyArray<EphemeralContainer>): Definition => {
  const { pod } = definition
  const ephemeralContainers = [...(pod.spec.ephemeralContainers ?? []), ...added]
  return { ...definition, pod: { ...pod, spec: { ...pod.spec, ephemeralContainers } } }
}

const imageVolumesOf = (spec: PodSpec): Pick<PodState, "imageVolumes"> => {
  const imageVolumes = (spec.volumes ?? []).flatMap(({ name, image }) =>
    image === undefined ? [] : [{ name, image: image.reference, imageId: "" }]
  )
  return imageVolumes.length === 0 ? {} : { imageVolumes }
}

/** The image is there, or (empty) is gone again. Of all of them where no volume is named. */
const withVolumeImage = (state: PodState, name: string | undefined, imageId: string): PodState =>
  state.imageVolumes === undefined
    ? state
    : {
        ...state,
        imageVolumes: state.imageVolumes.map((v) => (name === undefined || v.name === name ? { ...v, imageId } : v))
      }

/** The runtime did not find an image: it may be that of a volume. */
const withoutImages = (state: PodState, event: PodEvent): PodState =>
  event._tag === "ContainerStartFailed" && event.imageMissing === true ? withVolumeImage(state, undefined, "") : state

const updated = (definition: Definition, event: Extract<PodEvent, { readonly _tag: "PodUpdated" }>): Definition => {
  const { metadata, spec } = definition.pod
  const { labels, annotations, activeDeadlineSeconds } = event
  return {
    ...definition,
    pod: {
      metadata: {
        ...metadata,
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations })
      },
      spec: { ...spec, ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }) }
    }
  }
}

const admitted = (state: PodState, definition: Definition, meta: EventMeta): PodState => {
  const { spec } = definition.pod
  return {
    ...emptyPod(state.name),
    definition,
    startTime: meta.time,
    because: meta.id,
    volumes: (spec.volumes ?? []).flatMap(({ name, image }) =>
      image === undefined ? [{ name, status: "requested", path: "" }] : []
    ),
    ...imageVolumesOf(spec),
    containers: [
      ...(spec.initContainers ?? []).map((c) => emptyContainer(c.name, true, isSidecar(c))),
      ...spec.containers.map((c) => emptyContainer(c.name, false)),
      ...(spec.ephemeralContainers ?? []).map((c) => emptyEphemeral(c.name))
    ]
  }
}

export const evolve = (state: PodState, event: PodEvent, meta: EventMeta): PodState => {
  switch (event._tag) {
    case "PodAdmitted":
      return admitted(state, definitionOf(event, meta), meta)
    case "PodRejected":
      return {
        ...state,
        because: meta.id,
        replacement: null,
        rejected: { uid: event.uid, reason: event.reason, message: event.message }
      }
    case "PodReplacementQueued":
      return {
        ...state,
        because: meta.id,
        replacement: definitionOf(event, meta)
      }
    case "PodReplacementDropped": {
      const { preempting: _, held: __, ...rest } = state
      return { ...rest, because: meta.id, replacement: null }
    }
    case "PodHeld": {
      const { reason, message } = event
      return {
        ...emptyPod(state.name),
        because: meta.id,
        replacement: definitionOf(event, meta),
        held: { reason, message, because: meta.id }
      }
    }
    case "PodShutDown": {
      const { message, gracePeriodSeconds } = event
      return {
        ...state,
        because: meta.id,
        failed: { reason: "Terminated", message, gracePeriodSeconds, because: meta.id }
      }
    }
    case "PodPreemptionDecided":
      return {
        ...emptyPod(state.name),
        because: meta.id,
        replacement: definitionOf(event, meta),
        preempting: { pods: event.preempted, because: meta.id }
      }
    case "PodPreempted":
      return {
        ...state,
        because: meta.id,
        failed: { reason: "Preempting", message: event.message, because: meta.id }
      }
    case "PodEvicted": {
      const { message, gracePeriodSeconds, disrupted } = event
      const failed = { reason: "Evicted", message, because: meta.id, gracePeriodSeconds }
      return { ...state, because: meta.id, failed: disrupted ? { ...failed, disrupted } : failed }
    }
    case "PodTerminationRequested":
      return {
        ...state,
        because: meta.id,
        termination: {
          reason: event.reason,
          gracePeriodSeconds: event.gracePeriodSeconds,
          at: millis(meta.time),
          because: meta.id
        }
      }
    case "PodDeadlineExceeded":
      return {
        ...state,
        because: meta.id,
        failed: { reason: "DeadlineExceeded", message: event.message, because: meta.id }
      }
    case "PodRestartRequested":
      return { ...state, because: meta.id, restarting: { because: meta.id } }
    case "PodContainersReset":
      return {
        ...state,
        because: meta.id,
        restarting: null,
        initialized: false,
        containers: state.containers.map((c) => (c.ephemeral === true ? c : { ...c, because: meta.id, again: true }))
      }
    case "PodUpdated":
      return {
        ...state,
        because: meta.id,
        definition: state.definition === null ? null : updated(state.definition, event)
      }
    case "EphemeralContainersAdded":
      return {
        ...state,
        because: meta.id,
        definition: state.definition === null ? null : withEphemeral(state.definition, event.containers),
        containers: [
          ...state.containers,
          ...event.containers.map(({ name }) => ({ ...emptyEphemeral(name), because: meta.id }))
        ]
      }
    case "EphemeralContainersDiffer": {
      const { removed, changed, refused } = event
      return { ...state, ephemeralDiffer: { removed, changed, refused } }
    }
    case "PodVolumeReady":
      return event.imageId === undefined
        ? withVolume(state, event.volume, meta, { status: "ready", path: event.path })
        : { ...withVolumeImage(state, event.volume, event.imageId), because: meta.id }
    case "PodVolumesReleased":
      return {
        ...state,
        because: meta.id,
        volumes: state.volumes.map((v) => (v.status === "removed" ? v : { ...v, status: "released" }))
      }
    case "PodVolumeRemoved":
      return withVolume(state, event.volume, meta, { status: "removed", path: "" })
    case "SandboxRequested":
      return {
        ...state,
        because: meta.id,
        initialized: false,
        // A new sandbox starts over from the first init container; crash counts and exits are kept.
        containers: state.containers.map((c) => (c.init && c.status === "exited" ? { ...c, status: "waiting" } : c)),
        sandbox: {
          status: "requested",
          attempt: event.attempt,
          sandboxId: "",
          ips: [],
          ...(state.sandbox?.hostIps === undefined ? {} : { hostIps: state.sandbox.hostIps }),
          createdAt: "",
          retry: state.sandbox?.status === "failed" ? state.sandbox.retry : null,
          because: meta.id
        }
      }
    case "PodCgroupCreated":
      return { ...state, because: meta.id, cgroup: { path: event.path, values: event.values } }
    case "PodCgroupLost": {
      const { cgroup: _, ...rest } = state
      return { ...rest, because: meta.id }
    }
    case "SandboxCreated":
      return withSandbox(state, meta, {
        status: "ready",
        sandboxId: event.sandboxId,
        attempt: event.attempt,
        ips: event.ips,
        ...(event.hostIps === undefined ? {} : { hostIps: event.hostIps }),
        createdAt: event.createdAt,
        retry: null
      })
    case "SandboxFailed":
      return withSandbox(state, meta, {
        status: "failed",
        retry: { failures: event.failures, at: millis(event.retryAt), because: meta.id }
      })
    case "SandboxLost":
      return withSandbox(state, meta, { status: "lost" })
    case "SandboxStopRequested":
      return withSandbox(state, meta, { status: "stopping", retry: null, ...failuresOf(event) })
    case "SandboxStopped":
      return withSandbox(state, meta, { status: "stopped", retry: null })
    case "PodCleanupRequested":
      return { ...state, because: meta.id, cleanup: { because: meta.id, retry: null, ...failuresOf(event) } }
    case "PodOperationFailed": {
      const retry = { failures: event.failures, at: millis(event.retryAt), because: meta.id }
      if (event.operation === "StopSandbox") return withSandbox(state, meta, { retry })
      if (event.operation === "Cleanup") {
        return { ...state, because: meta.id, cleanup: state.cleanup === null ? null : { ...state.cleanup, retry } }
      }
      return {
        ...state,
        because: meta.id,
        containers: state.containers.map((c) =>
          c.containerId === event.containerId && c.kill !== null ? { ...c, kill: { ...c.kill, retry } } : c
        )
      }
    }
    case "PodPhaseChanged":
      return { ...state, because: meta.id, phase: event.to }
    case "PodConditionChanged":
      return {
        ...state,
        because: meta.id,
        conditions: {
          ...state.conditions,
          [event.condition]: {
            status: event.status,
            reason: event.reason,
            message: event.message,
            since: event.since ?? meta.time
          }
        }
      }
    case "PodRemoved":
      // What waited for the end comes in by an event of its own, in the same decision.
      return { ...emptyPod(state.name), replacement: state.replacement }
    default:
      return isResizeEvent(event)
        ? evolveResize(state, event, meta)
        : withoutImages(evolveContainer(state, event, meta), event)
  }
}
