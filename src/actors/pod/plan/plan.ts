/**
 * The whole pod's next steps, as one pure function of its state: what to request, start, kill, stop and remove. It runs
 * at the end of every decision, so that whatever was learnt has its consequences in the same piece of the log.
 *
 * Order as in kubelet's SyncPod: volumes, sandbox, init containers one after another, then all others.
 */
import { millis } from "../../../events/definition.ts"
import { endWords } from "../../../events/kinds/pod.ts"
import { activeDeadline, isOn } from "../../kernel/flags.ts"
import type { PodDecision } from "../evolve.ts"
import { failedBefore } from "../operation-failed.ts"
import { containerIn, isAlive, type KillReason, type Retry } from "../state.ts"
import { isTerminalPhase } from "../status/phase.ts"
import { planReport } from "../status/report.ts"
import { isPastDeadline } from "./backoff.ts"
import { planBackOffs, planContainers, trigger } from "./plan-containers.ts"
import { planHooks } from "./plan-hooks.ts"
import { planKillRetries, planKills, planStops, stopAll } from "./plan-kills.ts"
import { planResize } from "./plan-resize.ts"
import { isInitFailed, isOver, restartsAll, toRun } from "./start-order.ts"

export const plan = (d: PodDecision): void => {
  if (d.state.definition === null) return
  planDeadline(d)
  planRetries(d)
  planHooks(d)
  if (d.state.termination !== null) planTermination(d)
  else {
    planRestartOfAll(d)
    planKills(d)
    planResize(d)
    planSandbox(d)
    planBackOffs(d)
    if (!d.state.restarting) planContainers(d)
    planEnd(d)
  }
  planStops(d)
  planReport(d)
}

/** kubelet's words (`pkg/kubelet/active_deadline.go`). */
const deadlineMessage = "Pod was active on the node longer than the specified deadline"

const planDeadline = (d: PodDecision): void => {
  const { definition, startTime, termination, failed, phase } = d.state
  const seconds = definition?.pod.spec.activeDeadlineSeconds
  if (seconds === undefined || !isOn(d.flags, activeDeadline)) return
  if (termination !== null || failed !== undefined || isTerminalPhase(phase)) return
  if (!isPastDeadline(seconds, millis(startTime), d.at)) return
  d.emit(
    {
      _tag: "PodDeadlineExceeded",
      activeDeadlineSeconds: seconds,
      startedAt: startTime,
      message: deadlineMessage
    },
    definition!.because
  )
}

/** What failed is requested again when its time has come. */
const planRetries = (d: PodDecision): void => {
  planKillRetries(d)
  const { sandbox, cleanup } = d.state
  const due = (retry: Retry | null | undefined) => (retry && retry.at <= d.at ? retry : undefined)
  const stop = sandbox?.status === "stopping" ? due(sandbox.retry) : undefined
  if (sandbox !== null && stop !== undefined) {
    const { sandboxId } = sandbox
    const reason = "the attempt before failed"
    d.emit({ _tag: "SandboxStopRequested", sandboxId, reason, ...failedBefore(d, stop) }, stop.because)
  }
  const again = due(cleanup?.retry)
  if (again !== undefined) d.emit({ _tag: "PodCleanupRequested", ...failedBefore(d, again) }, again.because)
}

/** The exit of a container may restart all of them (KEP-5532): what runs is stopped, then all start over. */
const planRestartOfAll = (d: PodDecision): void => {
  for (const { event } of [...d.decided]) {
    if (event._tag !== "ContainerExited" || d.state.restarting || d.state.failed !== undefined) continue
    const c = containerIn(d.state, event.container)
    if (c === undefined || !restartsAll(d.state, c, c.lastExit)) continue
    d.emit({ _tag: "PodRestartRequested", container: c.name, exitCode: event.exitCode }, c.because)
  }
  if (d.state.restarting && !d.state.containers.some((c) => c.ephemeral !== true && isAlive(c))) {
    d.emit({ _tag: "PodContainersReset" }, d.decided.length > 0 ? trigger(d) : d.state.restarting.because)
  }
}

const planSandbox = (d: PodDecision): void => {
  const { sandbox } = d.state
  if (sandbox?.status === "lost" && !d.state.containers.some(isAlive)) {
    d.emit(
      { _tag: "SandboxStopRequested", sandboxId: sandbox.sandboxId, reason: "it is lost; a new one follows" },
      sandbox.because
    )
    return
  }
  const first = sandbox === null
  const again = sandbox?.status === "stopped"
  const retry = sandbox?.status === "failed" && (sandbox.retry?.at ?? 0) <= d.at
  if (!(first || again || retry)) return
  if (toRun(d.state).length === 0 || d.state.volumes.some((v) => v.status !== "ready")) return
  d.emit(
    {
      _tag: "SandboxRequested",
      // A failed attempt may have left its name taken; the effect of an attempt checks for that.
      attempt: sandbox === null ? 0 : retry ? sandbox.attempt : sandbox.attempt + 1,
      reason: first ? "the pod has none" : again ? "the one before is gone" : "the attempt before failed"
    },
    again ? sandbox.because : trigger(d)
  )
}

/** Nothing runs and nothing is to run: the sandbox goes, and when it is gone the volumes. The dead containers stay. */
const planEnd = (d: PodDecision): void => {
  const { state } = d
  if (state.restarting) return
  if (isOver(state)) stopRest(d)
  if (d.state.containers.some(isAlive) || toRun(state).length > 0) return
  if (state.sandbox?.status === "ready") {
    d.emit(
      { _tag: "SandboxStopRequested", sandboxId: state.sandbox.sandboxId, reason: "all containers have ended" },
      trigger(d)
    )
  } else if (state.sandbox?.status === "stopped" || isInitFailed(state) || state.failed !== undefined) {
    releaseVolumes(d)
  }
}

/** Why the containers of a pod that failed as a whole are stopped, by its reason. */
const failureKills: Readonly<Record<string, KillReason>> = {
  Preempting: "Preempting",
  Terminated: "NodeShutdown",
  Evicted: "Evicted"
}

/** What runs on only beside others ends with them; a pod that failed as a whole stops as a whole. */
const stopRest = (d: PodDecision): void => {
  const { failed } = d.state
  if (failed !== undefined) {
    const { message, because, gracePeriodSeconds } = failed
    stopAll(d, failureKills[failed.reason] ?? "DeadlineExceeded", message, because, undefined, gracePeriodSeconds)
  } else stopAll(d, "PodCompleted", "the pod's other containers have ended for good", trigger(d) ?? d.state.because)
}

const releaseVolumes = (d: PodDecision): void => {
  if (d.state.sandbox !== null && d.state.sandbox.status !== "stopped" && d.state.sandbox.status !== "failed") return
  if (d.state.volumes.some((v) => v.status === "requested" || v.status === "ready")) {
    d.emit({ _tag: "PodVolumesReleased" }, trigger(d))
  }
}

/** The pod is to end: containers, then the sandbox, then volumes, then everything else. */
const planTermination = (d: PodDecision): void => {
  const termination = d.state.termination!
  stopAll(d, "PodTerminating", endWords[termination.reason], termination.because, termination.gracePeriodSeconds)
  const { sandbox } = d.state
  if (d.state.containers.some(isAlive) || sandbox?.status === "requested" || sandbox?.status === "stopping") return
  if (sandbox?.status === "ready" || sandbox?.status === "lost") {
    d.emit({ _tag: "SandboxStopRequested", sandboxId: sandbox.sandboxId, reason: "the pod ends" }, trigger(d))
    return
  }
  releaseVolumes(d)
  if (d.state.volumes.some((v) => v.status !== "removed") || d.state.cleanup !== null) return
  d.emit({ _tag: "PodCleanupRequested" }, trigger(d))
}
