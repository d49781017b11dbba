/** In which order pods end when the node shuts down, and in which time (`pkg/kubelet/nodeshutdown`). Pure. */
import { criticalPriority } from "../../events/system-priorities.ts"

/** Pods of this priority and above, up to the next group's, end within so many seconds. */
export interface PriorityGrace {
  readonly priority: number
  readonly shutdownGracePeriodSeconds: number
}

/** The two settings of the whole, in seconds, as a list by priority (`migrateConfig`); empty: no graceful shutdown. */
export const graceByPriority = (total: number, ofCritical: number): ReadonlyArray<PriorityGrace> =>
  total === 0 || total < ofCritical
    ? []
    : [
        { priority: 0, shutdownGracePeriodSeconds: total - ofCritical },
        { priority: criticalPriority, shutdownGracePeriodSeconds: ofCritical }
      ]

export interface ShutdownGroup<P> extends PriorityGrace {
  readonly pods: ReadonlyArray<P>
}

/** Lowest priority first. A pod that is below all of them belongs to the lowest (`groupByPriority`). */
export const groupByPriority = <P extends { readonly priority: number }>(
  grace: ReadonlyArray<PriorityGrace>,
  pods: ReadonlyArray<P>
): ReadonlyArray<ShutdownGroup<P>> => {
  const groups = grace.toSorted((a, b) => a.priority - b.priority)
  const indexOf = ({ priority }: P): number =>
    Math.max(
      groups.findLastIndex((group) => group.priority <= priority),
      0
    )
  return groups.map((group, index) => ({ ...group, pods: pods.filter((pod) => indexOf(pod) === index) }))
}

/** Seconds that the whole may take. */
export const totalGrace = (grace: ReadonlyArray<PriorityGrace>): number =>
  grace.reduce((sum, { shutdownGracePeriodSeconds }) => sum + shutdownGracePeriodSeconds, 0)
