/** What the events about containers do to their pod's state: see evolve.ts. */
import type { EventsOf } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { containerEvents } from "../../events/kinds/container.ts"
import { type BackOff, type BackOffPolicy, grow } from "./plan/backoff.ts"
import { resourcesOf } from "./resources/pod-resources.ts"
import { type ContainerInState, crashPolicy, type Exit, isRegular, type PodState } from "./state.ts"

/** What is started has the resources of the definition. */
const actuatedBy = (state: PodState, name: string): PodState => {
  const { resize, definition } = state
  if (resize?.actuated === undefined || definition === null) return state
  const own = resourcesOf(definition.pod).containers[name] ?? {}
  const { actuated } = resize
  return {
    ...state,
    resize: { ...resize, actuated: { ...actuated, containers: { ...actuated.containers, [name]: own } } }
  }
}

export type ContainerEvent = EventsOf<typeof containerEvents>

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

/** The row of restarts after one more, made at `at` (ms). */
const afterRestart = (policy: BackOffPolicy, crashes: BackOff | null, lastExit: Exit, at: number): BackOff =>
  grow(policy, crashes ?? undefined, millis(lastExit.finishedAt), at)

export const evolveContainer = (state: PodState, event: ContainerEvent, meta: EventMeta): PodState => {
  switch (event._tag) {
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
      // It starts with what the pod was admitted with.
      return withContainer(actuatedBy(state, event.container), event.container, meta, (c) => ({
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
        ...(event.stopSignal === undefined ? {} : { stopSignal: event.stopSignal }),
        ...(event.user === undefined ? {} : { user: event.user }),
        startedBecause: meta.id,
        waiting: null,
        startRetry: null
      }))
      const container = next.containers.find((c) => c.name === event.container)
      return container !== undefined && isRegular(container) ? { ...next, initialized: true } : next
    }
    case "ContainerStopSignalIgnored":
      return remark(state, event.container, meta, () => ({}))
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
