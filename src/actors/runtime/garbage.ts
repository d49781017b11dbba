/**
 * Dead containers, old sandboxes and log directories that nobody needs any more (`pkg/kubelet/kuberuntime/kuberuntime_gc.go`).
 * Pure: what is there and which pods are known comes in, ids and names that are to go come out, the oldest first.
 */
import type { ContainerState, SandboxState } from "../../adapters/cri/port.ts"

/** kubelet's `--minimum-container-ttl-duration`, `--maximum-dead-containers-per-container`, `--maximum-dead-containers`. */
export interface ContainerGcPolicy {
  /** Milliseconds since its creation. */
  readonly minAge: number
  /** Dead ones that are kept of each container; negative: all. */
  readonly maxPerPodContainer: number
  /** Dead ones that are kept on the node; negative: all. */
  readonly maxContainers: number
}

export const containerGcPolicy: ContainerGcPolicy = { minAge: 0, maxPerPodContainer: 1, maxContainers: -1 }

/** What is known of the pods to whom things belong. */
export interface PodFates {
  /** It is gone as a whole. */
  readonly isDeleted: (uid: string) => boolean
  /** It has ended for good and is not gone. */
  readonly isTerminated: (uid: string) => boolean
  /** What ended for good is cleared too: under pressure. */
  readonly evictTerminated: boolean
}

export interface ContainerSight {
  readonly id: string
  readonly podUid: string
  readonly name: string
  readonly attempt: number
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly state: ContainerState
}

interface Aged {
  readonly attempt: number
  readonly createdAt: number
}
const newestFirst = (a: Aged, b: Aged): number => b.attempt - a.attempt || b.createdAt - a.createdAt

const isCleared = (uid: string, { isDeleted, isTerminated, evictTerminated }: PodFates): boolean =>
  isDeleted(uid) || (evictTerminated && isTerminated(uid))

const grouped = <A>(items: ReadonlyArray<A>, key: (item: A) => string): ReadonlyArray<ReadonlyArray<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const item of items) {
    const group = groups.get(key(item))
    if (group === undefined) groups.set(key(item), [item])
    else group.push(item)
  }
  return [...groups.values()]
}

/** `allSourcesReady`: all pods that are wanted are known; else nothing is taken for deleted. `now`: milliseconds. */
export const containerGarbage = (
  containers: ReadonlyArray<ContainerSight>,
  policy: ContainerGcPolicy,
  fates: PodFates,
  allSourcesReady: boolean,
  now: number
): ReadonlyArray<string> => {
  const { minAge, maxPerPodContainer, maxContainers } = policy
  const dead = containers.filter((c) => c.state !== "CONTAINER_RUNNING" && now - c.createdAt >= minAge)
  const garbage: Array<ContainerSight> = []
  /** Keeps the newest. */
  const keep = (group: ReadonlyArray<ContainerSight>, count: number): ReadonlyArray<ContainerSight> => {
    const sorted = group.toSorted(newestFirst)
    garbage.push(...sorted.slice(count).reverse())
    return sorted.slice(0, count)
  }
  const ofPods = grouped(dead, (c) => `${c.podUid}/${c.name}`).flatMap((group) =>
    allSourcesReady && isCleared(group[0]!.podUid, fates) ? (keep(group, 0), []) : [group]
  )
  const bounded = maxPerPodContainer < 0 ? ofPods : ofPods.map((group) => keep(group, maxPerPodContainer))
  const count = bounded.reduce((sum, group) => sum + group.length, 0)
  if (maxContainers >= 0 && count > maxContainers) {
    // Each container keeps as many as the others; then the oldest go, whosever they are.
    const share = Math.max(Math.floor(maxContainers / bounded.length), 1)
    keep(
      bounded.flatMap((group) => keep(group, share)),
      maxContainers
    )
  }
  return garbage.map(({ id }) => id)
}

export interface SandboxSight {
  readonly id: string
  readonly podUid: string
  readonly attempt: number
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly state: SandboxState
  readonly hasContainers: boolean
}

/** Sandboxes that are not ready and hold no containers, but for the newest of a pod that is there. */
export const sandboxGarbage = (sandboxes: ReadonlyArray<SandboxSight>, fates: PodFates): ReadonlyArray<string> =>
  grouped(sandboxes, (s) => s.podUid).flatMap((group) =>
    group
      .toSorted(newestFirst)
      .slice(isCleared(group[0]!.podUid, fates) ? 0 : 1)
      .filter((s) => s.state !== "SANDBOX_READY" && !s.hasContainers)
      .map(({ id }) => id)
      .reverse()
  )

/** `namespace_name_uid` → `uid` (`pkg/kubelet/kuberuntime/helpers.go` parsePodUIDFromLogsDirectory). */
export const uidOfLogDirectory = (name: string): string => name.slice(name.lastIndexOf("_") + 1)

/** Log directories of pods that are gone. */
export const logDirectoryGarbage = (
  names: ReadonlyArray<string>,
  { isDeleted }: Pick<PodFates, "isDeleted">,
  allSourcesReady: boolean
): ReadonlyArray<string> => (allSourcesReady ? names.filter((name) => isDeleted(uidOfLogDirectory(name))) : [])
