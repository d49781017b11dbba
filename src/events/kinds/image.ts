/** Facts about images. One actor per image reference as the pod writes it. */
import { Schema } from "effect"
import { defineEvent, Timestamp } from "../definition.ts"

const text = Schema.String
export const ImagePullPolicy = Schema.Literals(["Always", "IfNotPresent", "Never"])

/** Pods (`namespace/name`) that waited and are told. */
const told = { pods: Schema.optionalKey(Schema.Array(text)) }

export const ImageRequested = defineEvent("ImageRequested", {
  kind: "image",
  severity: "DEBUG",
  about: "A pod needs an image.",
  fields: { image: text, pod: text, policy: ImagePullPolicy },
  tell: (e) => `${e.pod} needs ${e.image} (${e.policy})`
})

export const ImageFound = defineEvent("ImageFound", {
  kind: "image",
  about: "The image is present on the node.",
  fields: { image: text, imageId: text, ...told },
  tell: (e) => `${e.image} is present`
})

export const ImagePullStarted = defineEvent("ImagePullStarted", {
  kind: "image",
  about: "The runtime was asked to pull the image.",
  fields: { image: text, attempt: Schema.Int },
  tell: (e) => `pulling ${e.image}${e.attempt > 1 ? ` (attempt ${e.attempt})` : ""}`
})

export const ImagePulled = defineEvent("ImagePulled", {
  kind: "image",
  about: "The image was pulled.",
  fields: { image: text, imageId: text, /** Milliseconds. */ duration: Schema.Int, ...told },
  tell: (e) => `pulled ${e.image} in ${(e.duration / 1000).toFixed(1)} s`
})

export const ImagePullFailed = defineEvent("ImagePullFailed", {
  kind: "image",
  severity: "ERROR",
  about: "The image is not to be had now; it is tried again after a back-off of 10 s, doubling to 300 s.",
  fields: {
    image: text,
    /** kubelet's words: ErrImagePull, ErrImageNeverPull, InvalidImageName, ImageInspectError, RegistryUnavailable. */
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

export const imageEvents = [
  ImageRequested,
  ImageFound,
  ImagePullStarted,
  ImagePulled,
  ImagePullFailed,
  ImageReleased
] as const
