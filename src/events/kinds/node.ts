/** Facts about the node and its agent. */
import { Schema } from "effect"
import { CgroupValues, tellValues } from "../cgroup-values.ts"
import { defineEvent } from "../definition.ts"

const text = Schema.String

export const NodeStarted = defineEvent("NodeStarted", {
  kind: "node",
  about: "The agent started on this node and has folded its journal.",
  fields: {
    version: text,
    /** `bun 1.4.5` or `deno 2.9.6`. */
    host: text,
    kernel: text,
    architecture: text,
    cgroupVersion: Schema.Literals(["v1", "v2", "none"]),
    bootId: text,
    pid: Schema.Int,
    recording: Schema.Literals(["events", "inputs"]),
    /** Numbers of the decision flags in force: how deciders behave (see kernel/flags.ts). */
    flags: Schema.Array(Schema.Int),
    recoveredEvents: Schema.Int,
    recoveredActors: Schema.Int,
    /** Directory of the pods' logs. */
    podLogsDir: Schema.optionalKey(text)
  },
  tell: (e) =>
    `agent ${e.version} started on ${e.host}, kernel ${e.kernel}, cgroup ${e.cgroupVersion}; recovered ${e.recoveredActors} actors from ${e.recoveredEvents} events`
})

export const NodeStopped = defineEvent("NodeStopped", {
  kind: "node",
  about: "The agent stopped in good order; containers run on.",
  fields: { reason: text },
  tell: (e) => `agent stopped: ${e.reason}`
})

export const AdmissionClosed = defineEvent("AdmissionClosed", {
  kind: "node",
  severity: "ERROR",
  about: "No new pod is admitted: the disk that holds the journal is full or nearly so. Running pods go on.",
  fields: { reason: text, freeBytes: Schema.Int },
  tell: (e) => `no new pods are admitted: ${e.reason} (${e.freeBytes} bytes free)`
})

export const AdmissionOpened = defineEvent("AdmissionOpened", {
  kind: "node",
  about: "New pods are admitted again.",
  fields: { freeBytes: Schema.Int },
  tell: (e) => `new pods are admitted again (${e.freeBytes} bytes free)`
})

export const JournalPruned = defineEvent("JournalPruned", {
  kind: "node",
  about: "The oldest part of the journal was dropped by the retention rules, after it had been published.",
  fields: { throughSequence: Schema.Int, events: Schema.Int, /** Chain hash at the cut. */ hash: text },
  tell: (e) => `journal pruned through ${e.throughSequence} (${e.events} events)`
})

/**
 * Which of the cgroups above the pods: that of all pods, of Burstable ones, of BestEffort ones; or which of those beside them, of what
 * runs pods and of the system, that are held to what is reserved for them.
 */
export const TierName = Schema.Literals(["pods", "burstable", "besteffort", "kube-reserved", "system-reserved"])

export const QosCgroupUpdated = defineEvent("QosCgroupUpdated", {
  kind: "node",
  severity: "DEBUG",
  about:
    "The cgroup above a class of pods is to have these values: the Burstable pods together have shares for what they request, the BestEffort ones the least, and all of them the limits of what the node has for pods. Cgroups of the system and of what runs pods get what is reserved for them, where enforceNodeAllocatable says so.",
  fields: {
    tier: TierName,
    path: text,
    values: CgroupValues,
    /** What it had; absent: it is new. */
    from: Schema.optionalKey(CgroupValues),
    /** Pods of the node that were counted. */
    pods: Schema.Int
  },
  tell: (e) => `cgroup ${e.path}: ${tellValues(e.values)} (${e.pods} pods)`
})

export const QosCgroupFailed = defineEvent("QosCgroupFailed", {
  kind: "node",
  severity: "ERROR",
  about:
    "The cgroup above a class of pods could not be made or set, or one of the system that enforceNodeAllocatable names; it is tried again every minute. Pods whose own cgroup cannot be made do not start (FailedToCreatePodContainer).",
  fields: { path: text, message: text },
  tell: (e) => `cgroup ${e.path} could not be set: ${e.message}`
})

export const QosCgroupRestored = defineEvent("QosCgroupRestored", {
  kind: "node",
  about: "The cgroup above a class of pods is as it is to be again, after a failure or after somebody removed it.",
  fields: { path: text, reason: Schema.Literals(["Failed", "Removed"]) },
  tell: (e) => `cgroup ${e.path} is set again (${e.reason === "Failed" ? "it had failed" : "it was gone"})`
})

export const nodeEvents = [
  NodeStarted,
  NodeStopped,
  AdmissionClosed,
  AdmissionOpened,
  JournalPruned,
  QosCgroupUpdated,
  QosCgroupFailed,
  QosCgroupRestored
] as const
