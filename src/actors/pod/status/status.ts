/**
 * Statuses in the API's shape (`v1.ContainerStatus`, `v1.PodCondition`), as phase and conditions read them. Times are
 * RFC 3339.
 */
import type { ResourceRequirements } from "../../../events/pod-spec.ts"

export interface ContainerWaiting {
  readonly reason?: string
  readonly message?: string
}
export interface ContainerRunning {
  readonly startedAt?: string | null
}
export interface ContainerTerminated {
  readonly exitCode: number
  readonly signal?: number
  readonly reason?: string
  readonly message?: string
  readonly startedAt?: string | null
  readonly finishedAt?: string | null
  readonly containerID?: string
  /** Not of the API: the agent stopped it to start it again, so that its exit code does not say whether it comes back. */
  readonly ownKill?: true
}
/** At most one is set; none: waiting, as in the API. */
export interface ContainerStateStatus {
  readonly waiting?: ContainerWaiting
  readonly running?: ContainerRunning
  readonly terminated?: ContainerTerminated
}

export interface ContainerStatus {
  readonly name: string
  readonly state: ContainerStateStatus
  readonly lastState: ContainerStateStatus
  readonly ready: boolean
  /** Running, and the startup probe has passed (or there is none). */
  readonly started?: boolean
  readonly restartCount: number
  readonly image: string
  readonly imageID: string
  readonly containerID?: string
  /** What it was granted, and what is in force (KEP-1287); absent where it was never made. */
  readonly allocatedResources?: Readonly<Record<string, string>>
  readonly resources?: ResourceRequirements
  /** What stops it, where the runtime tells (KEP-4960). */
  readonly stopSignal?: string
  /** As whom it runs, where the runtime tells (KEP-3619). */
  readonly user?: {
    readonly linux: {
      readonly uid: number
      readonly gid: number
      readonly supplementalGroups: ReadonlyArray<number>
    }
  }
}

export type ConditionStatus = "True" | "False" | "Unknown"
export interface PodCondition {
  readonly type: string
  readonly status: ConditionStatus
  readonly reason?: string
  readonly message?: string
}

export const statusOf = (statuses: ReadonlyArray<ContainerStatus>, name: string): ContainerStatus | undefined =>
  statuses.find((status) => status.name === name)
