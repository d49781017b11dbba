/** Facts about volumes. One actor per volume of a pod. */
import { Schema } from "effect"
import { defineEvent, Timestamp } from "../definition.ts"
import { Volume } from "../pod-spec.ts"

const text = Schema.String

export const VolumeMountRequested = defineEvent("VolumeMountRequested", {
  kind: "volume",
  severity: "DEBUG",
  about: "A pod needs this volume; it is being prepared.",
  fields: { podUid: text, volume: Volume, fsGroup: Schema.optionalKey(Schema.Int) },
  tell: (e) => `preparing volume ${e.volume.name}`
})

export const VolumeMounted = defineEvent("VolumeMounted", {
  kind: "volume",
  about: "The volume is ready on the host.",
  fields: {
    podUid: text,
    volume: text,
    /** Path on the host. */
    path: text,
    /** Of a volume of files: HMAC-SHA256 of them with a key that only the node has, 32 hex digits. */
    hash: Schema.optionalKey(text)
  },
  tell: (e) => `volume ${e.volume} is ready at ${e.path}`
})

export const VolumeMountFailed = defineEvent("VolumeMountFailed", {
  kind: "volume",
  severity: "ERROR",
  about: "The volume cannot be prepared; it is tried again after a back-off of 0.5 s, doubling to 122 s.",
  fields: { podUid: text, volume: text, message: text, attempt: Schema.Int, retryAt: Timestamp },
  tell: (e) => `volume ${e.volume} cannot be prepared: ${e.message}`
})

export const VolumeRefreshRequested = defineEvent("VolumeRefreshRequested", {
  kind: "volume",
  severity: "DEBUG",
  about: "An object that the volume takes files from has changed, or an update is tried again: its files are compared.",
  fields: { podUid: text, volume: text },
  tell: (e) => `looking for changes of volume ${e.volume}`
})

export const VolumeUpdated = defineEvent("VolumeUpdated", {
  kind: "volume",
  about: "The files of a mounted volume are new; containers see all of them change at once.",
  fields: {
    podUid: text,
    volume: text,
    path: text,
    /** As in VolumeMounted. */
    hash: text
  },
  tell: (e) => `volume ${e.volume} has new files`
})

export const VolumeUpdateFailed = defineEvent("VolumeUpdateFailed", {
  kind: "volume",
  severity: "ERROR",
  about: "A mounted volume cannot be brought up to date. Its files stay as they are, and the pod runs on.",
  fields: {
    podUid: text,
    volume: text,
    message: text,
    attempt: Schema.Int,
    /** Absent where nothing helps but a change of the object. */
    retryAt: Schema.optionalKey(Timestamp)
  },
  tell: (e) => `volume ${e.volume} cannot be brought up to date: ${e.message}`
})

export const VolumeUnmountRequested = defineEvent("VolumeUnmountRequested", {
  kind: "volume",
  severity: "DEBUG",
  about: "The pod no longer uses the volume; it is being taken down.",
  fields: { podUid: text, volume: text },
  tell: (e) => `taking down volume ${e.volume}`
})

export const VolumeUnmounted = defineEvent("VolumeUnmounted", {
  kind: "volume",
  about: "The volume is gone from the host (a hostPath stays as it is).",
  fields: { podUid: text, volume: text },
  tell: (e) => `volume ${e.volume} was taken down`
})

export const VolumeUnmountFailed = defineEvent("VolumeUnmountFailed", {
  kind: "volume",
  severity: "ERROR",
  about: "The volume could not be taken down; it is tried again.",
  fields: { podUid: text, volume: text, message: text, attempt: Schema.Int, retryAt: Timestamp },
  tell: (e) => `volume ${e.volume} could not be taken down: ${e.message}`
})

export const volumeEvents = [
  VolumeMountRequested,
  VolumeMounted,
  VolumeMountFailed,
  VolumeRefreshRequested,
  VolumeUpdated,
  VolumeUpdateFailed,
  VolumeUnmountRequested,
  VolumeUnmounted,
  VolumeUnmountFailed
] as const
