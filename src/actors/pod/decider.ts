/** The pod's decider: first what a command says as facts, then `plan`, the consequences for the whole pod. */
import { timestamp } from "../../events/definition.ts"
import type { PodHold } from "../../events/kinds/pod.ts"
import { evictedReason } from "../eviction/rules/message.ts"
import type { Decided, Decider } from "../kernel/behavior.ts"
import { Decision } from "../kernel/decision.ts"
import { type Flags, isOn, leastGracePeriod, preemption } from "../kernel/flags.ts"
import { admission, lacksOnlyRoom } from "./admission/admission.ts"
import { type CommandOf, type PodCommand, PodCommand as PodCommandSchema } from "./commands.ts"
import { evolve, type PodDecision, type PodEvent } from "./evolve.ts"
import {
  learnCreated,
  learnHook,
  learnProbe,
  learnRemoved,
  learnStart,
  learnStop,
  observe
} from "./learn-containers.ts"
import { learnImage } from "./learn-image.ts"
import { operationFailed, retryDelay } from "./operation-failed.ts"
import { asksOtherwise, updateEphemeral } from "./plan/ephemeral.ts"
import { podGracePeriod } from "./plan/grace.ts"
import { updateInPlace } from "./plan/in-place.ts"
import { plan } from "./plan/plan.ts"
import { qosClass } from "./resources/qos.ts"
import { learnResize, retryResize, updateResources } from "./resources/resize.ts"
import { emptyPod, type PodState, uidOf } from "./state.ts"
import { isTerminalPhase } from "./status/phase.ts"
import { podTimers } from "./timers.ts"

export const decide = (state: PodState, command: PodCommand, flags: Flags): ReadonlyArray<Decided<PodEvent>> => {
  const d: PodDecision = new Decision(state, evolve, command.at, flags)
  learning[command._tag](d, command as never)
  plan(d)
  return d.decided
}

type Learn = { readonly [Tag in PodCommand["_tag"]]: (d: PodDecision, command: CommandOf<Tag>) => void }

/** What each command says as facts. A timer says nothing by itself: its time has come, and the plan sees to it. */
const learning: Learn = {
  DesirePod: (d, command) => desire(d, command),
  UndesirePod: (d, { uid }) => undesire(d, uid),
  DrainPod: (d, command) => drainPod(d, command),
  ShutDownPod: (d, command) => shutDownPod(d, command),
  PreemptPod: (d, command) => preempt(d, command),
  ReportPreempted: (d, { uid }) => learnPreempted(d, uid),
  EvictPod: (d, command) => evict(d, command),
  ReportImage: (d, command) => learnImage(d, command),
  ReportVolume: (d, command) => learnVolume(d, command),
  ReportProbe: (d, command) => learnProbe(d, command),
  ReportSandbox: (d, command) => learnSandbox(d, command),
  ReportResize: (d, command) => learnResize(d, command),
  RetryResize: (d, command) => retryResize(d, command),
  ReportCgroup: (d, command) => learnCgroup(d, command),
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

type EndReason = NonNullable<PodState["termination"]>["reason"]

type Desired = Pick<
  CommandOf<"DesirePod">,
  "pod" | "source" | "maxRestartPeriodSeconds" | "room" | "hold" | "userNamespace" | "runtimeHandler"
>

const definitionOf = ({ pod, source, maxRestartPeriodSeconds, userNamespace, runtimeHandler }: Desired) => ({
  pod,
  source,
  qosClass: qosClass(pod.spec),
  ...(maxRestartPeriodSeconds === undefined ? {} : { maxRestartPeriodSeconds }),
  ...(userNamespace === undefined ? {} : { userNamespace }),
  ...(runtimeHandler === undefined ? {} : { runtimeHandler })
})

const admit = (d: PodDecision, desired: Desired, because?: string): void => {
  const { pod, source, hold } = desired
  // Of one that waits the room is looked at when its time comes; what no room mends is told now.
  const room = hold === undefined ? desired.room : undefined
  const refusal = admission(pod, room)
  const preempted = room?.preempt ?? []
  if (refusal !== undefined && preempted.length > 0 && isOn(d.flags, preemption) && lacksOnlyRoom(pod, room!)) {
    const { message } = refusal
    d.emit({ _tag: "PodPreemptionDecided", ...definitionOf(desired), preempted, message }, because)
  } else if (refusal !== undefined) {
    const pressure = refusal.reason === evictedReason ? room?.pressureBecause : undefined
    d.emit({ _tag: "PodRejected", uid: pod.metadata.uid, source, ...refusal }, pressure ?? because)
  } else if (hold !== undefined) {
    d.emit({ _tag: "PodHeld", ...definitionOf(desired), ...hold }, because)
  } else {
    d.emit({ _tag: "PodAdmitted", ...definitionOf(desired) }, because)
  }
}

const desire = (d: PodDecision, desired: Desired): void => {
  const { uid } = desired.pod.metadata
  const { definition, replacement, rejected, termination, held } = d.state
  if (definition === null) {
    if (rejected?.uid === uid) return
    if (replacement?.pod.metadata.uid === uid) {
      if (held !== undefined && desired.hold === undefined) admit(d, desired)
      return
    }
    if (replacement !== null) d.emit({ _tag: "PodReplacementDropped", uid: replacement.pod.metadata.uid })
    admit(d, desired)
    return
  }
  const isReturned = isShutDown(d.state) && desired.hold === undefined
  if (definition.pod.metadata.uid === uid && termination === null && !isReturned) {
    updateEphemeral(d, desired.pod)
    updateInPlace(d, desired.pod)
    updateResources(d, desired)
    return
  }
  // The one that waits may have been given ephemeral containers meanwhile.
  if (replacement?.pod.metadata.uid === uid && !asksOtherwise(replacement.pod, desired.pod)) return
  const queued = d.emit({
    _tag: "PodReplacementQueued",
    ...definitionOf(desired),
    ...(desired.room === undefined ? {} : { room: desired.room }),
    ...(desired.hold === undefined ? {} : { hold: desired.hold })
  })
  if (termination === null) terminate(d, isReturned ? "NodeReturned" : "DefinitionChanged", queued)
}

/** It ended for a shutdown of the machine. */
const isShutDown = ({ failed }: PodState): boolean => failed?.reason === "Terminated"

const undesire = (d: PodDecision, uid: string): void => {
  if (d.state.replacement?.pod.metadata.uid === uid) {
    d.emit({ _tag: "PodReplacementDropped", uid })
  } else if (d.state.definition?.pod.metadata.uid === uid) {
    if (d.state.termination === null) terminate(d, "ManifestRemoved")
  } else if (d.state.rejected?.uid === uid) {
    d.emit({ _tag: "PodRemoved", uid })
  }
}

/** The node takes no pods while it is drained: the pod waits when it is gone. */
const drained: PodHold = { reason: "NodeCordoned", message: "the node is cordoned" }

const drainPod = (d: PodDecision, { uid, gracePeriodSeconds }: CommandOf<"DrainPod">): void => {
  if (d.state.definition?.pod.metadata.uid !== uid || d.state.termination !== null) return
  terminate(d, "NodeDrained", undefined, gracePeriodSeconds)
}

/** kubelet's words (`pkg/kubelet/nodeshutdown/nodeshutdown_manager.go`). */
const shutdownMessage = "Pod was terminated in response to imminent node shutdown."

const shutDownPod = (d: PodDecision, { uid, gracePeriodSeconds }: CommandOf<"ShutDownPod">): void => {
  const { definition, termination, failed, phase } = d.state
  if (definition?.pod.metadata.uid !== uid || termination !== null || failed !== undefined) return
  if (isTerminalPhase(phase)) return
  d.emit({ _tag: "PodShutDown", gracePeriodSeconds, message: shutdownMessage })
}

/** kubelet's words (`pkg/kubelet/preemption/preemption.go`), and for whom. */
const preemptedMessage = "Preempted in order to admit critical pod"

const preempt = (d: PodDecision, { uid, by, byUid }: CommandOf<"PreemptPod">): void => {
  const { definition, termination, failed, phase } = d.state
  if (definition?.pod.metadata.uid !== uid || termination !== null || failed !== undefined) return
  if (isTerminalPhase(phase)) return
  d.emit({ _tag: "PodPreempted", by, byUid, message: preemptedMessage })
}

/** Its own grace period counts where it is the shorter one (`pod_workers.go` calculateEffectiveGracePeriod). */
const evict = (d: PodDecision, command: CommandOf<"EvictPod">): void => {
  const { definition, termination, failed, phase } = d.state
  const { uid, signal, message, gracePeriodSeconds, disrupted } = command
  if (definition?.pod.metadata.uid !== uid || termination !== null || failed !== undefined) return
  if (isTerminalPhase(phase)) return
  const grace = Math.min(
    podGracePeriod(definition.pod.spec, undefined, gracePeriodSeconds),
    podGracePeriod(definition.pod.spec)
  )
  d.emit({ _tag: "PodEvicted", signal, message, gracePeriodSeconds: grace, disrupted })
}

/** The room that was missing is there. */
const learnPreempted = (d: PodDecision, uid: string): void => {
  const { replacement, preempting } = d.state
  if (preempting === undefined || replacement?.pod.metadata.uid !== uid) return
  d.emit({ _tag: "PodAdmitted", ...definitionOf(replacement) }, preempting.because)
}

/** `override`: seconds, in place of the pod's own grace period. */
const terminate = (d: PodDecision, reason: EndReason, because?: string, override?: number): void => {
  const spec: { readonly terminationGracePeriodSeconds?: number } = d.state.definition?.pod.spec ?? {}
  const gracePeriodSeconds = isOn(d.flags, leastGracePeriod)
    ? podGracePeriod(spec, undefined, override)
    : (spec.terminationGracePeriodSeconds ?? 30)
  d.emit({ _tag: "PodTerminationRequested", reason, gracePeriodSeconds }, because)
}

// --- outcomes --------------------------------------------------------------------------------------------------------

const learnVolume = (d: PodDecision, command: CommandOf<"ReportVolume">): void => {
  const volume = d.state.volumes.find((v) => v.name === command.volume)
  if (volume === undefined) return
  if (command.outcome === "mounted" && volume.status === "requested") {
    d.emit({ _tag: "PodVolumeReady", volume: volume.name, path: command.path ?? "" })
  } else if (command.outcome === "unmounted" && volume.status === "released") {
    d.emit({ _tag: "PodVolumeRemoved", volume: volume.name })
  }
}

const learnSandbox = (d: PodDecision, command: CommandOf<"ReportSandbox">): void => {
  const { sandbox } = d.state
  if (sandbox?.status !== "requested" || sandbox.attempt !== command.attempt) return
  learnPodCgroup(d, command.cgroup, sandbox.because)
  if (command.outcome === "created") {
    d.emit(
      {
        _tag: "SandboxCreated",
        sandboxId: command.sandboxId ?? "",
        attempt: sandbox.attempt,
        ips: command.ips ?? [],
        ...(command.hostIps === undefined ? {} : { hostIps: command.hostIps }),
        createdAt: command.createdAt ?? timestamp(d.at),
        ...(command.dnsWarnings === undefined ? {} : { dnsWarnings: command.dnsWarnings })
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
        retryAt: timestamp(d.at + retryDelay(failures)),
        ...(command.reason === undefined ? {} : { reason: command.reason })
      },
      sandbox.because
    )
  }
}

/** The cgroup comes before the sandbox, and is told first. What is known already is no news. */
const learnPodCgroup = (d: PodDecision, report: CommandOf<"ReportSandbox">["cgroup"], because: string): void => {
  if (report === undefined) return
  const { path, values, made } = report
  const known = d.state.cgroup
  const isKnown = known?.path === path && JSON.stringify(known.values) === JSON.stringify(values)
  if (isKnown && !made) return
  d.emit({ _tag: "PodCgroupCreated", path, values, ...(made ? {} : { found: true }) }, because)
}

/** kubelet kills a pod whose cgroup is gone and makes both anew (`kubelet.go` SyncPod). */
const learnCgroup = (d: PodDecision, { path }: CommandOf<"ReportCgroup">): void => {
  const { cgroup, sandbox, termination } = d.state
  if (cgroup?.path !== path || sandbox?.status !== "ready" || termination !== null) return
  const lost = d.emit({ _tag: "PodCgroupLost", path })
  d.emit({ _tag: "SandboxLost", sandboxId: sandbox.sandboxId, reason: "the pod's cgroup is gone" }, lost)
}

const learnSandboxStop = (d: PodDecision, command: CommandOf<"ReportSandboxStop">): void => {
  const { sandbox } = d.state
  if (sandbox?.status !== "stopping" || sandbox.sandboxId !== command.sandboxId) return
  if (command.outcome === "stopped") {
    d.emit({ _tag: "SandboxStopped", sandboxId: sandbox.sandboxId }, sandbox.because)
  } else {
    operationFailed(d, "StopSandbox", command.message, sandbox, sandbox.because)
  }
}

const learnCleanup = (d: PodDecision, command: CommandOf<"ReportCleanup">): void => {
  const { cleanup, definition, replacement, termination } = d.state
  if (cleanup === null || definition === null) return
  if (command.outcome === "failed") {
    operationFailed(d, "Cleanup", command.message, cleanup, cleanup.because)
    return
  }
  d.emit({ _tag: "PodRemoved", uid: uidOf(d.state) }, cleanup.because)
  if (replacement !== null) admit(d, replacement, replacement.because)
  else if (termination?.reason === "NodeDrained") admit(d, { ...definition, hold: drained }, termination.because)
}

export const podDecider: Decider<PodState, PodCommand, PodEvent> = {
  kind: "pod",
  stateVersion: 1,
  command: PodCommandSchema as never,
  initial: (id) => emptyPod(`${id.namespace}/${id.name}`),
  decide,
  evolve,
  timers: podTimers,
  finished: (state) => state.definition === null && state.replacement === null && state.rejected === null,
  subject: (state) => {
    const uid = uidOf(state)
    return uid === "" ? undefined : uid
  }
}
