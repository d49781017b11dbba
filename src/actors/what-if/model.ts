/**
 * The world of a what-if run: what follows from a pod's events where the courses have parted. It answers out of the past as
 * far as that has an answer, and names what it takes for granted where it has none.
 */
import { timestamp } from "../../events/definition.ts"
import type { ProbeType } from "../../events/kinds/probe.ts"
import type { LogCommand } from "../log/commands.ts"
import type { LogEvent } from "../log/state.ts"
import type { ObservedContainer, PodCommand } from "../pod/commands.ts"
import type { PodEvent } from "../pod/evolve.ts"
import { containerIn, type PodState, surplusDead, uidOf } from "../pod/state.ts"
import type { ProbeObserved } from "../probe/commands.ts"
import { type AskedContainer, timing } from "../probe/state.ts"
import type { VolumeCommand } from "../volume/commands.ts"
import type { VolumeEvent } from "../volume/state.ts"
import type { Assumptions } from "./assumptions.ts"
import { type Answer, type Asking, type Past, type Run, resultAt } from "./past.ts"

/** After which recorded run a run at another time is modelled. */
export type RunPolicy = "next" | "previous"

/** Starts that are no further apart are the same start, milliseconds. */
const sameStart = 1000

interface Twin {
  readonly run: Run
  /** What is added to recorded times. */
  readonly shift: number
}

export class WorldModel {
  private readonly past: Past
  private readonly policy: RunPolicy
  private readonly assumptions: Assumptions
  /** By the container's id in the what-if run. */
  private readonly twins = new Map<string, Twin>()

  constructor(past: Past, policy: RunPolicy, assumptions: Assumptions) {
    this.past = past
    this.policy = policy
    this.assumptions = assumptions
    for (const run of past.runs)
      if (run.started !== undefined) this.twins.set(run.started.containerId, { run, shift: 0 })
  }

  /** The commands that come of an event of the pod, each at its time. `state`: after the whole decision. */
  afterPodEvent(event: PodEvent, state: PodState, at: number): ReadonlyArray<PodCommand> {
    switch (event._tag) {
      case "PodPreemptionDecided": {
        const then = at + this.took("PodPreemptionDecided", "PodAdmitted", "")
        return [{ _tag: "ReportPreempted", at: then, uid: event.pod.metadata.uid }]
      }
      case "SandboxRequested":
        return [this.sandbox(event.attempt, state, at)]
      case "ResizeStarted": {
        const then = at + this.took("ResizeStarted", "ResizeActuated", "")
        const containers = [...new Set([...event.memory, ...event.cpu])]
        return [{ _tag: "ReportResize", at: then, outcome: "done", containers }]
      }
      case "SandboxStopRequested": {
        const then = at + this.took("SandboxStopRequested", "SandboxStopped", "")
        return [{ _tag: "ReportSandboxStop", at: then, sandboxId: event.sandboxId, outcome: "stopped" }]
      }
      case "PodCleanupRequested": {
        const then = at + this.took("PodCleanupRequested", "PodRemoved", "")
        return [{ _tag: "ReportCleanup", at: then, outcome: "done" }]
      }
      case "ContainerStartRequested":
        return this.start(event.container, event.attempt, at)
      case "ContainerStarted":
        return [...this.naturalEnd(event.containerId, state), ...removal(event.container, state, at)]
      case "ContainerKillRequested":
        return event.preStop === true || event.after !== undefined
          ? []
          : [this.stop(event.container, event.containerId, at)]
      case "ContainerStopRequested":
        return [this.stop(event.container, event.containerId, at)]
      case "ContainerHookStarted":
        return event.until === undefined ? [this.hook(event, at)] : []
      default:
        return []
    }
  }

  afterVolumeEvent(event: VolumeEvent, at: number): ReadonlyArray<VolumeCommand> {
    if (event._tag === "VolumeMountRequested") {
      const { podUid, volume } = event
      const mounted = this.past.last("VolumeMounted", volume.name)
      const then = at + this.took("VolumeMountRequested", "VolumeMounted", volume.name)
      const path = mounted?._tag === "VolumeMounted" ? mounted.path : `/what-if/${volume.name}`
      const hash = mounted?._tag === "VolumeMounted" && mounted.hash !== undefined ? { hash: mounted.hash } : {}
      return [{ _tag: "MountSucceeded", at: then, podUid, path, ...hash }]
    }
    if (event._tag === "VolumeRefreshRequested") {
      // Files are not in question: they become what they last became.
      const updated = this.past.last("VolumeUpdated", event.volume)
      if (updated?._tag !== "VolumeUpdated") return []
      return [{ _tag: "MountSucceeded", at, podUid: event.podUid, path: updated.path, hash: updated.hash }]
    }
    if (event._tag === "VolumeUnmountRequested") {
      const then = at + this.took("VolumeUnmountRequested", "VolumeUnmounted", event.volume)
      return [{ _tag: "UnmountSucceeded", at: then, podUid: event.podUid }]
    }
    return []
  }

  /** A log that is too large is set aside at once. */
  afterLogEvent(event: LogEvent, at: number): ReadonlyArray<LogCommand> {
    if (event._tag !== "LogRotationRequested") return []
    return [{ _tag: "RotationDone", at, containerId: event.containerId }]
  }

  /** The end that a container which runs already comes to by itself. */
  naturalEnd(containerId: string, state: PodState): ReadonlyArray<PodCommand> {
    const twin = this.twins.get(containerId)
    const ended = twin?.run.ended
    if (twin === undefined || ended === undefined) return []
    const at = ended.at + twin.shift
    const observed = shifted(ended.observed, containerId, twin.shift)
    return [{ _tag: "ObserveRuntime", at, uid: uidOf(state), sandboxes: [], containers: [observed] }]
  }

  /**
   * The next answer of a probe, none where it was not asked for as long as the log goes. `after`: when it was asked last;
   * absent: not yet.
   */
  nextAnswer(asked: AskedContainer, after: number | undefined, now: number): ProbeObserved | undefined {
    const { containerId, container, probe, spec } = asked
    const { period, initialDelay } = timing(spec)
    let at = Math.max(now, after === undefined ? Date.parse(asked.startedAt) + initialDelay : after + period)
    // Where nobody asked (the agent was away), the next period has its own answer.
    for (; at <= this.past.end; at += period) {
      const answer = this.answerAt(containerId, container, probe, at, period)
      if (answer === undefined) continue
      const { result, output, timedOut, duration } = answer
      const command: ProbeObserved = {
        _tag: "ProbeObserved",
        at: Math.max(now, answer.at),
        containerId,
        result,
        output,
        timedOut,
        duration
      }
      return command
    }
    return undefined
  }

  private answerAt(
    containerId: string,
    container: string,
    probe: ProbeType,
    at: number,
    period: number
  ): Answer | undefined {
    const name = `${probe} of ${container}`
    const twin = this.twins.get(containerId)
    const asking = twin?.run.asked.get(probe)
    if (twin === undefined || asking === undefined || asking.answers.length === 0) {
      const other = this.past.runs.findLast((r) => r.container === container && r.asked.get(probe)?.answers.length)
      const last = other?.asked.get(probe)?.answers.at(-1)
      this.assumptions.assume(last === undefined ? "answers-success" : "answers-repeat", name)
      return { output: "", ...(last ?? { result: "success", timedOut: false, duration: 0 }), at }
    }
    const then = at - twin.shift
    const nearest = nearestAnswer(asking, then)
    const isInRhythm = asking.period === period
    if (nearest !== undefined && Math.abs(nearest.at - then) <= asking.period / 2) {
      if (isInRhythm) return { ...nearest, at: nearest.at + twin.shift }
      this.assumptions.assume("answers-at-other-times", name)
      return { ...nearest, at }
    }
    const last = asking.answers.findLast((answer) => answer.at <= then) ?? asking.answers[0]!
    // Also beyond the end of the log, where a later run is the model of an earlier one.
    if (then >= asking.to || then > this.past.end) {
      this.assumptions.assume("answers-repeat", name)
      return { ...last, at }
    }
    if (this.past.isWhole) return undefined
    this.assumptions.assume("answers-unrecorded", name)
    const result = resultAt(asking, then)
    return { at, result: result === "unknown" ? "success" : result, output: last.output, timedOut: false, duration: 0 }
  }

  private sandbox(attempt: number, state: PodState, at: number): PodCommand {
    const cgroup = this.past.last("PodCgroupCreated")
    const made = this.past.last("SandboxCreated")
    const then = at + this.took("SandboxRequested", "SandboxCreated", "")
    return {
      _tag: "ReportSandbox",
      at: then,
      attempt,
      outcome: "created",
      sandboxId: made?._tag === "SandboxCreated" && made.attempt === attempt ? made.sandboxId : `what-if-${attempt}`,
      ips: made?._tag === "SandboxCreated" ? made.ips : [],
      ...(made?._tag === "SandboxCreated" && made.hostIps !== undefined ? { hostIps: made.hostIps } : {}),
      createdAt: timestamp(then),
      ...(cgroup?._tag === "PodCgroupCreated"
        ? {
            cgroup: {
              path: cgroup.path,
              values: cgroup.values,
              made: state.cgroup === undefined && cgroup.found !== true
            }
          }
        : {})
    }
  }

  private start(container: string, attempt: number, at: number): ReadonlyArray<PodCommand> {
    const run = this.runFor(container, at)
    if (run === undefined) {
      const containerId = `what-if-${container}-${attempt}`
      this.assumptions.assume("work-takes-as-recorded", container)
      return [startReport(container, attempt, at, { containerId, startedAt: at })]
    }
    const { startFailed, started, requestedAt } = run
    if (started === undefined) {
      const then = at + (startFailed === undefined ? 0 : startFailed.at - requestedAt)
      if (startFailed === undefined)
        return [startReport(container, attempt, at, { containerId: `what-if-${container}-${attempt}`, startedAt: at })]
      const { reason, message } = startFailed
      return [{ _tag: "ReportContainerStart", at: then, container, attempt, outcome: "failed", reason, message }]
    }
    const shift = at - requestedAt
    const isItself = run.attempt === attempt && Math.abs(shift) <= sameStart
    const containerId = isItself ? started.containerId : `what-if-${container}-${attempt}`
    this.twins.set(containerId, { run, shift })
    const then = started.at + shift
    return [
      { _tag: "ReportContainerCreated", at: then, container, attempt, containerId },
      startReport(container, attempt, then, {
        containerId,
        startedAt: started.startedAt + shift,
        stopSignal: started.stopSignal
      })
    ]
  }

  /** The recorded run after which one that begins now is modelled. */
  private runFor(container: string, at: number): Run | undefined {
    const runs = this.past.runs.filter((run) => run.container === container)
    const same = runs.find((run) => Math.abs(run.requestedAt - at) <= sameStart)
    if (same !== undefined || runs.length === 0) return same
    const name = this.policy === "next" ? "runs-as-next" : "runs-as-previous"
    this.assumptions.assume(name, container)
    return this.policy === "next"
      ? (runs.find((run) => run.requestedAt >= at) ?? runs.at(-1))
      : (runs.findLast((run) => run.requestedAt <= at) ?? runs[0])
  }

  private stop(container: string, containerId: string, at: number): PodCommand {
    const own = this.past.runs.find((run) => run.started?.containerId === containerId)?.stopped
    const stopped = own ?? this.past.runs.findLast((run) => run.container === container && run.stopped)?.stopped
    if (stopped === undefined) this.assumptions.assume("stops-at-once", container)
    else if (own?.askedAt !== at) this.assumptions.assume("work-takes-as-recorded", `stopping ${container}`)
    const shift = stopped === undefined ? 0 : at - stopped.askedAt
    const then = stopped === undefined ? at : stopped.at + shift
    const observed: ObservedContainer =
      stopped === undefined
        ? { containerId, state: "exited", finishedAt: timestamp(at), exitCode: 143, reason: "Error" }
        : shifted(stopped.observed, containerId, shift)
    const { startedAt: _, ...ended } = observed
    return {
      _tag: "ReportContainerStop",
      at: then,
      container,
      containerId,
      outcome: "stopped",
      observed: ended
    }
  }

  /** A hook ends as it did the last time; one that was never run here succeeds at once. */
  private hook(
    { container, containerId, hook }: Extract<PodEvent, { readonly _tag: "ContainerHookStarted" }>,
    at: number
  ): PodCommand {
    const key = `${container} ${hook}`
    const last = this.past.last("ContainerHookEnded", key)
    const then = at + this.took("ContainerHookStarted", "ContainerHookEnded", key)
    const ended = last?._tag === "ContainerHookEnded" ? last : undefined
    const { outcome = "succeeded", output = "", timedOut = false } = ended ?? {}
    const told = { container, containerId, hook, outcome, output, timedOut, duration: then - at }
    return { _tag: "ReportHook", at: then, ...told }
  }

  private took(from: string, to: string, key: string): number {
    this.assumptions.assume("work-takes-as-recorded", key === "" ? from : key)
    return this.past.took(from, to, key) ?? 0
  }
}

const nearestAnswer = ({ answers }: Asking, at: number): Answer | undefined => {
  let best: Answer | undefined
  for (const answer of answers)
    if (best === undefined || Math.abs(answer.at - at) < Math.abs(best.at - at)) best = answer
  return best
}

const shifted = (observed: ObservedContainer, containerId: string, shift: number): ObservedContainer => ({
  ...observed,
  containerId,
  ...(observed.startedAt === undefined ? {} : { startedAt: timestamp(Date.parse(observed.startedAt) + shift) }),
  ...(observed.finishedAt === undefined ? {} : { finishedAt: timestamp(Date.parse(observed.finishedAt) + shift) }),
  ...(observed.oom?.killedAt === undefined
    ? {}
    : { oom: { ...observed.oom, killedAt: timestamp(Date.parse(observed.oom.killedAt) + shift) } })
})

const startReport = (
  container: string,
  attempt: number,
  at: number,
  {
    containerId,
    startedAt,
    stopSignal
  }: { readonly containerId: string; readonly startedAt: number; readonly stopSignal?: string | undefined }
): PodCommand => ({
  _tag: "ReportContainerStart",
  at,
  container,
  attempt,
  outcome: "started",
  containerId,
  startedAt: timestamp(startedAt),
  ...(stopSignal === undefined ? {} : { stopSignal })
})

const removal = (container: string, state: PodState, at: number): ReadonlyArray<PodCommand> => {
  const c = containerIn(state, container)
  const containerIds = c === undefined ? [] : surplusDead(c)
  return containerIds.length === 0 ? [] : [{ _tag: "ReportContainersRemoved", at, container, containerIds }]
}
