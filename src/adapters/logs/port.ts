/**
 * Containers' log files on the node. The container runtime writes them (`<container>/<attempt>.log` in the pod's log
 * directory); here they are measured, rotated, linked and removed, and read for `chronode logs`. Paths are absolute, and every
 * operation is idempotent.
 */
import { Context, type Effect, Schema, type Stream } from "effect"

export class LogError extends Schema.TaggedError<LogError>()("LogError", {
  operation: Schema.String,
  path: Schema.String,
  message: Schema.String
}) {}

export class ContainerLogs extends Context.Service<
  ContainerLogs,
  {
    /** Bytes of the file that the runtime writes; undefined where there is none. */
    readonly size: (path: string) => Effect.Effect<number | undefined, LogError>
    /**
     * Makes room for one more rotated file: what an interrupted rotation left is removed, the oldest ones beyond
     * `maxFiles` (the one that is written and the next one counted) go, the others are packed with gzip.
     */
    readonly makeRoom: (path: string, maxFiles: number) => Effect.Effect<void, LogError>
    /** Renames the file to `<path>.<YYYYMMDD-HHMMSS>`; answers the new path. `at`: milliseconds since the epoch. */
    readonly setAside: (path: string, at: number) => Effect.Effect<string, LogError>
    /** Undoes `setAside`, unless the runtime has made a new file meanwhile. */
    readonly putBack: (rotated: string, path: string) => Effect.Effect<void, LogError>
    /** Names of the directories in one, sorted; none where there is no such directory. */
    readonly directories: (path: string) => Effect.Effect<ReadonlyArray<string>, LogError>
    /** Removes a directory of logs with all in it. */
    readonly removeDirectory: (path: string) => Effect.Effect<void, LogError>
    /** Removes a log with its rotated files. */
    readonly remove: (path: string) => Effect.Effect<void, LogError>
    /** Makes the symbolic link `link` to `target` if the target exists; replaces an older one. */
    readonly link: (link: string, target: string) => Effect.Effect<void, LogError>
    /** Removes the symbolic links in `directory` whose target lies in (or is) `target`. */
    readonly unlink: (directory: string, target: string) => Effect.Effect<void, LogError>
  }
>()("chronode/ContainerLogs") {}

/** One line of a log, or one piece of a line that the runtime wrote in several. */
export interface LogRecord {
  /** RFC 3339 as written, with up to nine digits of a second. */
  readonly time: string
  readonly stream: "stdout" | "stderr"
  /** As the container wrote them; a line feed at the end where the line ends. */
  readonly bytes: Uint8Array
}

export interface ReadLogRequest {
  /** The file that the runtime writes; what rotation has set aside beside it is read too. */
  readonly path: string
  /** Lines from the end; undefined: all. A line that the runtime wrote in pieces counts each of them, as with kubelet. */
  readonly tail?: number | undefined
  /** Nanoseconds since the epoch: older records are left out. */
  readonly since?: bigint | undefined
  /** Goes on with what is written until this says that the container has ended; absent: what is there now. */
  readonly follow?: { readonly hasEnded: () => boolean } | undefined
  /** Told once of each file that holds lines which are none. */
  readonly onUnreadable?: (path: string, line: string) => void
}

/** Batches of records in the order in which they were written. Fails where there is no file at all. */
export type ReadLog = (request: ReadLogRequest) => Stream.Stream<ReadonlyArray<LogRecord>, LogError>
