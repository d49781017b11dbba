/** The pod's decider: first what a command says as facts, then `plan`, the consequences for the whole pod. */
import { millis, timestamp } from "../../events/definition.ts"
import type { Decided, Decider, Timer } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { type Flags, isOn, restartAfterOwnKill } from "../kernel/flags.ts"
import { admission } from "./admission.ts"
import type { ObservedContainer, PodCommand } from "./commands.ts"
import { PodCommand as PodCommandSchema } from "./commands.ts"
import { evolve, type PodDecision, type PodEvent } from "./evolve.ts"
import { isTerminalPhase } from "./phase.ts"
import { plan } from "./plan.ts"
import { qosClass } from "./qos.ts"
import {
  type ContainerInState,
  containerIn,
  emptyPod,
  holdUntil,
  isAlive,
  isHeld,
  type PodState,
  uidOf
} from "./state.ts"

/** kubelet's pod worker tries again after 10 s; what is quick to mend is tried sooner: 1 s, doubling to 10 s. */
const retryDelay = (failures: number): number => Math.min(1000 * 2 ** (failures - 1), 10_000)
/** Starting a container again: 10 s, doubling to 300 s, as crash back-off. */
const startRetryDelay = (failures: number): number => Math.min(10_000 * 2 ** (failures - 1), 300_000)
/** Exit code of a container that the runtime lost (`kubelet_pods.go` convertToAPIContainerStatuses). */
const lostExitCode = 137

export const decide = (state: PodState, command: PodCommand, flags: Flags): ReadonlyArray<Decided<PodEvent>> => {
  const d: PodDecision = new Decision(state, evolve, command.at, flags)
  learning[command._tag](d, command as never)
  plan(d)
  return d.decided
}

type Of<Tag extends PodCommand["_tag"]> = Extract<PodCommand, { readonly _tag: Tag }>
type Learn = { readonly [Tag in PodCommand["_tag"]]: (d: PodDecision, command: Of<Tag>) => void }

/** What each command says as facts. A timer says nothing by itself: its time has come, and the plan sees to it. */
const learning: Learn = {
  DesirePod: (d, command) => desire(d, command),
  UndesirePod: (d, { uid }) => undesire(d, uid),
  ReportImage: (d, command) => learnImage(d, command),
  ReportVolume: (d, command) => learnVolume(d, command),
  ReportProbe: (d, command) => learnProbe(d, command),
  ReportSandbox: (d, command) => learnSandbox(d, command),
  ReportSandboxStop: (d, command) => learnSandboxStop(d, command),
  ReportContainerCreated: (d, command) => learnCreated(d, command),
  ReportContainerStart: (d, command) => learnStart(d, command),
  ReportContainerStop: (d, command) => learnStop(d, command),
  ReportHook: (d, command) => learnHook(d, command),
  ReportContainersRemoved: (d, command) => learnRemoved(d, command),
  ReportCleanup: (d, command) => learnCleanup(d, command),
  ObserveRuntime: (d, command) => observe(d, command),
  TimerFired: () => {}
}

// --- desired state ---------------------------------------------------------------------------------------------------

type Desired = Pick<Of<"DesirePod">, "pod" | "source" | "maxRestartPeriodSeconds">

const definitionOf = ({ pod, source, maxRestartPeriodSeconds }: Desired) => ({
  pod,
  source,
  qosClass: qosClass(pod.spec),
  ...(maxRestartPeriodSeconds === undefined ? {} : { maxRestartPeriodSeconds })
})

const admit = (d: PodDecision, desired: Desired, because?: string): void => {
  const { pod, source } = desired
  const refusal = admission(pod)
  if (refusal !== undefined) {
    d.emit({ _tag: "PodRejected", uid: pod.metadata.uid, source, ...refusal }, because)
  } else {
    d.emit({ _tag: "PodAdmitted", ...definitionOf(desired) }, because)
  }
}

const desire = (d: PodDecision, desired: Desired): void => {
  const { uid } = desired.pod.metadata
  const { definition, replacement, rejected, termination } = d.state
  if (definition === null) {
    if (rejected?.uid !== uid) admit(d, desired)
    return
  }
  const isRunning = definition.pod.metadata.uid === uid && termination === null
  if (isRunning || replacement?.pod.metadata.uid === uid) return
  const queued = d.emit({ _tag: "PodReplacementQueued", ...definitionOf(desired) })
  if (termination === null) terminate(d, "DefinitionChanged", queued)
}

const undesire = (d: PodDecision, uid: string): void => {
  if (d.state.replacement?.pod.metadata.uid === uid) {
    d.emit({ _tag: "PodReplacementDropped", uid })
  } else if (d.state.definition?.pod.metadata.uid === uid) {
    if (d.state.termination === null) terminate(d, "ManifestRemoved")
  } else if (d.state.rejected?.uid === uid) {
    d.emit({ _tag: "PodRemoved", uid })
  }
}

const terminate = (d: PodDecision, reason: "ManifestRemoved" | "DefinitionChanged", because?: string): void => {
  const gracePeriodSeconds = d.state.definition?.pod.spec.terminationGracePeriodSeconds ?? 30
  d.emit({ _tag: "PodTerminationRequested", reason, gracePeriodSeconds }, because)
}

// --- outcomes --------------------------------------------------------------------------------------------------------

const learnImage = (d: PodDecision, command: Of<"ReportImage">): void => {
  const pod = d.state.definition?.pod
  if (pod === undefined) return
  const users = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].filter((c) => c.image === command.image)
  for (const { name } of users) {
    const c = containerIn(d.state, name)
    if (c === undefined || c.imageId !== "") continue
    if (command.outcome === "present") {
      d.emit({
        _tag: "ContainerImageReady",
        container: name,
        image: command.image,
        imageId: command.imageId ?? command.image
      })
    } else {
      const [reason, message] = [command.reason ?? "ErrImagePull", command.message ?? ""]
      if (c.waiting?.reason === reason && c.waiting.message === message) continue
      d.emit({ _tag: "ContainerWaiting", container: name, reason, message })
    }
  }
}

const learnVolume = (d: PodDecision, command: Of<"ReportVolume">): void => {
  const volume = d.state.volumes.find((v) => v.name === command.volume)
  if (volume === undefined) return
  if (command.outcome === "mounted" && volume.status === "requested") {
    d.emit({ _tag: "PodVolumeReady", volume: volume.name, path: command.path ?? "" })
  } else if (command.outcome === "unmounted" && volume.status === "released") {
    d.emit({ _tag: "PodVolumeRemoved", volume: volume.name })
  }
}

const initialResult = { liveness: "success", readiness: "failure", startup: "unknown" } as const

const learnProbe = (d: PodDecision, command: Of<"ReportProbe">): void => {
  const c = containerIn(d.state, command.container)
  if (c?.status !== "running" || c.containerId !== command.containerId) return
  if ((c.probes[command.probe]?.result ?? initialResult[command.probe]) === command.result) return
  const { container, containerId, probe, result, output } = command
  d.emit({ _tag: "ContainerProbeReported", container, containerId, probe, result, output })
}

const learnSandbox = (d: PodDecision, command: Of<"ReportSandbox">): void => {
  const { sandbox } = d.state
  if (sandbox?.status !== "requested" || sandbox.attempt !== command.attempt) return
  if (command.outcome === "created") {
    d.emit(
      {
        _tag: "SandboxCreated",
        sandboxId: command.sandboxId ?? "",
        attempt: sandbox.attempt,
        ips: command.ips ?? [],
        createdAt: command.createdAt ?? timestamp(d.at)
      },
      sandbox.because
    )
  } else {
    const failures = (sandbox.retry?.failures ?? 0) + 1
    d.emit(
      {
        _tag: "SandboxFailed",
        attempt: sandbox.attempt,
        message: command.message ?? "",
        failures,
        retryAt: timestamp(d.at + retryDelay(failures))
      },
      sandbox.because
    )
  }
}

const learnSandboxStop = (d: PodDecision, command: Of<"ReportSandboxStop">): void => {
  const { sandbox } = d.state
  if (sandbox?.status !== "stopping" || sandbox.sandboxId !== command.sandboxId) return
  if (command.outcome === "stopped") {
    d.emit({ _tag: "SandboxStopped", sandboxId: sandbox.sandboxId }, sandbox.because)
  } else {
    operationFailed(d, "StopSandbox", command.message, sandbox.retry?.failures, sandbox.because)
  }
}

const operationFailed = (
  d: PodDecision,
  operation: "StopSandbox" | "Cleanup" | "KillContainer",
  message: string | undefined,
  before: number | undefined,
  because: string,
  containerId?: string
): void => {
  const failures = (before ?? 0) + 1
  d.emit(
    {
      _tag: "PodOperationFailed",
      operation,
      message: message ?? "",
      failures,
      retryAt: timestamp(d.at + retryDelay(failures)),
      ...(containerId === undefined ? {} : { containerId })
    },
    because
  )
}

const learnCreated = (d: PodDecision, command: Of<"ReportContainerCreated">): void => {
  const c = containerIn(d.state, command.container)
  if (c?.status !== "starting" || c.attempt !== command.attempt || c.containerId !== "") return
  const { containerId } = command
  d.emit({ _tag: "ContainerCreated", container: c.name, containerId, attempt: c.attempt }, c.because)
}

const learnRemoved = (d: PodDecision, command: Of<"ReportContainersRemoved">): void => {
  const dead = containerIn(d.state, command.container)?.dead ?? []
  for (const containerId of command.containerIds) {
    if (dead.includes(containerId)) d.emit({ _tag: "ContainerRemoved", container: command.container, containerId })
  }
}

const learnStart = (d: PodDecision, command: Of<"ReportContainerStart">): void => {
  const c = containerIn(d.state, command.container)
  if (c?.status !== "starting" || c.attempt !== command.attempt) return
  if (command.outcome === "started") {
    d.emit(
      {
        _tag: "ContainerStarted",
        container: c.name,
        containerId: command.containerId ?? c.containerId,
        attempt: c.attempt,
        startedAt: command.startedAt ?? timestamp(d.at)
      },
      c.because
    )
    return
  }
  const failures = (c.startRetry?.failures ?? 0) + 1
  d.emit(
    {
      _tag: "ContainerStartFailed",
      container: c.name,
      attempt: c.attempt,
      reason: command.reason ?? "RunContainerError",
      message: command.message ?? "",
      retryAt: timestamp(d.at + startRetryDelay(failures)),
      ...(command.imageMissing === true ? { imageMissing: true } : {})
    },
    c.because
  )
}

const learnStop = (d: PodDecision, command: Of<"ReportContainerStop">): void => {
  const c = containerIn(d.state, command.container)
  if (c?.status !== "killing" || c.containerId !== command.containerId) return
  if (command.outcome === "stopped") exited(d, c, command.observed)
  else operationFailed(d, "KillContainer", command.message, c.kill?.retry?.failures, c.because, c.containerId)
}

const learnHook = (d: PodDecision, command: Of<"ReportHook">): void => {
  const { container, containerId, hook, outcome, output, timedOut, duration } = command
  const c = containerIn(d.state, container)
  const run = c?.hooks?.[hook]
  // Of a container that is gone, or told twice after a crash of the agent.
  if (c === undefined || c.containerId !== containerId || run?.status !== "running" || !isAlive(c)) return
  const reason = hook === "PostStart" ? "FailedPostStartHook" : "FailedPreStopHook"
  const ended = { container, containerId, hook, outcome, output, timedOut, duration }
  d.emit({ _tag: "ContainerHookEnded", ...ended, ...(outcome === "failed" ? { reason } : {}) }, run.because)
}

const learnCleanup = (d: PodDecision, command: Of<"ReportCleanup">): void => {
  const { cleanup, definition, replacement } = d.state
  if (cleanup === null || definition === null) return
  if (command.outcome === "failed") {
    operationFailed(d, "Cleanup", command.message, cleanup.retry?.failures, cleanup.because)
    return
  }
  d.emit({ _tag: "PodRemoved", uid: uidOf(d.state) }, cleanup.because)
  if (replacement !== null) admit(d, replacement, replacement.because)
}

// --- the runtime's truth ---------------------------------------------------------------------------------------------

const observe = (d: PodDecision, command: Of<"ObserveRuntime">): void => {
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
  }
}

/** `observed` undefined: the runtime does not know the container any more. */
const exited = (d: PodDecision, c: ContainerInState, observed: ObservedContainer | undefined): void => {
  const exitCode = observed?.exitCode ?? lostExitCode
  const reason =
    observed === undefined ? "ContainerStatusUnknown" : (observed.reason ?? (exitCode === 0 ? "Completed" : "Error"))
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
      ...(c.kill !== null && isOn(d.flags, restartAfterOwnKill) ? { killedFor: c.kill.reason } : {}),
      startedAt: observed?.startedAt ?? c.startedAt,
      finishedAt
    },
    c.kill?.because ?? c.startedBecause,
    millis(finishedAt)
  )
}

// --- timers ----------------------------------------------------------------------------------------------------------

const timers = (state: PodState): ReadonlyArray<Timer> => {
  if (state.definition === null) return []
  const wanted: Array<Timer> = []
  const add = (key: string, retry: { readonly at: number; readonly because: string } | null | undefined) => {
    if (retry !== null && retry !== undefined) wanted.push({ key, dueAt: retry.at, because: retry.because })
  }
  add("sandbox", state.sandbox?.retry)
  add("cleanup", state.cleanup?.retry)
  const deadline = state.definition.pod.spec.activeDeadlineSeconds
  if (
    deadline !== undefined &&
    state.failed === undefined &&
    state.termination === null &&
    !isTerminalPhase(state.phase)
  ) {
    wanted.push({
      key: "deadline",
      dueAt: millis(state.startTime) + deadline * 1000,
      because: state.definition.because
    })
  }
  for (const c of state.containers) {
    if (c.status === "killing") add(`kill/${c.name}`, c.kill?.retry)
    if (isHeld(c)) wanted.push({ key: `hold/${c.name}`, dueAt: holdUntil(c.kill), because: c.kill.because })
    for (const [hook, run] of Object.entries(c.hooks ?? {})) {
      if (run.status !== "running" || run.until === undefined || !isAlive(c)) continue
      wanted.push({ key: `hook/${c.name}/${hook}`, dueAt: run.until, because: run.because })
    }
    if (c.status !== "waiting" && c.status !== "exited") continue
    add(`start/${c.name}`, c.startRetry)
    if (c.backOff !== null)
      wanted.push({ key: `back-off/${c.name}`, dueAt: c.backOff.until, because: c.backOff.because })
  }
  return wanted
}

export const podDecider: Decider<PodState, PodCommand, PodEvent> = {
  kind: "pod",
  stateVersion: 1,
  command: PodCommandSchema as never,
  initial: (id) => emptyPod(`${id.namespace}/${id.name}`),
  decide,
  evolve,
  timers,
  finished: (state) => state.definition === null && state.replacement === null && state.rejected === null,
  subject: (state) => {
    const uid = uidOf(state)
    return uid === "" ? undefined : uid
  }
}
