/** Facts about images. One actor per image reference as the pod writes it. */
import { Schema } from "effect"
import { defineEvent, Timestamp } from "../definition.ts"

const text = Schema.String
export const ImagePullPolicy = Schema.Literals(["Always", "IfNotPresent", "Never"])

const withCredentials = (sources: ReadonlyArray<string>): string =>
  sources.length === 0 ? "" : ` with the credentials of ${sources.join(", ")}`

/** Pods (`namespace/name`) that waited and are told. */
const told = { pods: Schema.optionalKey(Schema.Array(text)) }

export const ImageRequested = defineEvent("ImageRequested", {
  kind: "image",
  severity: "DEBUG",
  about: "A pod needs an image.",
  fields: {
    image: text,
    pod: text,
    policy: ImagePullPolicy,
    /** The pod's imagePullSecrets, where it has some. */
    secrets: Schema.optionalKey(Schema.Array(text))
  },
  tell: (e) => `${e.pod} needs ${e.image} (${e.policy})`
})

export const ImageFound = defineEvent("ImageFound", {
  kind: "image",
  about: "The image is present on the node.",
  fields: { image: text, imageId: text, ...told },
  tell: (e) => `${e.image} is present`
})

export const ImagePullQueued = defineEvent("ImagePullQueued", {
  kind: "image",
  severity: "DEBUG",
  about: "The image is to be pulled, as soon as fewer pulls are under way than the configuration allows.",
  fields: { image: text, attempt: Schema.Int },
  tell: (e) => `${e.image} is to be pulled${e.attempt > 1 ? ` (attempt ${e.attempt})` : ""}`
})

export const ImagePullStarted = defineEvent("ImagePullStarted", {
  kind: "image",
  about: "The runtime was asked to pull the image.",
  fields: {
    image: text,
    attempt: Schema.Int,
    /** Milliseconds that it waited for its turn. */
    queued: Schema.optionalKey(Schema.Int),
    /** Where the credentials come from that are tried, in this order: `secret default/regcred`; absent: there are none. */
    credentials: Schema.optionalKey(Schema.Array(text)),
    /** Credentials that could not be had, and why. */
    problems: Schema.optionalKey(Schema.Array(text))
  },
  tell: (e) =>
    `pulling ${e.image}${e.attempt > 1 ? ` (attempt ${e.attempt})` : ""}${withCredentials(e.credentials ?? [])}${
      e.problems === undefined ? "" : `; ${e.problems.join("; ")}`
    }`
})

export const ImagePulled = defineEvent("ImagePulled", {
  kind: "image",
  about: "The image was pulled.",
  fields: {
    image: text,
    imageId: text,
    /** Milliseconds. */
    duration: Schema.Int,
    /** Bytes that it takes on the node, as the runtime says. */
    size: Schema.optionalKey(Schema.Int),
    /** Where the credentials came from that the registry took: `secret default/regcred`. */
    credentials: Schema.optionalKey(text),
    /**
     * Whom the pull gave the image, kept until the image is gone: pods that have this Secret, or another with the same
     * content; without `secret` every pod. `hash`: HMAC-SHA256 of the content with a key that only this node has.
     */
    grant: Schema.optionalKey(
      Schema.Struct({ secret: Schema.optionalKey(Schema.Struct({ namespace: text, name: text, hash: text })) })
    ),
    ...told
  },
  tell: (e) =>
    `pulled ${e.image} in ${(e.duration / 1000).toFixed(1)} s${e.credentials === undefined ? "" : withCredentials([e.credentials])}`
})

export const ImagePullFailed = defineEvent("ImagePullFailed", {
  kind: "image",
  severity: "ERROR",
  about: "The image is not to be had now; it is tried again after a back-off of 10 s, doubling to 300 s.",
  fields: {
    image: text,
    /** kubelet's words: ErrImagePull, ErrImageNeverPull, InvalidImageName, ImageInspectError, RegistryUnavailable, SignatureValidationFailed. */
    reason: text,
    message: text,
    attempt: Schema.Int,
    /** Absent: not tried again by itself. */
    retryAt: Schema.optionalKey(Timestamp),
    ...told
  },
  tell: (e) => `${e.reason}: ${e.image}: ${e.message}`
})

export const ImageReleased = defineEvent("ImageReleased", {
  kind: "image",
  severity: "DEBUG",
  about: "A pod no longer waits for the image.",
  fields: { image: text, pod: text },
  tell: (e) => `${e.pod} no longer waits for ${e.image}`
})

export const ImageGrantsDropped = defineEvent("ImageGrantsDropped", {
  kind: "image",
  severity: "DEBUG",
  about: "The image is not on the node any more: whom pulls gave it is forgotten.",
  fields: { image: text, imageId: text },
  tell: (e) => `${e.image} (${e.imageId.slice(0, 19)}) is gone from the node`
})

export const imageEvents = [
  ImageRequested,
  ImageFound,
  ImagePullQueued,
  ImagePullStarted,
  ImagePulled,
  ImagePullFailed,
  ImageReleased,
  ImageGrantsDropped
] as const
