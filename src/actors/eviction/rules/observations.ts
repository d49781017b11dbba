/** What is left of each resource, out of a summary of statistics (`helpers.go` makeSignalObservations). */
import type { FsStats, MemoryStats, Summary } from "../../../events/stats-summary.ts"
import type { Signal } from "./signals.ts"

/** Bytes, inodes or processes. */
export interface Observation {
  readonly available: number
  readonly capacity: number
  /** RFC 3339: when it was measured; absent where that is not known. */
  readonly time?: string
}
export type Observations = Readonly<Partial<Record<Signal, Observation>>>

const timed = (observation: Observation, time: string | null | undefined): Observation =>
  time === null || time === undefined ? observation : { ...observation, time }

const memory = (stats: MemoryStats | undefined): Observation | undefined =>
  stats?.availableBytes === undefined || stats.workingSetBytes === undefined
    ? undefined
    : timed({ available: stats.availableBytes, capacity: stats.availableBytes + stats.workingSetBytes }, stats.time)

const bytes = (stats: FsStats | undefined): Observation | undefined =>
  stats?.availableBytes === undefined || stats.capacityBytes === undefined
    ? undefined
    : timed({ available: stats.availableBytes, capacity: stats.capacityBytes }, stats.time)

const inodes = (stats: FsStats | undefined): Observation | undefined =>
  stats?.inodesFree === undefined || stats.inodes === undefined
    ? undefined
    : timed({ available: stats.inodesFree, capacity: stats.inodes }, stats.time)

/** Signals that the summary says nothing of are absent: their thresholds are not met. */
export const observationsOf = ({ node }: Summary): Observations => {
  const pods = node.systemContainers?.find(({ name }) => name === "pods")
  const { maxpid, curproc, time } = node.rlimit ?? {}
  const found: ReadonlyArray<readonly [Signal, Observation | undefined]> = [
    ["memory.available", memory(node.memory)],
    ["allocatableMemory.available", memory(pods?.memory)],
    ["nodefs.available", bytes(node.fs)],
    ["nodefs.inodesFree", inodes(node.fs)],
    ["imagefs.available", bytes(node.runtime?.imageFs)],
    ["imagefs.inodesFree", inodes(node.runtime?.imageFs)],
    ["containerfs.available", bytes(node.runtime?.containerFs)],
    ["containerfs.inodesFree", inodes(node.runtime?.containerFs)],
    [
      "pid.available",
      maxpid === undefined || curproc === undefined
        ? undefined
        : timed({ available: maxpid - curproc, capacity: maxpid }, time)
    ]
  ]
  return Object.fromEntries(found.filter(([, observation]) => observation !== undefined)) as Observations
}
