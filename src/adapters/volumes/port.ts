/**
 * Preparing volumes on the node and taking them down. All of it is idempotent: what is there already is found again, what
 * is gone already is good. What each implementation must keep stands in test/adapters/volumes/volumes-contract.ts.
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

/** A file of a volume that is made of objects. */
export interface ProjectedFile {
  /** Relative to the volume. */
  readonly path: string
  readonly data: Uint8Array
  /** Permission bits. */
  readonly mode: number
}

/** kubelet's plugin whose directory holds the volume. */
export type FilesPlugin = "configmap" | "secret" | "downward-api" | "projected"

export type VolumeSource =
  /** `sizeLimitBytes` bounds the file system of medium Memory; absent: the kernel's default, half of the memory. */
  | { readonly kind: "emptyDir"; readonly medium: "" | "Memory"; readonly sizeLimitBytes?: number }
  /** `pageSizeBytes`: of the huge pages that the file system is made of. */
  | { readonly kind: "emptyDir"; readonly medium: "HugePages"; readonly pageSizeBytes: number }
  | { readonly kind: "hostPath"; readonly path: string; readonly type: HostPathType }
  /**
   * Files that are replaced all at once. `memory`: they are not to reach a disk. `nested`: directories, relative to the
   * volume, on which a container mounts others of its volumes.
   */
  | {
      readonly kind: "files"
      readonly plugin: FilesPlugin
      readonly memory: boolean
      readonly sizeLimitBytes?: number
      readonly files: ReadonlyArray<ProjectedFile>
      readonly nested: ReadonlyArray<string>
    }

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
    /** Answers the path on the host. What it fails to make anew it leaves no part of; what was there stays. */
    readonly mount: (request: VolumeRequest) => Effect.Effect<string, VolumeError>
    /** Removes what `mount` made for the pod. A hostPath stays as it is, also where `mount` created it. */
    readonly unmount: (podUid: string, name: string) => Effect.Effect<void, VolumeError>
    /** Whether a volume of files is there with its content, as `mount` left it. */
    readonly hasFiles: (podUid: string, name: string) => Effect.Effect<boolean, VolumeError>
    /** Volumes that are on the node, whoever made them. */
    readonly onNode: Effect.Effect<ReadonlyArray<{ readonly podUid: string; readonly name: string }>, VolumeError>
  }
>()("chronode/Volumes") {}
