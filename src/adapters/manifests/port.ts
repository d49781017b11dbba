/**
 * Where static pods come from: a directory of manifests, as actors see it. Pods that leave the port are in their
 * recorded form (no secret values, see redact.ts), but for `secretsOf` and `objects`, whose answers must never reach an
 * event.
 *
 * What each implementation must keep stands in test/adapters/manifests/manifests-contract.ts.
 */
import { Context, type Effect, Schema, type Stream } from "effect"
import type { Pod } from "../../events/pod-spec.ts"

/** Why a manifest, or one document of it, cannot be used. */
export interface ManifestProblem {
  /** 1-based; absent where the whole file is at fault. */
  readonly line?: number
  readonly column?: number
  /** Path of the field: `spec.containers[0].image`, in a list `items[2].spec…`. */
  readonly field?: string
  readonly message: string
}

/** A field that is unknown, or known and not acted on; the pod is used without it. */
export interface IgnoredField {
  readonly line?: number
  readonly field: string
  readonly message: string
}

export interface ManifestFile {
  /** Full path. */
  readonly file: string
  /** SHA-256 of the content, hex; empty where the content was not read (too large, no regular file, no rights). */
  readonly hash: string
  readonly pods: ReadonlyArray<Pod>
  /** How many objects beside pods it declares now. */
  readonly objects: number
  readonly problems: ReadonlyArray<ManifestProblem>
  readonly ignoredFields: ReadonlyArray<IgnoredField>
}

export type ObjectKind = "ConfigMap" | "Secret" | "Service" | "RuntimeClass"

/** An object beside the pods, as events may tell it: never a value. */
export interface DeclaredObject {
  readonly kind: ObjectKind
  readonly namespace: string
  readonly name: string
  /** Full path of the file that declares it, or declared it before a broken edit. */
  readonly file: string
  /** HMAC-SHA256 of the content with a key that only this node has, 32 hex digits. */
  readonly hash: string
  /** Names of the keys of a ConfigMap or Secret, sorted, as many as are told, long ones cut. */
  readonly keys: ReadonlyArray<string>
  /** Present where not all keys are told: how many there are. */
  readonly keyCount?: number
  readonly immutable?: true
  /** Of a RuntimeClass. */
  readonly handler?: string
  /** Of a Secret, or a Service. */
  readonly type?: string
}

/** What a pod may take values from. Values never reach an event. */
export interface ConfigMap {
  readonly namespace: string
  readonly name: string
  readonly data: Readonly<Record<string, string>>
  readonly binaryData: Readonly<Record<string, Uint8Array>>
  readonly immutable: boolean
  readonly hash: string
}
export interface Secret {
  readonly namespace: string
  readonly name: string
  /** `Opaque`, `kubernetes.io/dockerconfigjson`, … */
  readonly type: string
  /** Decoded, `stringData` merged in. */
  readonly data: Readonly<Record<string, Uint8Array>>
  readonly immutable: boolean
  readonly hash: string
}
export interface ServicePort {
  readonly name?: string
  readonly protocol: "TCP" | "UDP" | "SCTP"
  readonly port: number
}
export interface Service {
  readonly namespace: string
  readonly name: string
  readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName"
  /** An address; `None`: headless; empty: none is given, and nobody is here to allot one. */
  readonly clusterIP: string
  readonly ports: ReadonlyArray<ServicePort>
  readonly hash: string
}

export interface RuntimeClass {
  readonly name: string
  /** The runtime's name for how it is to run a pod. */
  readonly handler: string
  readonly hash: string
}

/** The directory has not been read yet: nothing can be said of what it declares. */
export class ObjectsUnknown extends Schema.TaggedError<ObjectsUnknown>()("ObjectsUnknown", {
  message: Schema.String
}) {}

/**
 * The objects that stand beside the pods in the directory, as the last scan found them. `undefined`: there is none. All
 * wait for the first scan, at most `firstScanMillis`.
 */
export interface Objects {
  readonly configMap: (namespace: string, name: string) => Effect.Effect<ConfigMap | undefined, ObjectsUnknown>
  readonly secret: (namespace: string, name: string) => Effect.Effect<Secret | undefined, ObjectsUnknown>
  /** All of a namespace, sorted by name. */
  readonly services: (namespace: string) => Effect.Effect<ReadonlyArray<Service>, ObjectsUnknown>
  /** Pods that name it have its overhead, node selector and tolerations already. */
  readonly runtimeClass: (name: string) => Effect.Effect<RuntimeClass | undefined, ObjectsUnknown>
  /** What an event may tell of a content: HMAC-SHA256 with this node's key, 32 hex digits. */
  readonly fingerprint: (content: string | Uint8Array) => string
}

/** `Unreadable` says nothing of the files: they may all still be there. Files are sorted by name. */
export type ManifestSnapshot =
  | {
      readonly _tag: "Readable"
      readonly directory: string
      readonly files: ReadonlyArray<ManifestFile>
      /** Sorted by kind, namespace and name. */
      readonly objects: ReadonlyArray<DeclaredObject>
    }
  | { readonly _tag: "Unreadable"; readonly directory: string; readonly message: string }

/** The values of a pod are not to be had: no manifest that was read declares it (any more). */
export class PodNotDeclared extends Schema.TaggedError<PodNotDeclared>()("PodNotDeclared", {
  uid: Schema.String,
  message: Schema.String
}) {}

export class Manifests extends Context.Service<
  Manifests,
  {
    readonly directory: string
    /** Reads the directory now. Files whose content is known are not parsed again. */
    readonly scan: Effect.Effect<ManifestSnapshot>
    /** A tick whenever a scan is due: at once, after changes (debounced), and every `fileCheckMillis`. Never ends. */
    readonly changes: Stream.Stream<void>
    /** A pod in its recorded form, as the last scan found it. */
    readonly declared: (uid: string) => Effect.Effect<Pod | undefined>
    /**
     * The whole pod with the values of variables and headers, for starting containers and asking probes. Waits for the
     * first scan, at most `firstScanMillis`. A version that a broken edit has replaced is still known for a while.
     */
    readonly secretsOf: (uid: string) => Effect.Effect<Pod, PodNotDeclared>
    /** ConfigMaps, Secrets, Services and RuntimeClasses given beside the pods. */
    readonly objects: Objects
  }
>()("chronode/Manifests") {}

/** Milliseconds between two looks without any hint (kubelet's fileCheckFrequency). */
export const fileCheckMillis = 20_000
/** Milliseconds of quiet after a change before it is looked at: editors write in several steps. */
export const debounceMillis = 200
/** Milliseconds that `secretsOf` and `objects` wait for the first scan. */
export const firstScanMillis = 30_000
