/** Facts about where pods come from: today a directory of manifests. */
import { Schema } from "effect"
import { defineEvent } from "../definition.ts"

const text = Schema.String

export const ManifestPod = Schema.Struct({ namespace: text, name: text, uid: text })

export const ManifestRead = defineEvent("ManifestRead", {
  kind: "source",
  about: "A manifest file was read for the first time, or with new content; the pods it declares are desired now.",
  fields: {
    file: text,
    /** SHA-256 of the content, hex. */
    hash: text,
    pods: Schema.Array(ManifestPod),
    /** Pods that the file declared before and no file declares any more: not desired any more. */
    dropped: Schema.optionalKey(Schema.Array(ManifestPod))
  },
  tell: (e) =>
    `read ${e.file}: ${e.pods.length === 0 ? "no pods" : e.pods.map((p) => `${p.namespace}/${p.name}`).join(", ")}`
})

export const ManifestInvalid = defineEvent("ManifestInvalid", {
  kind: "source",
  severity: "ERROR",
  about:
    "A manifest, or one document of it, cannot be used. Nothing else is affected; a pod it declared before runs on.",
  fields: {
    file: text,
    hash: text,
    /** 1-based line and column; absent where the whole file is at fault. */
    line: Schema.optionalKey(Schema.Int),
    column: Schema.optionalKey(Schema.Int),
    /** Path of the field, e.g. `spec.containers[0].image`. */
    field: Schema.optionalKey(text),
    message: text
  },
  tell: (e) =>
    `${e.file}${e.line === undefined ? "" : `:${e.line}`}: ${e.field === undefined ? "" : `${e.field}: `}${e.message}`
})

export const ManifestFieldIgnored = defineEvent("ManifestFieldIgnored", {
  kind: "source",
  severity: "WARN",
  about: "A field of a manifest is unknown or not acted on; the pod is used without it.",
  fields: { file: text, hash: text, line: Schema.optionalKey(Schema.Int), field: text, message: text },
  tell: (e) => `${e.file}${e.line === undefined ? "" : `:${e.line}`}: ${e.field}: ${e.message}`
})

export const ManifestRemoved = defineEvent("ManifestRemoved", {
  kind: "source",
  about: "A manifest file is gone; the pods it declared are not desired any more.",
  fields: { file: text, pods: Schema.Array(ManifestPod) },
  tell: (e) => `${e.file} is gone`
})

export const SourceUnreadable = defineEvent("SourceUnreadable", {
  kind: "source",
  severity: "ERROR",
  about: "The manifest directory cannot be read. Nothing is concluded from that: pods run on.",
  fields: { path: text, message: text },
  tell: (e) => `cannot read ${e.path}: ${e.message}`
})

export const SourceReadable = defineEvent("SourceReadable", {
  kind: "source",
  about: "The manifest directory can be read again.",
  fields: { path: text },
  tell: (e) => `${e.path} can be read again`
})

export const sourceEvents = [
  ManifestRead,
  ManifestInvalid,
  ManifestFieldIgnored,
  ManifestRemoved,
  SourceUnreadable,
  SourceReadable
] as const
