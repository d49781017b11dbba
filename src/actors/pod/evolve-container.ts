/** What the events about containers do to their pod's state: see evolve.ts. */
import type { EventsOf } from "../../events/catalogue.ts"
import { millis } from "../../events/definition.ts"
import type { EventMeta } from "../../events/envelope.ts"
import type { containerEvents } from "../../events/kinds/container.ts"
import { type BackOff, type BackOffPolicy, grow } from "./plan/backoff.ts"
import { resourcesOf } from "./resources/pod-resources.ts"
import { type ContainerInState, crashPolicy, type Exit, failuresOf, isRegular, type PodState } from "./state.ts"

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

/** A copy of a container's state that nobody else has yet. */
type ChangingContainer = { -readonly [Key in keyof ContainerInState]: ContainerInState[Key] }
/** Writes to the copy: an answer that is spread over it would take three times as long, and every event comes by here. */
type Change = (container: ChangingContainer) => void

/** For what does not move a container on: its next step is caused by something else. */
const remark = (state: PodState, name: string, meta: EventMeta, change: Change): PodState => ({
  ...state,
  because: meta.id,
  containers: state.containers.map((before) => {
    if (before.name !== name) return before
    const container = { ...before }
    change(container)
    return container
  })
})

const withContainer = (state: PodState, name: string, meta: EventMeta, change: Change): PodState =>
  remark(state, name, meta, (container) => {
    container.because = meta.id
    change(container)
  })

/** The row of restarts after one more, made at `at` (ms). */
const afterRestart = (policy: BackOffPolicy, crashes: BackOff | null, lastExit: Exit, at: number): BackOff =>
  grow(policy, crashes ?? undefined, millis(lastExit.finishedAt), at)

const exitOf = (event: Extract<ContainerEvent, { readonly _tag: "ContainerExited" }>): Exit => ({
  containerId: event.containerId,
  attempt: event.attempt,
  exitCode: event.exitCode,
  reason: event.reason,
  message: event.message,
  oomKilled: event.oomKilled,
  ...(event.killedFor === undefined ? {} : { killedFor: event.killedFor }),
  startedAt: event.startedAt ?? "",
  finishedAt: event.finishedAt
})

export const evolveContainer = (state: PodState, event: ContainerEvent, meta: EventMeta): PodState => {
  switch (event._tag) {
    case "ContainerImageReady":
      return withContainer(state, event.container, meta, (c) => {
        c.imageId = event.imageId
        // Only what the image was waited for is over.
        if (c.waiting !== null && /Image/u.test(c.waiting.reason)) c.waiting = null
      })
    case "ContainerWaiting":
      return withContainer(state, event.container, meta, (c) => {
        c.waiting = { reason: event.reason, message: event.message }
      })
    case "ContainerStartRequested":
      // It starts with what the pod was admitted with.
      return withContainer(actuatedBy(state, event.container), event.container, meta, (c) => {
        c.status = "starting"
        c.attempt = event.attempt
        c.sandboxId = event.sandboxId
        c.containerId = ""
        c.waiting = null
        c.kill = null
        c.probes = {}
        if (c.hooks !== undefined) c.hooks = {}
        c.backOff = null
        // Kubelet counts a restart when it makes it; the first start counts nothing.
        if (c.lastExit !== null) c.crashes = afterRestart(crashPolicy(state), c.crashes, c.lastExit, millis(meta.time))
      })
    case "ContainerCreated":
      return remark(state, event.container, meta, (c) => {
        c.containerId = event.containerId
      })
    case "ContainerStarted": {
      const next = withContainer(state, event.container, meta, (c) => {
        c.status = "running"
        if (c.again !== undefined) c.again = false
        c.containerId = event.containerId
        c.attempt = event.attempt
        c.startedAt = event.startedAt
        if (event.stopSignal !== undefined) c.stopSignal = event.stopSignal
        if (event.user !== undefined) c.user = event.user
        c.startedBecause = meta.id
        c.waiting = null
        c.startRetry = null
      })
      if (next.initialized) return next
      const container = next.containers.find((c) => c.name === event.container)
      return container !== undefined && isRegular(container) ? { ...next, initialized: true } : next
    }
    case "ContainerStopSignalIgnored":
      return remark(state, event.container, meta, () => {})
    case "ContainerStartFailed":
      return withContainer(state, event.container, meta, (c) => {
        // What was before it stands: it never ran. Where nothing was created the attempt is free again.
        c.status = c.lastExit === null ? "waiting" : "exited"
        if (c.containerId === "") c.attempt -= 1
        else c.dead = [...c.dead, c.containerId]
        c.waiting = { reason: event.reason, message: event.message }
        c.startRetry = { failures: (c.startRetry?.failures ?? 0) + 1, at: millis(event.retryAt), because: meta.id }
        if (event.imageMissing === true) c.imageId = ""
      })
    case "ContainerKillRequested":
      return withContainer(state, event.container, meta, (c) => {
        c.status = "killing"
        c.kill = {
          reason: event.reason,
          message: event.message,
          gracePeriodSeconds: event.gracePeriodSeconds,
          at: millis(meta.time),
          because: meta.id,
          retry: null,
          ...(event.preStop === undefined ? {} : { preStop: event.preStop }),
          ...(event.after === undefined ? {} : { after: event.after }),
          ...failuresOf(event)
        }
      })
    case "ContainerStopRequested":
      return withContainer(state, event.container, meta, (c) => {
        if (c.kill !== null) c.kill = { ...c.kill, signalled: true }
      })
    case "ContainerHookStarted":
      return remark(state, event.container, meta, (c) => {
        c.hooks = {
          ...c.hooks,
          [event.hook]: {
            status: "running",
            at: millis(meta.time),
            ...(event.until === undefined ? {} : { until: millis(event.until) }),
            because: meta.id
          }
        }
      })
    case "ContainerHookEnded":
      return withContainer(state, event.container, meta, (c) => {
        const run = c.hooks?.[event.hook]
        if (run !== undefined)
          c.hooks = { ...c.hooks, [event.hook]: { ...run, status: event.outcome, because: meta.id } }
      })
    case "ContainerExited":
      return withContainer(state, event.container, meta, (c) => {
        c.status = "exited"
        c.kill = null
        c.previousExit = c.lastExit
        c.lastExit = exitOf(event)
        if (!c.dead.includes(event.containerId)) c.dead = [...c.dead, event.containerId]
      })
    case "ContainerBackOffStarted":
      return withContainer(state, event.container, meta, (c) => {
        const until = millis(event.until)
        c.backOff = { delaySeconds: event.delaySeconds, until, because: meta.id }
        if (until > millis(meta.time))
          c.waiting = {
            reason: "CrashLoopBackOff",
            message: `back-off ${event.delaySeconds}s restarting failed container`
          }
      })
    case "ContainerReadinessChanged":
      return remark(state, event.container, meta, (c) => {
        c.ready = event.ready
      })
    case "ContainerProbeReported":
      return remark(state, event.container, meta, (c) => {
        c.probes = { ...c.probes, [event.probe]: { result: event.result, output: event.output, because: meta.id } }
      })
    case "ContainerRemoved":
      return remark(state, event.container, meta, (c) => {
        c.dead = c.dead.filter((id) => id !== event.containerId)
      })
  }
}
