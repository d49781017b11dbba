/** What each event does to a pod's state. Total: every event of the pod is handled, nothing is decided here. */

import type { EventsOf } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { containerEvents } from "../../events/kinds/container.ts"
import type { podEvents } from "../../events/kinds/pod.ts"
import type { Decision } from "../kernel/decision.ts"
import { type BackOff, type BackOffPolicy, grow, maximumDelay } from "./backoff.ts"
import { isSidecar } from "./spec-extension.ts"
import {
  type ContainerInState,
  crashPolicy,
  type Definition,
  type Exit,
  emptyContainer,
  emptyPod,
  type PodState,
  type SandboxInState,
  type VolumeInState
} from "./state.ts"

export type PodEvent = EventsOf<typeof podEvents> | EventsOf<typeof containerEvents>
/** A decision about a pod that is being made. */
export type PodDecision = Decision<PodState, PodEvent>

const withContainer = (
  state: PodState,
  name: string,
  meta: EventMeta,
  change: (container: ContainerInState) => Partial<ContainerInState>
): PodState => ({
  ...state,
  because: meta.id,
  containers: state.containers.map((c) => (c.name === name ? { ...c, because: meta.id, ...change(c) } : c))
})

/** The same for what does not move a container on: its next step is caused by something else. */
const remark = (
  state: PodState,
  name: string,
  meta: EventMeta,
  change: (container: ContainerInState) => Partial<ContainerInState>
): PodState => withContainer(state, name, meta, (c) => ({ because: c.because, ...change(c) }))

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
  event: Extract<PodEvent, { readonly _tag: "PodAdmitted" | "PodReplacementQueued" }>,
  meta: EventMeta
): Definition => ({
  pod: event.pod,
  source: event.source,
  qosClass: event.qosClass,
  maxRestartPeriodSeconds: event.maxRestartPeriodSeconds ?? maximumDelay / 1000,
  because: meta.id
})

const admitted = (state: PodState, definition: Definition, meta: EventMeta): PodState => {
  const { spec } = definition.pod
  return {
    ...emptyPod(state.name),
    definition,
    startTime: meta.time,
    because: meta.id,
    volumes: (spec.volumes ?? []).map((v) => ({ name: v.name, status: "requested", path: "" })),
    containers: [
      ...(spec.initContainers ?? []).map((c) => emptyContainer(c.name, true, isSidecar(c))),
      ...spec.containers.map((c) => emptyContainer(c.name, false))
    ]
  }
}

/** The row of restarts after one more, made at `at` (ms). */
const afterRestart = (policy: BackOffPolicy, crashes: BackOff | null, lastExit: Exit, at: number): BackOff =>
  grow(policy, crashes ?? undefined, millis(lastExit.finishedAt), at)

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
    case "PodReplacementDropped":
      return { ...state, because: meta.id, replacement: null }
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
        containers: state.containers.map((c) => ({ ...c, because: meta.id, again: true }))
      }
    case "PodVolumeReady":
      return withVolume(state, event.volume, meta, { status: "ready", path: event.path })
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
          createdAt: "",
          retry: state.sandbox?.status === "failed" ? state.sandbox.retry : null,
          because: meta.id
        }
      }
    case "SandboxCreated":
      return withSandbox(state, meta, {
        status: "ready",
        sandboxId: event.sandboxId,
        attempt: event.attempt,
        ips: event.ips,
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
      return withSandbox(state, meta, { status: "stopping", retry: null })
    case "SandboxStopped":
      return withSandbox(state, meta, { status: "stopped", retry: null })
    case "PodCleanupRequested":
      return { ...state, because: meta.id, cleanup: { because: meta.id, retry: null } }
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
          [event.condition]: { status: event.status, reason: event.reason, message: event.message, since: meta.time }
        }
      }
    case "PodRemoved":
      // What waited for the end comes in by an event of its own, in the same decision.
      return { ...emptyPod(state.name), replacement: state.replacement }
    case "ContainerImageReady":
      return withContainer(state, event.container, meta, (c) => ({
        imageId: event.imageId,
        // Only what the image was waited for is over.
        waiting: c.waiting !== null && /Image/u.test(c.waiting.reason) ? null : c.waiting
      }))
    case "ContainerWaiting":
      return withContainer(state, event.container, meta, () => ({
        waiting: { reason: event.reason, message: event.message }
      }))
    case "ContainerStartRequested":
      return withContainer(state, event.container, meta, (c) => ({
        status: "starting",
        attempt: event.attempt,
        sandboxId: event.sandboxId,
        containerId: "",
        waiting: null,
        kill: null,
        probes: {},
        ...(c.hooks === undefined ? {} : { hooks: {} }),
        backOff: null,
        // Kubelet counts a restart when it makes it; the first start counts nothing.
        crashes:
          c.lastExit === null ? c.crashes : afterRestart(crashPolicy(state), c.crashes, c.lastExit, millis(meta.time))
      }))
    case "ContainerCreated":
      return remark(state, event.container, meta, () => ({ containerId: event.containerId }))
    case "ContainerStarted": {
      const next = withContainer(state, event.container, meta, (c) => ({
        status: "running",
        ...(c.again === undefined ? {} : { again: false }),
        containerId: event.containerId,
        attempt: event.attempt,
        startedAt: event.startedAt,
        startedBecause: meta.id,
        waiting: null,
        startRetry: null
      }))
      const container = next.containers.find((c) => c.name === event.container)
      return container?.init === false ? { ...next, initialized: true } : next
    }
    case "ContainerStartFailed":
      return withContainer(state, event.container, meta, (c) => ({
        // What was before it stands: it never ran. Where nothing was created the attempt is free again.
        status: c.lastExit === null ? "waiting" : "exited",
        attempt: c.containerId === "" ? c.attempt - 1 : c.attempt,
        dead: c.containerId === "" ? c.dead : [...c.dead, c.containerId],
        waiting: { reason: event.reason, message: event.message },
        startRetry: { failures: (c.startRetry?.failures ?? 0) + 1, at: millis(event.retryAt), because: meta.id },
        imageId: event.imageMissing === true ? "" : c.imageId
      }))
    case "ContainerKillRequested":
      return withContainer(state, event.container, meta, () => ({
        status: "killing",
        kill: {
          reason: event.reason,
          message: event.message,
          gracePeriodSeconds: event.gracePeriodSeconds,
          at: millis(meta.time),
          because: meta.id,
          retry: null,
          ...(event.preStop === undefined ? {} : { preStop: event.preStop }),
          ...(event.after === undefined ? {} : { after: event.after })
        }
      }))
    case "ContainerStopRequested":
      return withContainer(state, event.container, meta, (c) => ({
        kill: c.kill === null ? null : { ...c.kill, signalled: true }
      }))
    case "ContainerHookStarted":
      return remark(state, event.container, meta, (c) => ({
        hooks: {
          ...c.hooks,
          [event.hook]: {
            status: "running",
            at: millis(meta.time),
            ...(event.until === undefined ? {} : { until: millis(event.until) }),
            because: meta.id
          }
        }
      }))
    case "ContainerHookEnded":
      return withContainer(state, event.container, meta, (c) => {
        const run = c.hooks?.[event.hook]
        return run === undefined
          ? {}
          : { hooks: { ...c.hooks, [event.hook]: { ...run, status: event.outcome, because: meta.id } } }
      })
    case "ContainerExited":
      return withContainer(state, event.container, meta, (c) => ({
        status: "exited",
        kill: null,
        previousExit: c.lastExit,
        lastExit: {
          containerId: event.containerId,
          attempt: event.attempt,
          exitCode: event.exitCode,
          reason: event.reason,
          message: event.message,
          oomKilled: event.oomKilled,
          ...(event.killedFor === undefined ? {} : { killedFor: event.killedFor }),
          startedAt: event.startedAt ?? "",
          finishedAt: event.finishedAt
        },
        dead: c.dead.includes(event.containerId) ? c.dead : [...c.dead, event.containerId]
      }))
    case "ContainerBackOffStarted":
      return withContainer(state, event.container, meta, () => ({
        backOff: { delaySeconds: event.delaySeconds, until: millis(event.until), because: meta.id },
        ...(millis(event.until) > millis(meta.time)
          ? {
              waiting: {
                reason: "CrashLoopBackOff",
                message: `back-off ${event.delaySeconds}s restarting failed container`
              }
            }
          : {})
      }))
    case "ContainerReadinessChanged":
      return remark(state, event.container, meta, () => ({ ready: event.ready }))
    case "ContainerProbeReported":
      return remark(state, event.container, meta, (c) => ({
        probes: { ...c.probes, [event.probe]: { result: event.result, output: event.output, because: meta.id } }
      }))
    case "ContainerRemoved":
      return remark(state, event.container, meta, (c) => ({
        dead: c.dead.filter((id) => id !== event.containerId)
      }))
  }
}
