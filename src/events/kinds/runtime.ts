/** Facts about the connection to the container runtime, and sandboxes that belong to no pod. */
import { Schema } from "effect"
import { defineEvent, Timestamp } from "../definition.ts"

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

export const RuntimeUnhealthy = defineEvent("RuntimeUnhealthy", {
  kind: "runtime",
  severity: "ERROR",
  about:
    "No look at all containers has been finished for three minutes: what becomes of containers is not known. The node is not ready.",
  fields: {
    /** When a look was finished last, or looking began. */
    lastRelist: Timestamp,
    thresholdSeconds: Schema.Int,
    /** Calls to the runtime without an answer, and since when. */
    calls: Schema.Array(Schema.Struct({ call: text, since: Timestamp })),
    /** kubelet's words, and the calls. */
    message: text
  },
  tell: (e) => e.message
})

export const RuntimeHealthy = defineEvent("RuntimeHealthy", {
  kind: "runtime",
  about: "Looks at all containers are finished again.",
  fields: { lastRelist: Timestamp },
  tell: () => "the runtime is looked at again"
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

/** What nobody needs any more: id of a dead container, of an old sandbox or of an image, path of a log directory or of a pod's directory. */
const garbage = {
  what: Schema.Literals(["Container", "Sandbox", "LogDirectory", "Volume", "Image", "PodDirectory"]),
  id: text
}
const shortId = (id: string): string => (id.startsWith("/") ? id : id.replace(/^sha256:/u, "").slice(0, 13))

export const GarbageFound = defineEvent("GarbageFound", {
  kind: "runtime",
  severity: "DEBUG",
  about:
    "A dead container beyond those that are kept, a sandbox that is down and empty, the log directory, the directory or a volume of a pod that is gone, or an image that no container uses; it will be removed.",
  /** `namespace` and `name` are empty where only the uid of the pod is known; of an image `name` is one of its own, and the others are empty. */
  fields: { ...garbage, namespace: text, name: text, uid: text, reason: text },
  tell: (e) =>
    e.what === "Image"
      ? `image ${e.name === "" ? shortId(e.id) : e.name} goes: ${e.reason}`
      : `${e.what} ${shortId(e.id)} of ${e.name === "" ? e.uid : `${e.namespace}/${e.name}`} goes: ${e.reason}`
})

export const GarbageRemoved = defineEvent("GarbageRemoved", {
  kind: "runtime",
  severity: "DEBUG",
  about: "Something that nobody needed any more was removed.",
  fields: garbage,
  tell: (e) => `removed ${e.what} ${shortId(e.id)}`
})

export const GarbageKept = defineEvent("GarbageKept", {
  kind: "runtime",
  severity: "WARN",
  about: "Something that was to be removed stays: it has come into use meanwhile, or the runtime does not remove it.",
  fields: { ...garbage, message: text },
  tell: (e) => `${e.what} ${shortId(e.id)} stays: ${e.message}`
})

const percent = Schema.Int
const bytes = Schema.Int

export const ImageCollectionDecided = defineEvent("ImageCollectionDecided", {
  kind: "runtime",
  about:
    "Images are to be removed: the disk that holds them is too full, they were not used for too long, or eviction needs room. Those that were not used for the longest time go first, until there is room enough; each is told of by GarbageFound.",
  fields: {
    trigger: Schema.Literals(["HighThreshold", "MaximumAge", "Eviction"]),
    images: Schema.Int,
    /** What they take together, as the runtime says. */
    bytes,
    /** What is to become free; absent: as much as can. */
    bytesToFree: Schema.optionalKey(bytes),
    /** Of the disk of images; absent where it was not looked at. */
    usedPercent: Schema.optionalKey(percent),
    capacityBytes: Schema.optionalKey(bytes),
    availableBytes: Schema.optionalKey(bytes),
    highThresholdPercent: percent,
    lowThresholdPercent: percent
  },
  tell: (e) =>
    `${e.images} images (${e.bytes} bytes) are to go: ${
      e.trigger === "HighThreshold"
        ? `the disk of images is ${e.usedPercent === undefined ? "too" : `${e.usedPercent} %`} full (limit ${e.highThresholdPercent} %)${e.bytesToFree === undefined ? "" : `, ${e.bytesToFree} bytes are to become free`}`
        : e.trigger === "MaximumAge"
          ? "not used for too long"
          : "the node is short of room"
    }`
})

export const ImageSpaceShort = defineEvent("ImageSpaceShort", {
  kind: "runtime",
  severity: "WARN",
  about:
    "The disk of images is too full, and the images that may go are not enough (kubelet's FreeDiskSpaceFailed). Told once, until there is room again.",
  fields: {
    usedPercent: percent,
    capacityBytes: bytes,
    availableBytes: bytes,
    bytesToFree: bytes,
    /** What the images take that may go. */
    freedBytes: bytes,
    message: text
  },
  tell: (e) => e.message
})

export const ImageSpaceRestored = defineEvent("ImageSpaceRestored", {
  kind: "runtime",
  about: "The disk of images has room again, after ImageSpaceShort.",
  fields: { usedPercent: percent, capacityBytes: bytes, availableBytes: bytes },
  tell: (e) => `the disk of images is ${e.usedPercent} % full`
})

export const runtimeEvents = [
  RuntimeConnected,
  RuntimeDisconnected,
  RuntimeConditionChanged,
  RuntimeUnhealthy,
  RuntimeHealthy,
  OrphanSandboxFound,
  OrphanSandboxRemoved,
  GarbageFound,
  GarbageRemoved,
  GarbageKept,
  ImageCollectionDecided,
  ImageSpaceShort,
  ImageSpaceRestored
] as const
