/**
 * What the node and its pods use at the moment. No actor and no event: figures come and go with the second; what is decided
 * on them is recorded with the decision (eviction). One pass serves all who ask within its age.
 */
import { Context, type Effect } from "effect"
import type { CgroupSample, ContainerSample } from "../../adapters/cgroupfs/port.ts"
import type { Summary } from "../../events/stats-summary.ts"

export type { ContainerSample }

export interface Snapshot {
  /** Milliseconds since the epoch at which the pass began. */
  readonly at: number
  readonly summary: Summary
  readonly containers: ReadonlyArray<ContainerSample>
  /** Of the whole node. */
  readonly node: CgroupSample
  /**
   * Which devices file systems are on; those that are the same are one. Absent: not known; `containerfs` is absent too where
   * the runtime tells none of its own, which means that of the images.
   */
  readonly devices: { readonly nodefs?: string; readonly imagefs?: string; readonly containerfs?: string }
  /** Milliseconds of CPU that the process took while the pass was made. */
  readonly cost: number
}

/** What a look at the node's resources needs: the summary without network, pressure, and limits of pods and containers. */
export type BriefSnapshot = Pick<Snapshot, "at" | "summary" | "devices">

/** How old figures may be by default; kubelet's housekeeping of cAdvisor is 10 s. */
export const defaultMaxAge = 10_000

/** What is waited for when sizes are measured anew, milliseconds: directories of 100,000 entries in all. */
export const renewalPatience = 5_000

export class Statistics extends Context.Service<
  Statistics,
  {
    /** Figures that are no older than `maxAge` milliseconds; a pass is made where there are none. Parts that failed are absent. */
    readonly snapshot: (maxAge?: number) => Effect.Effect<Snapshot>
    /** The same for who looks often and needs no more; a third of a pass, where one has to be made. */
    readonly brief: (maxAge?: number) => Effect.Effect<BriefSnapshot>
    /** Sizes of volumes, logs and layers are measured anew; answers when they are, or after `renewalPatience`. */
    readonly renewSizes: Effect.Effect<void>
  }
>()("chronode/Statistics") {}
