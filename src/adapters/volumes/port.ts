/**
 * Preparing volumes on the node and taking them down. Both are idempotent: what is there already is found again, what is
 * gone already is good. What each implementation must keep stands in test/adapters/volumes/volumes-contract.ts.
 */
import { Context, type Effect, Schema } from "effect"

export type HostPathType =
  | ""
  | "DirectoryOrCreate"
  | "Directory"
  | "FileOrCreate"
  | "File"
  | "Socket"
  | "CharDevice"
  | "BlockDevice"

export type VolumeSource =
  /** `sizeLimitBytes` bounds the file system of medium Memory; absent: the kernel's default, half of the memory. */
  | { readonly kind: "emptyDir"; readonly medium: "" | "Memory"; readonly sizeLimitBytes?: number }
  | { readonly kind: "hostPath"; readonly path: string; readonly type: HostPathType }

export interface VolumeRequest {
  readonly podUid: string
  readonly name: string
  readonly source: VolumeSource
  /** Group that owns the volume, of those that are the pod's alone. */
  readonly fsGroup?: number
}

export class VolumeError extends Schema.TaggedError<VolumeError>()("VolumeError", {
  podUid: Schema.String,
  volume: Schema.String,
  message: Schema.String
}) {}

export class Volumes extends Context.Service<
  Volumes,
  {
    /** Answers the path on the host. */
    readonly mount: (request: VolumeRequest) => Effect.Effect<string, VolumeError>
    /** Removes what `mount` made for the pod. A hostPath stays as it is, also where `mount` created it. */
    readonly unmount: (podUid: string, name: string) => Effect.Effect<void, VolumeError>
  }
>()("chronode/Volumes") {}
