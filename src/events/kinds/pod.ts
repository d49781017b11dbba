/** Facts about pods and their sandboxes. Facts about containers, which belong to the pod's state, are in container.ts. */
import { Schema } from "effect"
import { CgroupValues, tellValues } from "../cgroup-values.ts"
import { defineEvent, Timestamp } from "../definition.ts"
import { NodeRoom, PreemptedPod } from "../node-room.ts"
import { EphemeralContainer, Pod } from "../pod-spec.ts"
import { UserNamespace } from "../user-namespace.ts"

const text = Schema.String

/** How the runtime is to keep the pod apart; both absent for a pod that asks for nothing. */
const isolation = {
  /** Ids of its user namespace, where it has one of its own. No other pod of the node has any of them meanwhile. */
  userNamespace: Schema.optionalKey(UserNamespace),
  /** Handler of its RuntimeClass. */
  runtimeHandler: Schema.optionalKey(text)
}
export const PodPhase = Schema.Literals(["Pending", "Running", "Succeeded", "Failed", "Unknown"])
export type PodPhase = typeof PodPhase.Type
export const QosClass = Schema.Literals(["Guaranteed", "Burstable", "BestEffort"])

export const PodAdmitted = defineEvent("PodAdmitted", {
  kind: "pod",
  about: "The pod is to run on this node. Its definition is as written, with defaults, without secret values.",
  fields: {
    pod: Pod,
    /** Manifest file. */
    source: text,
    qosClass: QosClass,
    /** Longest crash back-off, seconds; absent: 300. */
    maxRestartPeriodSeconds: Schema.optionalKey(Schema.Finite),
    ...isolation
  },
  tell: (e) => `admitted ${e.pod.metadata.namespace}/${e.pod.metadata.name} (${e.qosClass}) from ${e.source}`
})

export const PodRejected = defineEvent("PodRejected", {
  kind: "pod",
  severity: "ERROR",
  about: "The pod cannot run on this node.",
  fields: { uid: text, source: text, reason: text, message: text, field: Schema.optionalKey(text) },
  tell: (e) => `rejected: ${e.reason}: ${e.message}`
})

/** Why a pod waits with everything: the node takes no pods. */
export const PodHold = Schema.Struct({ reason: Schema.Literals(["NodeCordoned", "NodeShutdown"]), message: text })
export type PodHold = typeof PodHold.Type

export const PodHeld = defineEvent("PodHeld", {
  kind: "pod",
  severity: "WARN",
  about:
    "The node takes no pods: it is cordoned (NodeCordoned) or shuts down (NodeShutdown). The pod waits; it is admitted, or not, when the node takes pods again.",
  fields: {
    pod: Pod,
    source: text,
    qosClass: QosClass,
    maxRestartPeriodSeconds: Schema.optionalKey(Schema.Finite),
    ...isolation,
    ...PodHold.fields
  },
  tell: (e) => `waits: ${e.reason}: ${e.message}`
})

export const PodShutDown = defineEvent("PodShutDown", {
  kind: "pod",
  severity: "WARN",
  about:
    "The machine shuts down, and it is this pod's turn: its containers are stopped, nothing is started any more, and it fails with the reason Terminated. It is admitted anew when the machine is up again and its manifest is still there.",
  fields: {
    /** At most so long; a container whose own grace period is shorter has that. */
    gracePeriodSeconds: Schema.Finite,
    message: text
  },
  tell: (e) => `failed: Terminated: ${e.message} (grace ${e.gracePeriodSeconds} s at most)`
})

export const PodPreemptionDecided = defineEvent("PodPreemptionDecided", {
  kind: "pod",
  severity: "WARN",
  about:
    "The pod does not fit beside those that are there and outranks some of them: these are preempted, and it is admitted when nothing of them runs any more.",
  fields: {
    pod: Pod,
    source: text,
    qosClass: QosClass,
    maxRestartPeriodSeconds: Schema.optionalKey(Schema.Finite),
    ...isolation,
    /** Whose place it takes. */
    preempted: Schema.Array(PreemptedPod),
    /** What there was too little of, in kubelet's words. */
    message: text
  },
  tell: (e) =>
    `takes the place of ${e.preempted.map(({ namespace, name }) => `${namespace}/${name}`).join(", ")}: ${e.message}`
})

export const PodPreempted = defineEvent("PodPreempted", {
  kind: "pod",
  severity: "WARN",
  about:
    "A pod of higher priority takes the place of this one: its containers are stopped, nothing is started any more, and it fails. What is left of it stays until its manifest goes.",
  fields: {
    /** `namespace/name` of the pod that takes its place, and its uid. */
    by: text,
    byUid: text,
    message: text
  },
  tell: (e) => `failed: Preempting: ${e.message} ${e.by}`
})

export const PodEvicted = defineEvent("PodEvicted", {
  kind: "pod",
  severity: "WARN",
  about:
    "The node evicts the pod: its containers are stopped, nothing is started any more, and it fails. What is left of it stays until its manifest goes.",
  fields: {
    /** `memory.available`, …; `emptydirfs.limit`, `ephemeralpodfs.limit`, `ephemeralcontainerfs.limit`. */
    signal: text,
    /** In kubelet's words. */
    message: text,
    gracePeriodSeconds: Schema.Int,
    /** For the node's sake, which the condition DisruptionTarget tells; false: it passed a limit of its own. */
    disrupted: Schema.Boolean
  },
  tell: (e) => `failed: Evicted: ${e.message.trim()} (grace ${e.gracePeriodSeconds} s)`
})

export const PodReplacementQueued = defineEvent("PodReplacementQueued", {
  kind: "pod",
  about: "The pod's definition changed. The running pod ends first; then this one starts.",
  fields: {
    pod: Pod,
    source: text,
    qosClass: QosClass,
    maxRestartPeriodSeconds: Schema.optionalKey(Schema.Finite),
    ...isolation,
    /** What the node had left, the running pod not counted; decided on when that one is gone. */
    room: Schema.optionalKey(NodeRoom),
    /** The node takes no pods. */
    hold: Schema.optionalKey(PodHold)
  },
  tell: (e) => `a new definition from ${e.source} waits for the running pod to end`
})

export const PodReplacementDropped = defineEvent("PodReplacementDropped", {
  kind: "pod",
  about: "The definition that waited is no longer desired.",
  fields: { uid: text },
  tell: () => "the definition that waited is no longer desired"
})

/** Why a pod ends, as people are told. */
export const endWords = {
  ManifestRemoved: "its manifest is gone",
  DefinitionChanged: "its definition changed",
  NodeDrained: "the node is drained",
  NodeReturned: "the shutdown that it ended for is over"
} as const

export const PodTerminationRequested = defineEvent("PodTerminationRequested", {
  kind: "pod",
  about: "The pod is to end: its containers are stopped within the grace period, then everything of it is removed.",
  fields: {
    /** NodeDrained: it comes back when the node is uncordoned. NodeReturned: it had ended for a shutdown that is over. */
    reason: Schema.Literals(["ManifestRemoved", "DefinitionChanged", "NodeDrained", "NodeReturned"]),
    gracePeriodSeconds: Schema.Int
  },
  tell: (e) => `ending: ${endWords[e.reason]} (grace ${e.gracePeriodSeconds} s)`
})

export const PodDeadlineExceeded = defineEvent("PodDeadlineExceeded", {
  kind: "pod",
  severity: "WARN",
  about:
    "The pod was active for longer than its activeDeadlineSeconds: its containers are stopped, nothing is started any more, and it fails. What is left of it stays until its manifest goes.",
  fields: { activeDeadlineSeconds: Schema.Int, startedAt: Timestamp, message: text },
  tell: (e) => `failed: DeadlineExceeded: ${e.message} (${e.activeDeadlineSeconds} s)`
})

export const PodRestartRequested = defineEvent("PodRestartRequested", {
  kind: "pod",
  severity: "WARN",
  about:
    "A container ended with an exit code whose rule restarts all containers of the pod (RestartAllContainers): what runs is stopped, then init containers and containers start over in the same sandbox.",
  fields: { container: text, exitCode: Schema.Int },
  tell: (e) => `restarting all containers: ${e.container} ended with exit code ${e.exitCode}`
})

export const PodContainersReset = defineEvent("PodContainersReset", {
  kind: "pod",
  about: "All containers of the pod have ended in order to start over from the first init container.",
  fields: {},
  tell: () => "all containers have ended and start over"
})

const textMap = Schema.Record(Schema.String, Schema.String)

export const PodUpdated = defineEvent("PodUpdated", {
  kind: "pod",
  about: "What may change of a pod that runs has changed in its manifest. Nothing of it is restarted.",
  fields: {
    /** All of them as they are now; absent: as they were. */
    labels: Schema.optionalKey(textMap),
    annotations: Schema.optionalKey(textMap),
    activeDeadlineSeconds: Schema.optionalKey(Schema.Int)
  },
  tell: (e) =>
    `${Object.keys(e)
      .filter((field) => field !== "_tag")
      .join(" and ")} changed`
})

export const EphemeralContainersAdded = defineEvent("EphemeralContainersAdded", {
  kind: "pod",
  about:
    "The manifest asks for containers to look at the running pod with (`spec.ephemeralContainers`): they are started once, whatever state the pod is in, and nothing depends on them.",
  fields: { containers: Schema.Array(EphemeralContainer) },
  tell: (e) => `ephemeral containers to start: ${e.containers.map(({ name }) => name).join(", ")}`
})

const names = Schema.Array(text)

export const EphemeralContainersDiffer = defineEvent("EphemeralContainersDiffer", {
  kind: "pod",
  severityOf: (e) => (e.removed.length + e.changed.length + e.refused.length === 0 ? "INFO" : "WARN"),
  severity: "WARN",
  about:
    "What a manifest says of ephemeral containers differs from what its pod has: one that was added stays as it is until the pod goes, and a pod takes so many only. Told again when that changes; all lists empty: nothing differs any more.",
  fields: {
    /** Not in the manifest any more. */
    removed: names,
    /** Written otherwise than they were added. */
    changed: names,
    /** More than a pod takes. */
    refused: names
  },
  tell: (e) => {
    const parts = [
      ["removed from the manifest", e.removed],
      ["changed there", e.changed],
      ["too many", e.refused]
    ] as const
    const said = parts.flatMap(([what, list]) => (list.length === 0 ? [] : [`${list.join(", ")} (${what})`]))
    return said.length === 0
      ? "ephemeral containers are as the manifest has them again"
      : `ephemeral containers stay as they are: ${said.join("; ")}`
  }
})

export const PodVolumeReady = defineEvent("PodVolumeReady", {
  kind: "pod",
  severity: "DEBUG",
  about: "One of the pod's volumes is ready.",
  fields: {
    volume: text,
    /** Where it is on the node; empty for one that is an image. */
    path: text,
    /** Of a volume that is an image. */
    imageId: Schema.optionalKey(text)
  },
  tell: (e) => `volume ${e.volume} is ready`
})

export const PodVolumesReleased = defineEvent("PodVolumesReleased", {
  kind: "pod",
  severity: "DEBUG",
  about: "Nothing of the pod runs any more; its volumes are to be taken down.",
  fields: {},
  tell: () => "its volumes are taken down"
})

export const PodVolumeRemoved = defineEvent("PodVolumeRemoved", {
  kind: "pod",
  severity: "DEBUG",
  about: "One of the pod's volumes is taken down.",
  fields: { volume: text },
  tell: (e) => `volume ${e.volume} is taken down`
})

export const SandboxRequested = defineEvent("SandboxRequested", {
  kind: "pod",
  about: "A sandbox is to be made for the pod.",
  fields: { attempt: Schema.Int, reason: text },
  tell: (e) => `making sandbox ${e.attempt}: ${e.reason}`
})

export const PodCgroupCreated = defineEvent("PodCgroupCreated", {
  kind: "pod",
  severity: "DEBUG",
  about:
    "The pod's cgroup is there, with these values in the kernel: the processes of its containers are limited together. Values are those of cgroup v1; on v2 cpu.weight follows from the shares.",
  fields: {
    path: text,
    values: CgroupValues,
    /** It was there before: the values were set anew. */
    found: Schema.optionalKey(Schema.Boolean)
  },
  tell: (e) => `cgroup ${e.path} ${e.found === true ? "is there" : "made"}: ${tellValues(e.values)}`
})

export const PodCgroupLost = defineEvent("PodCgroupLost", {
  kind: "pod",
  severity: "WARN",
  about:
    "The pod's cgroup is gone while the pod runs: somebody removed it. Its containers are stopped and the sandbox is made anew, in a new cgroup.",
  fields: { path: text },
  tell: (e) => `its cgroup ${e.path} is gone`
})

/** kubelet's reasons: MissingClusterDNS, DNSConfigForming. */
export const DnsWarning = Schema.Struct({ reason: text, message: text })

export const SandboxCreated = defineEvent("SandboxCreated", {
  kind: "pod",
  about: "The sandbox runs; the pod has its network.",
  fields: {
    sandboxId: text,
    attempt: Schema.Int,
    ips: Schema.Array(text),
    /** Addresses of the node, as its pods are told them, the primary one first. */
    hostIps: Schema.optionalKey(Schema.Array(text)),
    createdAt: Timestamp,
    /** What of the pod's DNS settings was left out, or stood in for what the node does not have. */
    dnsWarnings: Schema.optionalKey(Schema.Array(DnsWarning))
  },
  tell: (e) => {
    const dns = (e.dnsWarnings ?? []).map(({ reason, message }) => `; ${reason}: ${message}`).join("")
    return `sandbox ${e.sandboxId.slice(0, 13)} runs${e.ips.length === 0 ? "" : ` with ${e.ips.join(", ")}`}${dns}`
  }
})

export const SandboxFailed = defineEvent("SandboxFailed", {
  kind: "pod",
  severity: "ERROR",
  about: "The runtime could not make the sandbox; it is tried again after a back-off.",
  fields: {
    attempt: Schema.Int,
    message: text,
    failures: Schema.Int,
    retryAt: Timestamp,
    /** Where it was not the runtime that failed: FailedToCreatePodContainer, the pod's cgroup could not be made. */
    reason: Schema.optionalKey(text)
  },
  tell: (e) => `the sandbox could not be made: ${e.message}`
})

export const SandboxLost = defineEvent("SandboxLost", {
  kind: "pod",
  severity: "WARN",
  about: "The sandbox is not ready any more, or the runtime does not know it.",
  fields: { sandboxId: text, reason: text },
  tell: (e) => `sandbox ${e.sandboxId.slice(0, 13)} is lost: ${e.reason}`
})

export const SandboxStopRequested = defineEvent("SandboxStopRequested", {
  kind: "pod",
  about: "The sandbox is to be stopped and its network taken down.",
  fields: {
    sandboxId: text,
    reason: text,
    /** Attempts that failed before. */
    failures: Schema.optionalKey(Schema.Int)
  },
  tell: (e) => `stopping sandbox ${e.sandboxId.slice(0, 13)}: ${e.reason}`
})

export const SandboxStopped = defineEvent("SandboxStopped", {
  kind: "pod",
  about: "The sandbox is stopped.",
  fields: { sandboxId: text },
  tell: (e) => `sandbox ${e.sandboxId.slice(0, 13)} is stopped`
})

export const PodCleanupRequested = defineEvent("PodCleanupRequested", {
  kind: "pod",
  about: "Nothing of the pod runs; its sandboxes, directories, cgroups and logs are to be removed.",
  fields: {
    /** Attempts that failed before. */
    failures: Schema.optionalKey(Schema.Int)
  },
  tell: () => "removing sandboxes, directories, cgroups and logs"
})

export const PodOperationFailed = defineEvent("PodOperationFailed", {
  kind: "pod",
  severity: "ERROR",
  about: "A step for the pod failed and is tried again after a back-off.",
  fields: {
    operation: Schema.Literals(["StopSandbox", "Cleanup", "KillContainer"]),
    message: text,
    failures: Schema.Int,
    retryAt: Timestamp,
    containerId: Schema.optionalKey(text)
  },
  tell: (e) => `${e.operation} failed: ${e.message}`
})

export const PodPhaseChanged = defineEvent("PodPhaseChanged", {
  kind: "pod",
  about: "The pod's phase changed.",
  fields: {
    from: PodPhase,
    to: PodPhase,
    /** Where the pod as a whole has one: DeadlineExceeded, Preempting, Terminated, Evicted. */
    reason: Schema.optionalKey(text),
    message: Schema.optionalKey(text)
  },
  tell: (e) => `phase ${e.from} → ${e.to}${e.reason === undefined ? "" : ` (${e.reason})`}`
})

export const PodConditionChanged = defineEvent("PodConditionChanged", {
  kind: "pod",
  severity: "DEBUG",
  // The others only explain it.
  severityOf: (e) => (e.condition === "Ready" ? "INFO" : "DEBUG"),
  about:
    "A condition of the pod changed: PodScheduled, PodReadyToStartContainers, Initialized, ContainersReady, Ready, DisruptionTarget, AllContainersRestarting.",
  fields: {
    condition: text,
    status: Schema.Boolean,
    reason: text,
    message: text,
    /** Since when its status is this, where that did not change now. */
    since: Schema.optionalKey(Timestamp)
  },
  tell: (e) =>
    `${e.condition} is ${e.status ? "true" : "false"}${e.reason === "" ? "" : ` (${e.reason}${e.message === "" ? "" : `: ${e.message}`})`}`
})

export const PodRemoved = defineEvent("PodRemoved", {
  kind: "pod",
  about: "The pod is gone and left nothing behind.",
  fields: { uid: text },
  tell: () => "removed; nothing is left behind"
})

export const podEvents = [
  PodAdmitted,
  PodRejected,
  PodHeld,
  PodShutDown,
  PodPreemptionDecided,
  PodPreempted,
  PodEvicted,
  PodReplacementQueued,
  PodReplacementDropped,
  PodTerminationRequested,
  PodDeadlineExceeded,
  PodRestartRequested,
  PodContainersReset,
  PodUpdated,
  EphemeralContainersAdded,
  EphemeralContainersDiffer,
  PodVolumeReady,
  PodVolumesReleased,
  PodVolumeRemoved,
  SandboxRequested,
  PodCgroupCreated,
  PodCgroupLost,
  SandboxCreated,
  SandboxFailed,
  SandboxLost,
  SandboxStopRequested,
  SandboxStopped,
  PodCleanupRequested,
  PodOperationFailed,
  PodPhaseChanged,
  PodConditionChanged,
  PodRemoved
] as const
