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

export interface SubPathRequest {
  readonly podUid: string
  readonly volume: string
  /** Where the volume is on the host, as `mount` answered it. */
  readonly volumePath: string
  readonly container: string
  /** Of the mount among those of the container. */
  readonly index: number
  /** Relative, without `..`. */
  readonly subPath: string
}

/** `create`: making a directory that is missing; `prepare`: reaching the path and binding it. */
export type SubPathStep = "create" | "prepare"

/** `message` tells of files on the host: it is for the agent's own log, not for events. */
export class SubPathError extends Schema.TaggedError<SubPathError>()("SubPathError", {
  step: Schema.Literals(["create", "prepare"]),
  podUid: Schema.String,
  volume: Schema.String,
  message: Schema.String
}) {}

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
    /**
     * Makes a path inside of a volume reachable for the runtime, and answers where; a directory that is missing is made.
     * Whatever the pod does to its volume meanwhile, the answer leads to nothing outside of it. Goes with `unmount`.
     */
    readonly mountSubPath: (request: SubPathRequest) => Effect.Effect<string, SubPathError>
    /** Text of a file (≤ `maxVolumeFileBytes`) in a volume, and of nothing outside of it. */
    readonly readFile: (
      podUid: string,
      volume: string,
      volumePath: string,
      path: string
    ) => Effect.Effect<string, VolumeError>
    /** Removes what `mount` and `mountSubPath` made for the pod. A hostPath stays as it is, also where `mount` created it. */
    readonly unmount: (podUid: string, name: string) => Effect.Effect<void, VolumeError>
    /** Whether a volume of files is there with its content, as `mount` left it. */
    readonly hasFiles: (podUid: string, name: string) => Effect.Effect<boolean, VolumeError>
    /** Volumes that are on the node, whoever made them. */
    readonly onNode: Effect.Effect<ReadonlyArray<{ readonly podUid: string; readonly name: string }>, VolumeError>
  }
>()("chronode/Volumes") {}

/** Bytes of a file that is read out of a volume. */
export const maxVolumeFileBytes = 1024 * 1024
