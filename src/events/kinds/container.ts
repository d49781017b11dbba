/** Facts about containers, written by their pod's actor. */
import { Schema } from "effect"
import { defineEvent, Timestamp } from "../definition.ts"
import { OomEvidence, tellOom } from "../oom-evidence.ts"
import { ProbeResult, ProbeType } from "./probe.ts"

const text = Schema.String
const opt = Schema.optionalKey

export const ContainerImageReady = defineEvent("ContainerImageReady", {
  kind: "pod",
  severity: "DEBUG",
  about: "The image of a container is on the node.",
  fields: { container: text, image: text, imageId: text },
  tell: (e) => `the image of ${e.container} is here`
})

export const ContainerWaiting = defineEvent("ContainerWaiting", {
  kind: "pod",
  severity: "WARN",
  about:
    "A container cannot start now, and why, in kubelet's words (ErrImagePull, ImagePullBackOff, CreateContainerError, …).",
  fields: { container: text, reason: text, message: text },
  tell: (e) => `${e.container} waits: ${e.reason}${e.message === "" ? "" : `: ${e.message}`}`
})

export const ContainerStartRequested = defineEvent("ContainerStartRequested", {
  kind: "pod",
  about: "A container is to be created and started in the pod's sandbox.",
  fields: {
    container: text,
    /** 0 for the first; the runtime's attempt and kubelet's restart count. */
    attempt: Schema.Int,
    sandboxId: text,
    imageId: text,
    reason: text
  },
  tell: (e) => `starting ${e.container}${e.attempt === 0 ? "" : ` (restart ${e.attempt})`}: ${e.reason}`
})

export const ContainerCreated = defineEvent("ContainerCreated", {
  kind: "pod",
  severity: "DEBUG",
  about: "The runtime created the container.",
  fields: { container: text, containerId: text, attempt: Schema.Int },
  tell: (e) => `created ${e.container} as ${e.containerId.slice(0, 13)}`
})

/** Numbers of a process's user and groups (KEP-3619). */
export const ContainerUser = Schema.Struct({
  uid: Schema.Int,
  gid: Schema.Int,
  supplementalGroups: Schema.Array(Schema.Int)
})

export const ContainerStarted = defineEvent("ContainerStarted", {
  kind: "pod",
  about: "The container runs.",
  fields: {
    container: text,
    containerId: text,
    attempt: Schema.Int,
    startedAt: Timestamp,
    /** What stops it, as the runtime says; absent where it does not tell. */
    stopSignal: opt(text),
    /** As whom its first process runs, as the runtime says; absent where it does not tell. */
    user: opt(ContainerUser)
  },
  tell: (e) => `${e.container} runs (${e.containerId.slice(0, 13)}${e.attempt === 0 ? "" : `, restart ${e.attempt}`})`
})

export const ContainerStopSignalIgnored = defineEvent("ContainerStopSignalIgnored", {
  kind: "pod",
  severity: "WARN",
  about:
    "The runtime does not stop the container by the signal that its definition asks for (`lifecycle.stopSignal`): it is too old to know of it, and takes what the image says.",
  fields: {
    container: text,
    containerId: text,
    asked: text,
    /** What the runtime says that it takes; absent where it does not tell. */
    taken: opt(text)
  },
  tell: (e) =>
    `${e.container} asks to be stopped by ${e.asked}, and the runtime ${e.taken === undefined ? "does not know of that" : `takes ${e.taken}`}`
})

export const ContainerStartFailed = defineEvent("ContainerStartFailed", {
  kind: "pod",
  severity: "ERROR",
  about: "The container could not be created or started; it is tried again after a back-off.",
  fields: {
    container: text,
    attempt: Schema.Int,
    /** kubelet's words: CreateContainerConfigError, CreateContainerError, RunContainerError. */
    reason: text,
    message: text,
    retryAt: Timestamp,
    /** The runtime does not have the image any more; it is asked for again. */
    imageMissing: opt(Schema.Boolean)
  },
  tell: (e) => `${e.container} could not be started: ${e.reason}: ${e.message}`
})

/** Why the agent stops a container. */
export const KillReason = Schema.Literals([
  "LivenessProbe",
  "StartupProbe",
  "PodTerminating",
  "SandboxLost",
  /** Its postStart hook failed (kubelet's word). */
  "FailedPostStartHook",
  /** The pod's other containers have ended for good, so that its sidecars end too. */
  "PodCompleted",
  /** The pod was active for longer than its activeDeadlineSeconds. */
  "DeadlineExceeded",
  /** The exit of one of the pod's containers restarts all of them. */
  "RestartAllContainers",
  /** Its resizePolicy restarts it for its new resources. */
  "Resize",
  "Unknown",
  /** A pod of higher priority takes the place of this one. */
  "Preempting",
  /** The machine shuts down. */
  "NodeShutdown",
  /** The node is short of something, or the pod went beyond a limit of its own. */
  "Evicted"
])

export const ContainerKillRequested = defineEvent("ContainerKillRequested", {
  kind: "pod",
  severity: "WARN",
  about: "The container is to be stopped: its stop signal first, SIGKILL when the grace period is over.",
  fields: {
    container: text,
    containerId: text,
    reason: KillReason,
    message: text,
    gracePeriodSeconds: Schema.Int,
    /** Its preStop hook runs first, within the grace period; the stop signal follows with ContainerStopRequested. */
    preStop: opt(Schema.Boolean),
    /** Containers that end first (sidecars end last, in reverse order); the signal follows with ContainerStopRequested. */
    after: opt(Schema.Array(text)),
    /** Attempts that failed before. */
    failures: opt(Schema.Int)
  },
  tell: (e) => `stopping ${e.container} (grace ${e.gracePeriodSeconds} s): ${e.message}`
})

export const ContainerStopRequested = defineEvent("ContainerStopRequested", {
  kind: "pod",
  about:
    "A container whose stop had to wait is to be stopped now: its preStop hook is through and it is its turn, or its grace period is over.",
  fields: {
    container: text,
    containerId: text,
    /** What is left of it; at least 2 s. */
    gracePeriodSeconds: Schema.Int,
    reason: text
  },
  tell: (e) => `signalling ${e.container} to stop (${e.gracePeriodSeconds} s left): ${e.reason}`
})

const Hook = Schema.Literals(["PostStart", "PreStop"])

export const ContainerHookStarted = defineEvent("ContainerHookStarted", {
  kind: "pod",
  about:
    "A lifecycle hook of the container is to run: postStart right after its start, preStop before its stop signal. After a crash of the agent it may run once more.",
  fields: {
    container: text,
    containerId: text,
    hook: Hook,
    /** What it does, for people: `exec sh -c …`, `GET http://10.0.0.3:8080/bye`, `sleep 5 s`. */
    target: text,
    /** When a sleep is over. */
    until: opt(Timestamp)
  },
  tell: (e) => `${hookField(e.hook)} of ${e.container} runs: ${e.target}`
})

export const ContainerHookEnded = defineEvent("ContainerHookEnded", {
  kind: "pod",
  severityOf: (e) => (e.outcome === "succeeded" ? "INFO" : "WARN"),
  about: "A lifecycle hook ended. A failed postStart hook stops its container; a failed preStop hook holds nothing up.",
  fields: {
    container: text,
    containerId: text,
    hook: Hook,
    outcome: Schema.Literals(["succeeded", "failed"]),
    /** kubelet's words: FailedPostStartHook, FailedPreStopHook; absent where it succeeded. */
    reason: opt(text),
    /** What was seen, at most 1 KiB. */
    output: text,
    timedOut: Schema.Boolean,
    /** Milliseconds. */
    duration: Schema.Int
  },
  tell: (e) =>
    `${hookField(e.hook)} of ${e.container} ${e.outcome}${e.timedOut ? " (not in time)" : ""}${e.outcome === "succeeded" || e.output === "" ? "" : `: ${e.output}`}`
})

/** As the manifest calls it. */
const hookField = (hook: typeof Hook.Type): string => (hook === "PostStart" ? "postStart" : "preStop")

export const ContainerExited = defineEvent("ContainerExited", {
  kind: "pod",
  severity: "WARN",
  severityOf: (e) => (e.exitCode === 0 ? "INFO" : "WARN"),
  about: "The container ended.",
  fields: {
    container: text,
    containerId: text,
    attempt: Schema.Int,
    exitCode: Schema.Int,
    /** Signal number where the exit code tells one (128 + n). */
    signal: opt(Schema.Int),
    /** The runtime's word: Completed, Error, OOMKilled, ContainerCannotRun, …; ContainerStatusUnknown where it lost it. */
    reason: text,
    /** The container's own last words (its termination message), at most 4 KiB. */
    message: text,
    oomKilled: Schema.Boolean,
    /** What the kernel says where it killed processes of the container for want of memory; it may have ended by something else. */
    oom: opt(OomEvidence),
    /** Why the agent had stopped it; absent: it ended by itself. */
    killedFor: opt(KillReason),
    startedAt: opt(Timestamp),
    finishedAt: Timestamp
  },
  tell: (e) =>
    `${e.container} ended with exit code ${e.exitCode}${e.oomKilled ? ` (out of memory${e.oom === undefined ? "" : `: ${tellOom(e.oom)}`})` : e.signal === undefined ? "" : ` (signal ${e.signal})`}${e.message === "" ? "" : `: ${e.message}`}`
})

export const ContainerBackOffStarted = defineEvent("ContainerBackOffStarted", {
  kind: "pod",
  severity: "WARN",
  about:
    "The container is not restarted before a time: 10 s after its end, doubling to 300 s, forgotten after 600 s of running.",
  fields: { container: text, delaySeconds: Schema.Finite, until: Timestamp },
  tell: (e) => `${e.container} is restarted in ${e.delaySeconds} s (CrashLoopBackOff)`
})

export const ContainerReadinessChanged = defineEvent("ContainerReadinessChanged", {
  kind: "pod",
  about: "Whether the container is ready changed.",
  fields: { container: text, ready: Schema.Boolean },
  tell: (e) => `${e.container} is ${e.ready ? "ready" : "not ready"}`
})

export const ContainerProbeReported = defineEvent("ContainerProbeReported", {
  kind: "pod",
  severity: "DEBUG",
  about: "What a probe says of a container changed, as the pod took it in.",
  fields: { container: text, containerId: text, probe: ProbeType, result: ProbeResult, output: text },
  tell: (e) => `${e.probe} of ${e.container} is ${e.result}`
})

export const ContainerRemoved = defineEvent("ContainerRemoved", {
  kind: "pod",
  severity: "DEBUG",
  about: "A dead container was removed from the runtime; the newest dead one of each name is kept.",
  fields: { container: text, containerId: text },
  tell: (e) => `removed dead container ${e.containerId.slice(0, 13)} of ${e.container}`
})

export const containerEvents = [
  ContainerImageReady,
  ContainerWaiting,
  ContainerStartRequested,
  ContainerCreated,
  ContainerStarted,
  ContainerStopSignalIgnored,
  ContainerStartFailed,
  ContainerHookStarted,
  ContainerHookEnded,
  ContainerKillRequested,
  ContainerStopRequested,
  ContainerExited,
  ContainerBackOffStarted,
  ContainerReadinessChanged,
  ContainerProbeReported,
  ContainerRemoved
] as const
