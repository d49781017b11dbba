/**
 * What the node and its pods use at the moment. No actor and no event: figures come and go with the second; what is decided
 * on them is recorded with the decision (eviction). One pass serves all who ask within its age.
 */
import { Context, type Effect } from "effect"
import type { CgroupSample, InterfaceCounters } from "../../adapters/cgroupfs/port.ts"
import type { Summary } from "../../events/stats-summary.ts"

/** What one container's cgroup says, for those who tell more than a summary does (metrics of cAdvisor). */
export interface ContainerSample {
  /** Path of its cgroup. */
  readonly path: string
  readonly namespace: string
  readonly pod: string
  readonly podUid: string
  /** Empty: the pod's own cgroup. `POD`: its sandbox. */
  readonly container: string
  readonly containerId: string
  readonly image: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly sample: CgroupSample
  /** Of the pod's network namespace, with the sandbox. */
  readonly network?: ReadonlyArray<InterfaceCounters>
}

export interface Snapshot {
  /** Milliseconds since the epoch at which the pass began. */
  readonly at: number
  readonly summary: Summary
  readonly containers: ReadonlyArray<ContainerSample>
  /** Of the whole node. */
  readonly node: CgroupSample
  /** Milliseconds of CPU that the pass took. */
  readonly cost: number
}

/** How old figures may be by default; kubelet's housekeeping of cAdvisor is 10 s. */
export const defaultMaxAge = 10_000

export class Statistics extends Context.Service<
  Statistics,
  {
    /** Figures that are no older than `maxAge` milliseconds; a pass is made where there are none. Parts that failed are absent. */
    readonly snapshot: (maxAge?: number) => Effect.Effect<Snapshot>
  }
>()("chronode/Statistics") {}
