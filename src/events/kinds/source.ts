/** Facts about where pods come from: today a directory of manifests. */
import { Schema } from "effect"
import { defineEvent } from "../definition.ts"

const text = Schema.String

export const ManifestPod = Schema.Struct({ namespace: text, name: text, uid: text })

export const ObjectKind = Schema.Literals(["ConfigMap", "Secret", "Service", "RuntimeClass"])

const objectFields = {
  kind: ObjectKind,
  namespace: text,
  name: text,
  file: text,
  /** HMAC-SHA256 of the content with a key that only the node has, 32 hex digits: equal contents, equal hashes. */
  hash: text,
  /** Names of its keys, sorted; at most 32, long ones cut. */
  keys: Schema.Array(text),
  /** Present where `keys` are not all: how many there are. */
  keyCount: Schema.optionalKey(Schema.Int),
  immutable: Schema.optionalKey(Schema.Literal(true)),
  /** Of a RuntimeClass, which has no namespace. */
  handler: Schema.optionalKey(text),
  /** Of a Secret or a Service. */
  type: Schema.optionalKey(text)
} as const
export const ManifestObject = Schema.Struct(objectFields)

const objectName = (e: { readonly kind: string; readonly namespace: string; readonly name: string }): string =>
  e.namespace === "" ? `${e.kind} ${e.name}` : `${e.kind} ${e.namespace}/${e.name}`

export const ObjectDeclared = defineEvent("ObjectDeclared", {
  kind: "source",
  about:
    "A ConfigMap, Secret, Service or RuntimeClass is declared beside the pods: pods may take values from it, or be run by it. The log has no value of it.",
  fields: objectFields,
  tell: (e) => `${objectName(e)} is declared in ${e.file}`
})

export const ObjectChanged = defineEvent("ObjectChanged", {
  kind: "source",
  about: "The content of an object beside the pods has changed, or another file declares it now.",
  fields: objectFields,
  tell: (e) => `${objectName(e)} has changed in ${e.file}`
})

export const ObjectRemoved = defineEvent("ObjectRemoved", {
  kind: "source",
  about: "An object beside the pods is not declared any more. What was mounted or set of it stays where it is.",
  fields: { kind: ObjectKind, namespace: text, name: text, file: text },
  tell: (e) => `${objectName(e)} is not declared any more`
})

export const ManifestRead = defineEvent("ManifestRead", {
  kind: "source",
  about: "A manifest file was read for the first time, or with new content; the pods it declares are desired now.",
  fields: {
    file: text,
    /** SHA-256 of the content, hex. */
    hash: text,
    pods: Schema.Array(ManifestPod),
    /** Pods that the file declared before and no file declares any more: not desired any more. */
    dropped: Schema.optionalKey(Schema.Array(ManifestPod)),
    /** How many objects beside pods it declares; absent: none. */
    objects: Schema.optionalKey(Schema.Int)
  },
  tell: (e) => {
    const objects = e.objects === undefined ? [] : [e.objects === 1 ? "1 object" : `${e.objects} objects`]
    const pods = e.pods.map((p) => `${p.namespace}/${p.name}`)
    return `read ${e.file}: ${[...(pods.length === 0 && objects.length === 0 ? ["no pods"] : pods), ...objects].join(", ")}`
  }
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
  ObjectDeclared,
  ObjectChanged,
  ObjectRemoved,
  SourceUnreadable,
  SourceReadable
] as const
