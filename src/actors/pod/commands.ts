/** What a pod's actor can be told. Times are milliseconds since the epoch, but for those of the runtime (RFC 3339). */
import { Schema } from "effect"
import { CgroupValues } from "../../events/cgroup-values.ts"
import { Timestamp } from "../../events/definition.ts"
import { ContainerUser } from "../../events/kinds/container.ts"
import { DnsWarning, PodHold } from "../../events/kinds/pod.ts"
import { ProbeResult, ProbeType } from "../../events/kinds/probe.ts"
import { NodeRoom } from "../../events/node-room.ts"
import { OomEvidence } from "../../events/oom-evidence.ts"
import { Pod } from "../../events/pod-spec.ts"
import { UserNamespace } from "../../events/user-namespace.ts"
import { TimerFired } from "../kernel/behavior.ts"

const text = Schema.String
const opt = Schema.optionalKey
const at = Schema.Finite

/** A source wants this pod to run. Again and again the same is no news. The pod is in its recorded form (no secrets). */
export const DesirePod = Schema.TaggedStruct("DesirePod", {
  at,
  pod: Pod,
  source: text,
  /** Longest crash back-off of this node, seconds; absent: kubelet's 300. */
  maxRestartPeriodSeconds: opt(Schema.Finite),
  /** Ids that are set aside for its user namespace, where it asks for one. */
  userNamespace: opt(UserNamespace),
  /** Handler of its RuntimeClass; absent: the node's default. */
  runtimeHandler: opt(text),
  /** What the node had left when the pod was asked for; absent: nothing is limited. */
  room: opt(NodeRoom),
  /** The node takes no pods now; absent: it does. */
  hold: opt(PodHold)
})
export const UndesirePod = Schema.TaggedStruct("UndesirePod", {
  at,
  uid: text,
  reason: Schema.Literal("ManifestRemoved")
})

/** The node is drained: the pod ends and waits. Grace in seconds, in place of its own. */
export const DrainPod = Schema.TaggedStruct("DrainPod", {
  at,
  uid: text,
  gracePeriodSeconds: opt(Schema.Int)
})
/** The machine shuts down, and its group's turn has come. Seconds. */
export const ShutDownPod = Schema.TaggedStruct("ShutDownPod", { at, uid: text, gracePeriodSeconds: Schema.Finite })

/** A pod of higher priority takes this one's place. */
export const PreemptPod = Schema.TaggedStruct("PreemptPod", { at, uid: text, by: text, byUid: text })
/** Nothing runs any more of the pods whose place this one takes. */
export const ReportPreempted = Schema.TaggedStruct("ReportPreempted", { at, uid: text })

/** The node is short of something, or the pod went beyond a limit of its own. */
export const EvictPod = Schema.TaggedStruct("EvictPod", {
  at,
  uid: text,
  signal: text,
  message: text,
  /** At most; the pod's own may be less. */
  gracePeriodSeconds: Schema.Int,
  disrupted: Schema.Boolean
})

export const ReportImage = Schema.TaggedStruct("ReportImage", {
  at,
  image: text,
  outcome: Schema.Literals(["present", "failed"]),
  imageId: opt(text),
  reason: opt(text),
  message: opt(text),
  /** Tries that have failed in a row. */
  attempt: opt(Schema.Int),
  retryAt: opt(Timestamp)
})
export const ReportVolume = Schema.TaggedStruct("ReportVolume", {
  at,
  volume: text,
  outcome: Schema.Literals(["mounted", "failed", "unmounted"]),
  path: opt(text),
  message: opt(text)
})
export const ReportProbe = Schema.TaggedStruct("ReportProbe", {
  at,
  container: text,
  containerId: text,
  probe: ProbeType,
  result: ProbeResult,
  output: text
})

/** One container as the runtime has it; `missing`: it does not know it. */
export const ObservedContainer = Schema.Struct({
  containerId: text,
  state: Schema.Literals(["created", "running", "exited", "unknown", "missing"]),
  startedAt: opt(Timestamp),
  finishedAt: opt(Timestamp),
  exitCode: opt(Schema.Int),
  reason: opt(text),
  message: opt(text),
  /** What the kernel says of processes of it that it killed for want of memory; `reason` goes by it too. */
  oom: opt(OomEvidence)
})
export type ObservedContainer = typeof ObservedContainer.Type
export const ReportSandbox = Schema.TaggedStruct("ReportSandbox", {
  at,
  attempt: Schema.Int,
  outcome: Schema.Literals(["created", "failed"]),
  sandboxId: opt(text),
  ips: opt(Schema.Array(text)),
  /** Addresses of the node that the pod is told, the primary one first. */
  hostIps: opt(Schema.Array(text)),
  createdAt: opt(Timestamp),
  message: opt(text),
  /** What of the pod's DNS was left out or stood in. */
  dnsWarnings: opt(Schema.Array(DnsWarning)),
  /** Of a failure that is not the runtime's: FailedToCreatePodContainer. */
  reason: opt(text),
  /** The pod's cgroup, which is made before its sandbox; absent where the agent makes none. `made`: it was not there. */
  cgroup: opt(Schema.Struct({ path: text, values: CgroupValues, made: Schema.Boolean }))
})
/** What a look at the pod's cgroup found. */
export const ReportCgroup = Schema.TaggedStruct("ReportCgroup", { at, path: text, outcome: Schema.Literal("missing") })
export const ReportSandboxStop = Schema.TaggedStruct("ReportSandboxStop", {
  at,
  sandboxId: text,
  outcome: Schema.Literals(["stopped", "failed"]),
  message: opt(text)
})
export const ReportContainerCreated = Schema.TaggedStruct("ReportContainerCreated", {
  at,
  container: text,
  attempt: Schema.Int,
  containerId: text
})
export const ReportContainerStart = Schema.TaggedStruct("ReportContainerStart", {
  at,
  container: text,
  attempt: Schema.Int,
  outcome: Schema.Literals(["started", "failed"]),
  containerId: opt(text),
  startedAt: opt(Timestamp),
  /** What stops it, as the runtime says. */
  stopSignal: opt(text),
  user: opt(ContainerUser),
  reason: opt(text),
  message: opt(text),
  /** The runtime does not have the image any more: it is to be asked for again. */
  imageMissing: opt(Schema.Boolean)
})
export const ReportContainerStop = Schema.TaggedStruct("ReportContainerStop", {
  at,
  container: text,
  containerId: text,
  outcome: Schema.Literals(["stopped", "failed"]),
  message: opt(text),
  /** How it ended; absent where the runtime does not know it any more. */
  observed: opt(ObservedContainer)
})
/** What became of a hook that asked something of its container; a sleep is told by its timer. */
export const ReportHook = Schema.TaggedStruct("ReportHook", {
  at,
  container: text,
  containerId: text,
  hook: Schema.Literals(["PostStart", "PreStop"]),
  outcome: Schema.Literals(["succeeded", "failed"]),
  output: text,
  timedOut: Schema.Boolean,
  /** Milliseconds. */
  duration: Schema.Int
})
export const ReportContainersRemoved = Schema.TaggedStruct("ReportContainersRemoved", {
  at,
  container: text,
  containerIds: Schema.Array(text)
})
export const ReportCleanup = Schema.TaggedStruct("ReportCleanup", {
  at,
  outcome: Schema.Literals(["done", "failed"]),
  message: opt(text)
})

/**
 * What the runtime's truth says against the pod's state: only what was found changed, so that what began after the
 * listing is not taken for lost.
 */
export const ObserveRuntime = Schema.TaggedStruct("ObserveRuntime", {
  at,
  uid: text,
  sandboxes: Schema.Array(Schema.Struct({ sandboxId: text, state: Schema.Literals(["notReady", "missing"]) })),
  containers: Schema.Array(ObservedContainer)
})
export type ObserveRuntime = typeof ObserveRuntime.Type

/** What became of bringing a resize into force. `containers`: those that were updated while they ran. */
export const ReportResize = Schema.TaggedStruct("ReportResize", {
  at,
  outcome: Schema.Literals(["done", "failed"]),
  message: opt(text),
  containers: opt(Schema.Array(text)),
  cgroup: opt(Schema.Struct({ path: text, from: CgroupValues, to: CgroupValues }))
})
/** A deferred resize may fit now. */
export const RetryResize = Schema.TaggedStruct("RetryResize", { at, room: NodeRoom })

export const PodCommand = Schema.Union([
  ReportResize,
  RetryResize,
  DesirePod,
  UndesirePod,
  DrainPod,
  ShutDownPod,
  PreemptPod,
  ReportPreempted,
  EvictPod,
  ReportImage,
  ReportVolume,
  ReportProbe,
  ReportSandbox,
  ReportCgroup,
  ReportSandboxStop,
  ReportContainerCreated,
  ReportContainerStart,
  ReportContainerStop,
  ReportHook,
  ReportContainersRemoved,
  ReportCleanup,
  ObserveRuntime,
  TimerFired
])
export type PodCommand = typeof PodCommand.Type
export type CommandOf<Tag extends PodCommand["_tag"]> = Extract<PodCommand, { readonly _tag: Tag }>
