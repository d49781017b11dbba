/** Facts about the node as a whole: what it is, its conditions, whether it takes pods, and its end. */
import { Schema } from "effect"
import { defineEvent, Timestamp } from "../definition.ts"

const text = Schema.String
const opt = Schema.optionalKey
const amounts = Schema.Record(text, text)
const plural = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`

/** What the node is and has, as its status tells it. */
export const NodeDescription = Schema.Struct({
  hostname: text,
  /** Quantities by resource. */
  capacity: amounts,
  allocatable: amounts,
  labels: amounts,
  addresses: Schema.Array(Schema.Struct({ type: Schema.Literals(["InternalIP", "Hostname"]), address: text })),
  machineId: text,
  systemUuid: text,
  /** `Debian GNU/Linux 12 (bookworm)` */
  osImage: text
})

export const NodeDescribed = defineEvent("NodeDescribed", {
  kind: "node",
  severity: "DEBUG",
  about: "What the node is and has, as its status tells it, is known for the first time or is another now.",
  fields: { description: NodeDescription },
  tell: ({ description: { capacity, addresses } }) =>
    `the node has ${Object.entries(capacity)
      .map(([name, amount]) => `${name} ${amount}`)
      .join(", ")} at ${addresses.map(({ address }) => address).join(", ")}`
})

export const NodeConditionType = Schema.Literals(["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"])
export const PressureCondition = Schema.Literals(["MemoryPressure", "DiskPressure", "PIDPressure"])

export const NodeConditionChanged = defineEvent("NodeConditionChanged", {
  kind: "node",
  severity: "INFO",
  severityOf: (e) => (e.status === (e.condition === "Ready") ? "INFO" : "WARN"),
  about: "A condition of the node changed; reasons and messages are kubelet's. It is looked at every 10 s.",
  fields: {
    condition: NodeConditionType,
    status: Schema.Boolean,
    reason: text,
    message: text,
    /** Since when its status is this. */
    since: Timestamp
  },
  tell: (e) => `${e.condition} is ${e.status ? "true" : "false"} (${e.reason}: ${e.message})`
})

export const NodeCordoned = defineEvent("NodeCordoned", {
  kind: "node",
  severity: "WARN",
  about:
    "The node takes no new pods until it is uncordoned, but for critical ones: those of new manifests wait. Pods that are there run on.",
  fields: { by: text },
  tell: (e) => `cordoned by ${e.by}: new pods wait`
})

export const NodeUncordoned = defineEvent("NodeUncordoned", {
  kind: "node",
  about: "The node takes pods again: those that waited are admitted.",
  fields: { by: text },
  tell: (e) => `uncordoned by ${e.by}: pods are taken again`
})

export const NodeDrainStarted = defineEvent("NodeDrainStarted", {
  kind: "node",
  severity: "WARN",
  about:
    "All pods of the node, but for critical ones, end within their grace periods and are removed. They come back from their manifests when the node is uncordoned.",
  fields: {
    by: text,
    /** In place of the pods' own; absent: each has its own. */
    gracePeriodSeconds: opt(Schema.Int),
    /** When it is given up; absent: never. */
    until: opt(Timestamp),
    /** Only pods of these labels; absent: all. */
    selector: opt(text),
    /** Pods that end. */
    pods: Schema.Int
  },
  tell: (e) => `draining for ${e.by}: ${plural(e.pods, "pod")} to end`
})

export const NodeDrained = defineEvent("NodeDrained", {
  kind: "node",
  about: "Nothing is left of the pods that were to end. The node stays cordoned.",
  fields: { seconds: Schema.Finite },
  tell: (e) => `drained in ${e.seconds} s`
})

/** Names that an event tells of those that are left. */
export const maxToldPods = 16

export const NodeDrainFailed = defineEvent("NodeDrainFailed", {
  kind: "node",
  severity: "ERROR",
  about:
    "The drain was given up: its time is over, or the node was uncordoned. Pods that were told to end go on ending; the others stay.",
  fields: {
    reason: Schema.Literals(["Timeout", "Uncordoned"]),
    /** Pods that are left, `namespace/name`; the first 16 of them. */
    left: Schema.Array(text),
    leftCount: Schema.Int
  },
  tell: (e) =>
    `the drain was given up (${e.reason}): ${plural(e.leftCount, "pod")} left${e.left.length === 0 ? "" : `: ${e.left.join(", ")}`}`
})

export const ShutdownInhibitorTaken = defineEvent("ShutdownInhibitorTaken", {
  kind: "node",
  severity: "INFO",
  severityOf: (e) => (e.delayLimitSeconds < e.gracePeriodSeconds ? "WARN" : "INFO"),
  about:
    "The shutdown of the machine waits for this agent (systemd-logind), for so long at most (InhibitDelayMaxSec in logind.conf). Where that is less than the grace periods add up to, the last pods are cut off.",
  fields: {
    /** Seconds that logind waits; a whole number or part of one. */
    delayLimitSeconds: Schema.Finite,
    /** Seconds that the pods may take. */
    gracePeriodSeconds: Schema.Finite
  },
  tell: (e) =>
    e.delayLimitSeconds < e.gracePeriodSeconds
      ? `logind waits ${e.delayLimitSeconds} s at shutdown, less than the ${e.gracePeriodSeconds} s that pods may take: set InhibitDelayMaxSec=${Math.ceil(e.gracePeriodSeconds)} in logind.conf`
      : `logind waits up to ${e.delayLimitSeconds} s at shutdown; pods may take ${e.gracePeriodSeconds} s`
})

export const ShutdownInhibitorFailed = defineEvent("ShutdownInhibitorFailed", {
  kind: "node",
  severity: "ERROR",
  about:
    "The service systemd-logind could not be asked to wait at shutdown: pods would be cut off by one. It is tried again every 10 s.",
  fields: { message: text },
  tell: (e) => `no graceful shutdown: ${e.message}`
})

export const NodeShutdownStarted = defineEvent("NodeShutdownStarted", {
  kind: "node",
  severity: "WARN",
  about:
    "The machine is about to shut down (logind's PrepareForShutdown): no pod is admitted any more, and pods end group by group, those of the lowest priority first.",
  fields: {
    groups: Schema.Array(
      Schema.Struct({
        /** The group's lowest priority. */
        priority: Schema.Int,
        gracePeriodSeconds: Schema.Finite,
        pods: Schema.Int
      })
    )
  },
  tell: (e) =>
    `the node is shutting down: ${e.groups.map((g) => `${plural(g.pods, "pod")} from priority ${g.priority} in ${g.gracePeriodSeconds} s`).join(", ")}`
})

export const NodeShutdownGroupStarted = defineEvent("NodeShutdownGroupStarted", {
  kind: "node",
  severity: "WARN",
  about: "The pods of one group end now, each within its own grace period and at most within the group's.",
  fields: {
    priority: Schema.Int,
    gracePeriodSeconds: Schema.Finite,
    pods: Schema.Int,
    /** Pods of the groups before whose time was over while something of them ran; the first 16 of them. */
    left: Schema.Array(text),
    leftCount: Schema.Int
  },
  tell: (e) => `${plural(e.pods, "pod")} of priority ${e.priority} and more end within ${e.gracePeriodSeconds} s`
})

export const NodeShutdownCompleted = defineEvent("NodeShutdownCompleted", {
  kind: "node",
  about: "All groups of pods have ended, or their time is over: logind need not wait any longer.",
  fields: {
    seconds: Schema.Finite,
    /** Pods of which something still ran when their time was over, `namespace/name`; the first 16 of them. */
    left: Schema.Array(text),
    leftCount: Schema.Int
  },
  tell: (e) =>
    `pods have ended after ${e.seconds} s; the machine may go down${e.leftCount === 0 ? "" : `, cutting off ${e.left.join(", ")}`}`
})

export const NodeShutdownCancelled = defineEvent("NodeShutdownCancelled", {
  kind: "node",
  about: "The machine does not shut down after all. Pods whose manifests are still there are admitted anew.",
  fields: {},
  tell: () => "the shutdown was cancelled; pods are taken again"
})

export const NodeShutdownOver = defineEvent("NodeShutdownOver", {
  kind: "node",
  about:
    "The machine was booted again after a shutdown. Pods that ended for it, and whose manifests are still there, are admitted anew.",
  fields: { bootId: text },
  tell: () => "the machine is up again after a shutdown"
})

export const nodeHealthEvents = [
  NodeDescribed,
  NodeConditionChanged,
  NodeCordoned,
  NodeUncordoned,
  NodeDrainStarted,
  NodeDrained,
  NodeDrainFailed,
  ShutdownInhibitorTaken,
  ShutdownInhibitorFailed,
  NodeShutdownStarted,
  NodeShutdownGroupStarted,
  NodeShutdownCompleted,
  NodeShutdownCancelled,
  NodeShutdownOver
] as const
