/** What metrics of usage are made of: the part of a statistics snapshot that they tell. */
import type { Summary } from "../../events/stats-summary.ts"
import type { CgroupSample, ContainerSample } from "../cgroupfs/port.ts"

export interface Usage {
  /** Milliseconds since the epoch at which the figures were read. */
  readonly at: number
  readonly summary: Summary
  readonly containers: ReadonlyArray<ContainerSample>
  /** Of the whole node. */
  readonly node: CgroupSample
}

/** CPU settings of a cgroup: shares, and microseconds; absent where it has none. */
export interface CpuSpec {
  readonly shares?: number
  readonly period?: number
  readonly quota?: number
}

/** The machine, as labels and sizes. */
export interface Machine {
  readonly bootId: string
  readonly machineId: string
  readonly systemUuid: string
  readonly kernel: string
  readonly os: string
  readonly cpus: number
  /** Bytes. */
  readonly memory: number
  readonly swap: number
}
