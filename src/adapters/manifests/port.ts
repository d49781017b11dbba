/**
 * Where static pods come from: a directory of manifests, as actors see it. Pods that leave the port are in their
 * recorded form (no secret values, see redact.ts), but for `secretsOf`, whose answer must never reach an event.
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
  readonly problems: ReadonlyArray<ManifestProblem>
  readonly ignoredFields: ReadonlyArray<IgnoredField>
}

/** `Unreadable` says nothing of the files: they may all still be there. Files are sorted by name. */
export type ManifestSnapshot =
  | { readonly _tag: "Readable"; readonly directory: string; readonly files: ReadonlyArray<ManifestFile> }
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
  }
>()("chronode/Manifests") {}

/** Milliseconds between two looks without any hint (kubelet's fileCheckFrequency). */
export const fileCheckMillis = 20_000
/** Milliseconds of quiet after a change before it is looked at: editors write in several steps. */
export const debounceMillis = 200
/** Milliseconds that `secretsOf` waits for the first scan. */
export const firstScanMillis = 30_000
