/** What a pod learns of its containers: outcomes of what it asked for, verdicts of probes and hooks, the runtime's truth. */
import { millis, timestamp } from "../../events/definition.ts"
import { configRetry, isOn, killUnknown, readyWhileStopping, restartAfterOwnKill } from "../kernel/flags.ts"
import type { CommandOf, ObservedContainer } from "./commands.ts"
import type { PodDecision } from "./evolve.ts"
import { operationFailed } from "./operation-failed.ts"
import { killUnclear } from "./plan/plan-kills.ts"
import { type ContainerInState, containerIn, containerSpec, isAlive, uidOf } from "./state.ts"
import { lostReason } from "./status/container-statuses.ts"

/** Starting a container again: 10 s, doubling to 300 s, as crash back-off. */
const startRetryDelay = (failures: number): number => Math.min(10_000 * 2 ** (failures - 1), 300_000)
/** What its definition refers to may come at any time (`pod_workers.go` backOffPeriod). */
const configRetryDelay = 10_000
/** Exit code of a container that the runtime lost (`kubelet_pods.go` convertToAPIContainerStatuses). */
const lostExitCode = 137

const initialResult = { liveness: "success", readiness: "failure", startup: "unknown" } as const

export const learnProbe = (d: PodDecision, command: CommandOf<"ReportProbe">): void => {
  const c = containerIn(d.state, command.container)
  if (c === undefined || c.containerId !== command.containerId) return
  const isHeard =
    c.status === "running" ||
    (c.status === "killing" && command.probe === "readiness" && isOn(d.flags, readyWhileStopping))
  if (!isHeard) return
  if ((c.probes[command.probe]?.result ?? initialResult[command.probe]) === command.result) return
  const { container, containerId, probe, result, output } = command
  d.emit({ _tag: "ContainerProbeReported", container, containerId, probe, result, output })
}

export const learnCreated = (d: PodDecision, command: CommandOf<"ReportContainerCreated">): void => {
  const c = containerIn(d.state, command.container)
  if (c?.status !== "starting" || c.attempt !== command.attempt || c.containerId !== "") return
  const { containerId } = command
  d.emit({ _tag: "ContainerCreated", container: c.name, containerId, attempt: c.attempt }, c.because)
}

export const learnRemoved = (d: PodDecision, command: CommandOf<"ReportContainersRemoved">): void => {
  const dead = containerIn(d.state, command.container)?.dead ?? []
  for (const containerId of command.containerIds) {
    if (dead.includes(containerId)) d.emit({ _tag: "ContainerRemoved", container: command.container, containerId })
  }
}

export const learnStart = (d: PodDecision, command: CommandOf<"ReportContainerStart">): void => {
  const c = containerIn(d.state, command.container)
  if (c?.status !== "starting" || c.attempt !== command.attempt) return
  if (command.outcome === "started") {
    const started = d.emit(
      {
        _tag: "ContainerStarted",
        container: c.name,
        containerId: command.containerId ?? c.containerId,
        attempt: c.attempt,
        startedAt: command.startedAt ?? timestamp(d.at),
        ...(command.stopSignal === undefined ? {} : { stopSignal: command.stopSignal }),
        ...(command.user === undefined ? {} : { user: command.user })
      },
      c.because
    )
    tellStopSignal(d, c, command, started)
    return
  }
  const failures = (c.startRetry?.failures ?? 0) + 1
  const reason = command.reason ?? "RunContainerError"
  const waits = reason === "CreateContainerConfigError" && isOn(d.flags, configRetry)
  d.emit(
    {
      _tag: "ContainerStartFailed",
      container: c.name,
      attempt: c.attempt,
      reason,
      message: command.message ?? "",
      retryAt: timestamp(d.at + (waits ? configRetryDelay : startRetryDelay(failures))),
      ...(command.imageMissing === true ? { imageMissing: true } : {})
    },
    c.because
  )
}

/** A runtime that does not know of stop signals drops the field without a word. */
const tellStopSignal = (
  d: PodDecision,
  c: ContainerInState,
  command: CommandOf<"ReportContainerStart">,
  because: string
): void => {
  const pod = d.state.definition?.pod
  const asked = pod === undefined ? undefined : containerSpec(pod, c.name)?.lifecycle?.stopSignal
  const { stopSignal: taken, containerId = c.containerId } = command
  if (asked === undefined || asked === taken) return
  d.emit(
    {
      _tag: "ContainerStopSignalIgnored",
      container: c.name,
      containerId,
      asked,
      ...(taken === undefined ? {} : { taken })
    },
    because
  )
}

export const learnStop = (d: PodDecision, command: CommandOf<"ReportContainerStop">): void => {
  const c = containerIn(d.state, command.container)
  if (c?.status !== "killing" || c.containerId !== command.containerId) return
  if (command.outcome === "stopped") exited(d, c, command.observed)
  else operationFailed(d, "KillContainer", command.message, c.kill, c.because, c.containerId)
}

export const learnHook = (d: PodDecision, command: CommandOf<"ReportHook">): void => {
  const { container, containerId, hook, outcome, output, timedOut, duration } = command
  const c = containerIn(d.state, container)
  const run = c?.hooks?.[hook]
  // Of a container that is gone, or told twice after a crash of the agent.
  if (c === undefined || c.containerId !== containerId || run?.status !== "running" || !isAlive(c)) return
  const reason = hook === "PostStart" ? "FailedPostStartHook" : "FailedPreStopHook"
  const ended = { container, containerId, hook, outcome, output, timedOut, duration }
  d.emit({ _tag: "ContainerHookEnded", ...ended, ...(outcome === "failed" ? { reason } : {}) }, run.because)
}

export const observe = (d: PodDecision, command: CommandOf<"ObserveRuntime">): void => {
  if (uidOf(d.state) !== command.uid) return
  const { sandbox } = d.state
  const found = command.sandboxes.find((s) => s.sandboxId === sandbox?.sandboxId)
  if (sandbox?.status === "ready" && found !== undefined) {
    d.emit({
      _tag: "SandboxLost",
      sandboxId: sandbox.sandboxId,
      reason: found.state === "missing" ? "the runtime does not know it" : "it is not ready"
    })
  }
  for (const seen of command.containers) {
    const c = d.state.containers.find((candidate) => candidate.containerId === seen.containerId)
    if (c === undefined || (c.status !== "running" && c.status !== "killing")) continue
    if (seen.state === "exited") exited(d, c, seen)
    else if (seen.state === "missing") exited(d, c, undefined)
    else if (seen.state === "unknown" && isRestartable(c) && isOn(d.flags, killUnknown)) killUnclear(d, c)
  }
}

/** An ephemeral container of unknown state is left alone, since it is never run again. */
const isRestartable = (c: ContainerInState): boolean => c.status === "running" && c.ephemeral !== true

/** `observed` undefined: the runtime does not know the container any more. */
const exited = (d: PodDecision, c: ContainerInState, observed: ObservedContainer | undefined): void => {
  const exitCode = observed?.exitCode ?? lostExitCode
  const reason = observed === undefined ? lostReason : (observed.reason ?? (exitCode === 0 ? "Completed" : "Error"))
  const finishedAt = observed?.finishedAt ?? timestamp(d.at)
  d.emit(
    {
      _tag: "ContainerExited",
      container: c.name,
      containerId: c.containerId,
      attempt: c.attempt,
      exitCode,
      ...(exitCode > 128 && exitCode < 128 + 65 ? { signal: exitCode - 128 } : {}),
      reason,
      message:
        observed === undefined
          ? "The container could not be located when the pod was observed"
          : (observed.message ?? ""),
      oomKilled: reason === "OOMKilled",
      ...(observed?.oom === undefined ? {} : { oom: observed.oom }),
      ...(c.kill !== null && isOn(d.flags, restartAfterOwnKill) ? { killedFor: c.kill.reason } : {}),
      startedAt: observed?.startedAt ?? c.startedAt,
      finishedAt
    },
    c.kill?.because ?? c.startedBecause,
    millis(finishedAt)
  )
}
