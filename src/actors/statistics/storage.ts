/** Sizes of files and file systems in the words of kubelet's summary, and what a pod has on the node's disk. Pure. */
import type { FilesystemUsage } from "../../adapters/cri/port.ts"
import type { DirectoryUsage, FileSystemUsage } from "../../adapters/filesystems/port.ts"
import type { FsStats } from "../../events/stats-summary.ts"
import { timeOf } from "./figures-of-cgroups.ts"

/** What the file system has, which the thing itself is a part of. */
const whole = ({ available, capacity, inodes, inodesFree }: FileSystemUsage) => ({
  availableBytes: available,
  capacityBytes: capacity,
  inodesFree,
  inodes
})

/** A file system as a whole, used by whatever is on it. */
export const fileSystemStats = (at: number, usage: FileSystemUsage): FsStats => ({
  time: timeOf(at),
  ...whole(usage),
  usedBytes: usage.capacity - usage.free,
  inodesUsed: usage.inodes - usage.inodesFree
})

/** Something of so many bytes on a file system; without it where that is not known. */
export const directoryStats = (used: DirectoryUsage, on: FileSystemUsage | undefined): FsStats => ({
  time: timeOf(used.at),
  ...(on === undefined ? {} : whole(on)),
  usedBytes: used.bytes,
  inodesUsed: used.inodes
})

/** The same as the runtime tells it: of a container's layer, of all images. */
export const layerStats = (
  { at, usedBytes, inodesUsed }: FilesystemUsage,
  on: FileSystemUsage | undefined
): FsStats => ({
  time: timeOf(at),
  ...(on === undefined ? {} : whole(on)),
  ...(usedBytes === undefined ? {} : { usedBytes }),
  ...(inodesUsed === undefined ? {} : { inodesUsed })
})

const sum = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : a + b
const later = (a: string, b: string): string => (a < b ? b : a)

export interface PodStorage {
  readonly containers: ReadonlyArray<{ readonly rootfs?: FsStats; readonly logs?: FsStats }>
  /** Volumes that are local and ephemeral. */
  readonly volumes: ReadonlyArray<FsStats>
  /** Files of its log directory itself, and its hosts file. */
  readonly files: ReadonlyArray<FsStats>
}

/**
 * A pod's ephemeral storage (calcEphemeralStorage): its containers' layers and logs, local volumes, its own logs and its
 * hosts file. Logs of a container whose layer is not known are left out, as kubelet does.
 */
export const ephemeralStorage = (nodefs: FsStats, { containers, volumes, files }: PodStorage): FsStats => {
  const counted = [
    ...containers.flatMap(({ rootfs, logs }) =>
      rootfs === undefined ? [] : [rootfs, ...(logs === undefined ? [] : [logs])]
    ),
    ...volumes,
    ...files
  ]
  const used = counted.reduce<number | undefined>((total, { usedBytes }) => sum(total, usedBytes), undefined)
  const inodes = counted.reduce<number | undefined>((total, { inodesUsed }) => sum(total, inodesUsed), undefined)
  const { usedBytes: _, inodesUsed: __, ...rest } = nodefs
  return {
    ...rest,
    time: counted.reduce((time, part) => later(time, part.time), nodefs.time),
    ...(used === undefined ? {} : { usedBytes: used }),
    ...(inodes === undefined ? {} : { inodesUsed: inodes })
  }
}
