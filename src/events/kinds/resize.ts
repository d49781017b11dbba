/** Facts about resizing pods in place (KEP-1287): what is asked for, what is admitted, what is in force. Written by the pod. */
import { Schema } from "effect"
import { CgroupValues, tellValues } from "../cgroup-values.ts"
import { defineEvent, Timestamp } from "../definition.ts"
import { ResourceRequirements } from "../pod-spec.ts"

const text = Schema.String
const opt = Schema.optionalKey

/** Requests and limits by container; `pod`: of the pod as a whole. Only what is otherwise than before. */
export const ResizedResources = Schema.Struct({
  pod: opt(ResourceRequirements),
  containers: Schema.Record(text, ResourceRequirements)
})

const names = (resources: typeof ResizedResources.Type): string =>
  [...(resources.pod === undefined ? [] : ["the pod as a whole"]), ...Object.keys(resources.containers)].join(", ")

export const ResizeRequested = defineEvent("ResizeRequested", {
  kind: "pod",
  about:
    "The manifest of a running pod (with a uid of its own) asks for other resources and for nothing else. Whether it gets them is decided with this event.",
  fields: {
    from: ResizedResources,
    to: ResizedResources,
    source: text
  },
  tell: (e) => `other resources are asked for: ${names(e.to)}`
})

export const ResizeWithdrawn = defineEvent("ResizeWithdrawn", {
  kind: "pod",
  about: "Resources that waited are not asked for any more: the manifest has again what the pod has.",
  fields: {},
  tell: () => "the resize that waited is not asked for any more"
})

export const ResizePending = defineEvent("ResizePending", {
  kind: "pod",
  severity: "WARN",
  about:
    "The resources asked for cannot be had: now (Deferred: tried again when there is room) or ever on this node (Infeasible). The pod runs on with what it has.",
  fields: { reason: Schema.Literals(["Deferred", "Infeasible"]), message: text },
  tell: (e) => `the resize is ${e.reason.toLowerCase()}: ${e.message}`
})

export const ResizeAccepted = defineEvent("ResizeAccepted", {
  kind: "pod",
  about: "The node has room for the resources asked for; from here on they are the pod's, and are brought into force.",
  fields: { from: ResizedResources, to: ResizedResources },
  tell: (e) => `the resize is accepted: ${names(e.to)}`
})

export const ResizeStarted = defineEvent("ResizeStarted", {
  kind: "pod",
  about:
    "The resources are being brought into force: the pod's cgroup first where they grow, then each container by the runtime, the pod's cgroup last where they shrink. Containers whose resizePolicy says so are restarted instead.",
  fields: {
    cpu: Schema.Array(text),
    memory: Schema.Array(text),
    restart: Schema.Array(text)
  },
  tell: (e) => {
    const updated = [...new Set([...e.cpu, ...e.memory])].join(", ")
    const restarted = e.restart.length === 0 ? "" : `; restarts ${e.restart.join(", ")}`
    return `resizing${updated === "" ? " the pod's cgroup" : ` ${updated}`}${restarted}`
  }
})

export const ResizeActuated = defineEvent("ResizeActuated", {
  kind: "pod",
  severity: "DEBUG",
  about: "The kernel and the runtime have taken the resources of the containers that run and of the pod's cgroup.",
  fields: {
    /** Containers that were updated while they ran. */
    containers: Schema.Array(text),
    cgroup: opt(Schema.Struct({ path: text, from: CgroupValues, to: CgroupValues }))
  },
  tell: (e) =>
    `resources are set${e.containers.length === 0 ? "" : ` of ${e.containers.join(", ")}`}${e.cgroup === undefined ? "" : `; cgroup ${tellValues(e.cgroup.to)}`}`
})

export const ResizeFailed = defineEvent("ResizeFailed", {
  kind: "pod",
  severity: "ERROR",
  about: "The resources could not be brought into force, or not all of them; it is tried again after a back-off.",
  fields: { message: text, failures: Schema.Int, retryAt: Timestamp },
  tell: (e) => `the resize failed: ${e.message}`
})

export const ResizeCompleted = defineEvent("ResizeCompleted", {
  kind: "pod",
  about: "Everything that runs of the pod has the resources that it was admitted with.",
  fields: {},
  tell: () => "the resize is completed"
})

export const PodUpdateRefused = defineEvent("PodUpdateRefused", {
  kind: "pod",
  severity: "ERROR",
  about:
    "The manifest of a running pod changed under the same uid in what cannot be changed while it runs. The pod runs on as it was, and its containers start again as they were; with another uid (or none) it would be replaced.",
  fields: { source: text, field: text, message: text },
  tell: (e) => `the new manifest is refused: ${e.field} ${e.message}`
})

export const PodUpdateWithdrawn = defineEvent("PodUpdateWithdrawn", {
  kind: "pod",
  about: "The manifest of the running pod is again one that the pod can have.",
  fields: {},
  tell: () => "its manifest is again one that it can have"
})

export const resizeEvents = [
  ResizeRequested,
  ResizeWithdrawn,
  ResizePending,
  ResizeAccepted,
  ResizeStarted,
  ResizeActuated,
  ResizeFailed,
  ResizeCompleted,
  PodUpdateRefused,
  PodUpdateWithdrawn
] as const
