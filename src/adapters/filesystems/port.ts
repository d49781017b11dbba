/**
 * File systems and how much of them is used, as actors see them. Asking a whole file system is cheap; the size of a directory
 * is what walking it costs, so that the walks of a node share one bound on their work (`walkEntriesPerSecond`).
 *
 * What each implementation must keep stands in test/adapters/filesystems/filesystems-contract.ts.
 */
import { Context, type Effect, Schema } from "effect"

/** `NotFound`: there is no such path (any more). */
export class FileSystemError extends Schema.TaggedError<FileSystemError>()("FileSystemError", {
  reason: Schema.Literals(["NotFound", "Failed"]),
  path: Schema.String,
  message: Schema.String
}) {}

/** Of a file system; bytes. */
export interface FileSystemUsage {
  /** The same for all paths of one file system: `259:1`. */
  readonly device: string
  readonly capacity: number
  readonly free: number
  /** Of what is free, for those without privileges. */
  readonly available: number
  readonly inodes: number
  readonly inodesFree: number
}

/** Of a directory with all in it on the same file system, a file with several names counted once. */
export interface DirectoryUsage {
  /** As taken on the disk, not as long as the files say. */
  readonly bytes: number
  readonly inodes: number
  /** When the walk began, milliseconds since the epoch. */
  readonly at: number
  /** It has more than `maxWalkEntries`: there is at least this much. */
  readonly truncated?: true
}

/** Entries that all walks together look at in a second, on average; a walk that is longer waits in between. */
export const walkEntriesPerSecond = 20_000
/** Entries of one directory tree that are looked at. */
export const maxWalkEntries = 2_000_000

type Call<A> = Effect.Effect<A, FileSystemError>

export class FileSystems extends Context.Service<
  FileSystems,
  {
    /** Of the file system that holds the path. */
    readonly usage: (path: string) => Call<FileSystemUsage>
    /**
     * Size of a directory. Walks take turns: one that is asked for while the same is under way gets the answer of that.
     * Directories that vanish meanwhile, or cannot be read, count as empty. `NotFound` where it is not there itself.
     */
    readonly directory: (path: string) => Call<DirectoryUsage>
    /** Size of the files right in a directory whose names begin so: a log and those it was rotated to. */
    readonly files: (directory: string, prefix: string) => Call<DirectoryUsage>
  }
>()("chronode/FileSystems") {}
