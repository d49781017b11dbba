/** Facts about eviction: what the node runs short of, what is done about it, and which pod had to go for it. */
import { Schema } from "effect"
import { defineEvent, Timestamp } from "../definition.ts"
import { formatBytes, signalAmount } from "../sizes.ts"
import { PressureCondition } from "./node-health.ts"

const text = Schema.String
const int = Schema.Int
const optional = Schema.optionalKey
const texts = Schema.Record(text, text)

/** A signal that was measured: bytes, inodes or processes. */
const measured = { available: int, capacity: int }

/** What led to a look: the 10 s tick, or the kernel. */
export const SightedBy = Schema.Literals(["tick", "threshold", "psi"])

/** The settings as a KubeletConfiguration writes them. */
export const evictionSettings = {
  evictionHard: texts,
  evictionSoft: texts,
  evictionSoftGracePeriod: texts,
  evictionMinimumReclaim: texts,
  enforceNodeAllocatable: Schema.Array(text),
  evictionPressureTransitionPeriodSeconds: Schema.Finite,
  evictionMaxPodGracePeriodSeconds: int,
  localStorageCapacityIsolation: Schema.Boolean
}

const list = (of: Readonly<Record<string, string>>): string =>
  Object.entries(of)
    .map(([signal, value]) => `${signal}<${value}`)
    .join(", ")

export const EvictionConfigured = defineEvent("EvictionConfigured", {
  kind: "eviction",
  about:
    "When pods are evicted on this node, as its configuration says: thresholds by signal, hard ones at once, soft ones after a grace period.",
  fields: evictionSettings,
  tell: (e) => {
    const soft = Object.keys(e.evictionSoft).length === 0 ? "" : `; soft ${list(e.evictionSoft)}`
    const hard = Object.keys(e.evictionHard).length === 0 ? "no hard threshold" : `hard ${list(e.evictionHard)}`
    return `pods are evicted by these thresholds: ${hard}${soft}`
  }
})

const left = (e: { readonly signal: string; readonly available: number; readonly capacity: number }): string =>
  `${e.signal} is ${signalAmount(e.signal, e.available)} of ${signalAmount(e.signal, e.capacity)}`

/** A threshold, and what it means at this capacity. */
const threshold = {
  signal: text,
  /** `memory.available<100Mi`, with its grace period where it has one. */
  threshold: text,
  /** What has to be there: bytes, inodes or processes. */
  quantity: int,
  ...measured,
  /** 0: a hard threshold. */
  gracePeriodSeconds: Schema.Finite
}

export const PressureObserved = defineEvent("PressureObserved", {
  kind: "eviction",
  severity: "WARN",
  about:
    "A signal fell below a threshold. A hard one is acted upon at once, a soft one when it was met for its grace period. Told once, until it is over (PressureRelieved).",
  fields: { ...threshold, by: SightedBy },
  tell: (e) => `${left(e)}, below ${e.threshold}`
})

export const PressureRelieved = defineEvent("PressureRelieved", {
  kind: "eviction",
  about:
    "A threshold is not met any more: what is there is above it, after an eviction above its minimum reclaim as well.",
  fields: {
    signal: text,
    threshold: text,
    /** Absent where the signal could not be measured, or the threshold is no longer configured. */
    available: optional(int),
    capacity: optional(int),
    /** When it was first met, and when last. */
    since: Timestamp,
    lastObserved: Timestamp
  },
  tell: (e) =>
    `${e.threshold} is not met any more${e.available === undefined ? "" : `: ${signalAmount(e.signal, e.available)} available`}`
})

export const PressureConditionChanged = defineEvent("PressureConditionChanged", {
  kind: "eviction",
  severity: "WARN",
  severityOf: (e) => (e.status ? "WARN" : "INFO"),
  about:
    "The node is under pressure, or is not any more: pods are not let in meanwhile (under MemoryPressure alone, only BestEffort ones are not). It ends when no threshold was met for the transition period.",
  fields: {
    condition: PressureCondition,
    status: Schema.Boolean,
    /** What raised it. */
    signals: Schema.Array(text)
  },
  tell: (e) =>
    `the node has ${e.status ? "" : "no "}${e.condition}${e.status ? ` (${e.signals.join(", ")})` : " any more"}`
})

export const EvictionThresholdMet = defineEvent("EvictionThresholdMet", {
  kind: "eviction",
  severity: "WARN",
  about:
    "A threshold has been met for its grace period: the node reclaims what it can, and else evicts a pod. Told again before each further pod that goes for it.",
  fields: { ...threshold, resource: text, since: Timestamp },
  tell: (e) => `attempting to reclaim ${e.resource}: ${left(e)}, below ${e.threshold}`
})

export const NodeReclaimRequested = defineEvent("NodeReclaimRequested", {
  kind: "eviction",
  about: "Before a pod goes the node gives back what it does not need: dead containers, unused images.",
  fields: {
    signal: text,
    threshold: text,
    reclaims: Schema.Array(Schema.Literals(["containers", "images"])),
    /** Of the figures that it was decided on, where they have a time. */
    observedAt: optional(Timestamp)
  },
  tell: (e) => `giving back ${e.reclaims.join(" and ")} for ${e.signal}`
})

export const NodeReclaimed = defineEvent("NodeReclaimed", {
  kind: "eviction",
  about: "What the node gave back before a pod has to go, and whether that is enough.",
  fields: {
    signal: text,
    /** As far as it is known. */
    freedBytes: int,
    /** No threshold is met any more. */
    relieved: Schema.Boolean,
    available: optional(int),
    capacity: optional(int),
    /** What went wrong meanwhile. */
    message: optional(text)
  },
  tell: (e) =>
    `${formatBytes(e.freedBytes)} given back for ${e.signal}: ${e.relieved ? "that is enough" : "that is not enough"}${e.message === undefined ? "" : ` (${e.message})`}`
})

export const StorageLimitExceeded = defineEvent("StorageLimitExceeded", {
  kind: "eviction",
  severity: "WARN",
  about:
    "A pod uses more of the local disk than it may: an emptyDir beyond its sizeLimit, a container or the whole pod beyond the limit of ephemeral-storage.",
  fields: {
    namespace: text,
    name: text,
    uid: text,
    of: Schema.Literals(["emptyDir", "pod", "container"]),
    /** Of the volume or container; empty: the pod. */
    what: text,
    limit: text,
    /** Bytes. */
    used: int
  },
  tell: (e) =>
    `${e.namespace}/${e.name}: ${e.of}${e.what === "" ? "" : ` ${e.what}`} uses ${formatBytes(e.used)}, more than ${e.limit}`
})

/** A pod in the ranking, the next one to go first. */
export const RankedPod = Schema.Struct({
  /** `namespace/name` */
  pod: text,
  qosClass: Schema.Literals(["Guaranteed", "Burstable", "BestEffort"]),
  priority: int,
  /** Bytes, inodes or processes; absent: there were no figures, and the pod goes first. */
  used: optional(int),
  requested: int,
  exceeds: Schema.Boolean,
  /** It is never evicted. */
  critical: optional(Schema.Boolean)
})

export const EvictionTriggered = defineEvent("EvictionTriggered", {
  kind: "eviction",
  severity: "WARN",
  about:
    "A pod is evicted: the first of the ranking that is not critical, or one beyond a limit of its own. With what the ranking went by, for every pod.",
  fields: {
    namespace: text,
    name: text,
    uid: text,
    /** From 1: its place in the ranking; 0: it passed a limit of its own. */
    rank: int,
    /** Also emptydirfs.limit, ephemeralpodfs.limit, ephemeralcontainerfs.limit. */
    signal: text,
    threshold: text,
    available: optional(int),
    capacity: optional(int),
    observedAt: optional(Timestamp),
    /** What it gets at most; its own may be less. */
    gracePeriodSeconds: int,
    /** In kubelet's words. */
    message: text,
    /** kubelet's: offending_containers, offending_containers_usage, starved_resource, … */
    annotations: texts,
    ranking: Schema.Array(RankedPod),
    /** Pods of the ranking that are not told one by one, and what they use together. */
    others: optional(Schema.Struct({ pods: int, used: int }))
  },
  tell: (e) =>
    `evicting ${e.namespace}/${e.name}${e.rank === 0 ? "" : ` (${e.rank} of ${e.ranking.length + (e.others?.pods ?? 0)})`}: ${e.message.trim()}`
})

export const EvictionImpossible = defineEvent("EvictionImpossible", {
  kind: "eviction",
  severity: "ERROR",
  about: "A threshold is met and there is no pod that may be evicted for it. Told once for each time of pressure.",
  fields: { signal: text, threshold: text, /** Critical ones. */ pods: int },
  tell: (e) => `no pod can be evicted for ${e.threshold} (${e.pods} critical ones)`
})

export const EvictionFinished = defineEvent("EvictionFinished", {
  kind: "eviction",
  severityOf: (e) => (e.outcome === "gone" ? "INFO" : "WARN"),
  about:
    "Nothing of the evicted pod runs any more, or it was waited for long enough; the next look may evict another one.",
  fields: {
    namespace: text,
    name: text,
    uid: text,
    outcome: Schema.Literals(["gone", "timeout"]),
    /** Milliseconds. */
    duration: int
  },
  tell: (e) => `${e.namespace}/${e.name} ${e.outcome === "gone" ? "is gone" : "is not gone yet"} after ${e.duration} ms`
})

export const evictionEvents = [
  EvictionConfigured,
  PressureObserved,
  PressureRelieved,
  PressureConditionChanged,
  EvictionThresholdMet,
  NodeReclaimRequested,
  NodeReclaimed,
  StorageLimitExceeded,
  EvictionTriggered,
  EvictionImpossible,
  EvictionFinished
] as const
