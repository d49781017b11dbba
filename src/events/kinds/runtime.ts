/** Facts about the connection to the container runtime, and sandboxes that belong to no pod. */
import { Schema } from "effect"
import { defineEvent } from "../definition.ts"

const text = Schema.String

/** What one of the runtime's handlers can; the name "" is its default. */
export const HandlerFeatures = Schema.Struct({
  name: text,
  recursiveReadOnlyMounts: Schema.Boolean,
  userNamespaces: Schema.Boolean
})

export const RuntimeConnected = defineEvent("RuntimeConnected", {
  kind: "runtime",
  about: "The container runtime answered; its version and abilities are known.",
  fields: {
    endpoint: text,
    name: text,
    version: text,
    apiVersion: text,
    /** Whether GetContainerEvents exists; if not, relisting alone tells what happens. */
    events: Schema.Boolean,
    cgroupDriver: Schema.Literals(["cgroupfs", "systemd", "unknown"]),
    /** Empty where the runtime does not tell (containerd before 2.0); absent in logs of agents that did not ask. */
    handlers: Schema.optionalKey(Schema.Array(HandlerFeatures)),
    /** Whether it keeps a pod's `supplementalGroupsPolicy`. */
    supplementalGroupsPolicy: Schema.optionalKey(Schema.Boolean)
  },
  tell: (e) => `connected to ${e.name} ${e.version} at ${e.endpoint}${e.events ? "" : " (no event stream: relisting)"}`
})

export const RuntimeDisconnected = defineEvent("RuntimeDisconnected", {
  kind: "runtime",
  severity: "ERROR",
  about: "The container runtime does not answer. Containers may run on; nothing is concluded about them.",
  fields: { endpoint: text, message: text },
  tell: (e) => `the runtime at ${e.endpoint} does not answer: ${e.message}`
})

export const RuntimeConditionChanged = defineEvent("RuntimeConditionChanged", {
  kind: "runtime",
  severity: "WARN",
  about: "A condition that the runtime reports of itself changed, e.g. NetworkReady.",
  fields: { condition: text, status: Schema.Boolean, reason: text, message: text },
  tell: (e) => `${e.condition} is ${e.status}${e.message === "" ? "" : `: ${e.message}`}`
})

export const OrphanSandboxFound = defineEvent("OrphanSandboxFound", {
  kind: "runtime",
  severity: "WARN",
  about: "A sandbox of a pod that this node ran once and does not run now; it will be stopped and removed.",
  fields: { sandboxId: text, namespace: text, name: text, uid: text },
  tell: (e) => `sandbox ${e.sandboxId.slice(0, 13)} of ${e.namespace}/${e.name} belongs to no pod; removing it`
})

export const OrphanSandboxRemoved = defineEvent("OrphanSandboxRemoved", {
  kind: "runtime",
  about: "An orphaned sandbox was removed, with its containers.",
  fields: { sandboxId: text },
  tell: (e) => `removed orphaned sandbox ${e.sandboxId.slice(0, 13)}`
})

/** What nobody needs any more: id of a dead container or of an old sandbox, path of a log directory. */
const garbage = { what: Schema.Literals(["Container", "Sandbox", "LogDirectory", "Volume"]), id: text }
const shortId = (id: string): string => (id.startsWith("/") ? id : id.slice(0, 13))

export const GarbageFound = defineEvent("GarbageFound", {
  kind: "runtime",
  severity: "DEBUG",
  about:
    "A dead container beyond those that are kept, a sandbox that is down and empty, or the log directory or a volume of a pod that is gone; it will be removed.",
  /** `namespace` and `name` are empty where only the uid of the pod is known. */
  fields: { ...garbage, namespace: text, name: text, uid: text, reason: text },
  tell: (e) => `${e.what} ${shortId(e.id)} of ${e.name === "" ? e.uid : `${e.namespace}/${e.name}`} goes: ${e.reason}`
})

export const GarbageRemoved = defineEvent("GarbageRemoved", {
  kind: "runtime",
  severity: "DEBUG",
  about: "Something that nobody needed any more was removed.",
  fields: garbage,
  tell: (e) => `removed ${e.what} ${shortId(e.id)}`
})

export const runtimeEvents = [
  RuntimeConnected,
  RuntimeDisconnected,
  RuntimeConditionChanged,
  OrphanSandboxFound,
  OrphanSandboxRemoved,
  GarbageFound,
  GarbageRemoved
] as const
