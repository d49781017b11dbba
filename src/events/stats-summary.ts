/**
 * What a node and its pods use, as kubelet tells it (`staging/src/k8s.io/kubelet/pkg/apis/stats/v1alpha1/types.go`): the JSON of
 * `/stats/summary`, what metrics are made of, and what eviction decides on. Absent is what the node cannot tell.
 *
 * Times are RFC 3339. Sizes are bytes, CPU is nanoseconds (`…NanoCores`: of a second), rates of PSI are percent.
 */

/** Pressure stall information (PSI): share of time in which some, or all, tasks waited. */
export interface PsiShare {
  /** Microseconds since the cgroup is there. */
  readonly total: number
  /** Percent of the last 10, 60, 300 s. */
  readonly avg10: number
  readonly avg60: number
  readonly avg300: number
}
export interface PsiStats {
  readonly some: PsiShare
  readonly full: PsiShare
}

export interface CpuStats {
  readonly time: string
  readonly usageNanoCores?: number
  readonly usageCoreNanoSeconds?: number
  readonly psi?: PsiStats
}

export interface MemoryStats {
  readonly time: string
  /** What is left to the limit; without a limit absent. Of the node: capacity without its working set. */
  readonly availableBytes?: number
  readonly usageBytes?: number
  /** Usage without the inactive file pages: what cannot be given back easily. */
  readonly workingSetBytes?: number
  readonly rssBytes?: number
  readonly pageFaults?: number
  readonly majorPageFaults?: number
  readonly psi?: PsiStats
}

export interface SwapStats {
  readonly time: string
  readonly swapAvailableBytes?: number
  readonly swapUsageBytes?: number
}

export interface IoStats {
  readonly time: string
  readonly psi?: PsiStats
}

export interface FsStats {
  readonly time: string
  readonly availableBytes?: number
  readonly capacityBytes?: number
  /** Of what is meant (a volume, a container's layer), not of the file system that it is on. */
  readonly usedBytes?: number
  readonly inodesFree?: number
  readonly inodes?: number
  readonly inodesUsed?: number
}

export interface ProcessStats {
  readonly process_count?: number
}

export interface InterfaceStats {
  readonly name: string
  readonly rxBytes?: number
  readonly rxErrors?: number
  readonly txBytes?: number
  readonly txErrors?: number
}

export interface NetworkStats extends InterfaceStats {
  readonly time: string
  /** All of them; the fields above are those of the default one, `eth0`. */
  readonly interfaces: ReadonlyArray<InterfaceStats>
}

export interface ContainerStats {
  readonly name: string
  readonly startTime: string
  readonly cpu?: CpuStats
  readonly memory?: MemoryStats
  readonly swap?: SwapStats
  readonly io?: IoStats
  readonly rootfs?: FsStats
  readonly logs?: FsStats
}

export interface VolumeStats extends FsStats {
  readonly name: string
  readonly pvcRef?: { readonly name: string; readonly namespace: string }
}

export interface PodReference {
  readonly name: string
  readonly namespace: string
  readonly uid: string
}

export interface PodStats {
  readonly podRef: PodReference
  readonly startTime: string
  readonly containers: ReadonlyArray<ContainerStats>
  readonly cpu?: CpuStats
  readonly memory?: MemoryStats
  readonly swap?: SwapStats
  readonly io?: IoStats
  readonly network?: NetworkStats
  readonly volume?: ReadonlyArray<VolumeStats>
  readonly "ephemeral-storage"?: FsStats
  readonly process_stats?: ProcessStats
}

export interface RuntimeStats {
  readonly imageFs?: FsStats
  readonly containerFs?: FsStats
}

export interface RlimitStats {
  readonly time: string
  /** Most processes that the node takes, and those that there are. */
  readonly maxpid?: number
  readonly curproc?: number
}

export interface NodeStats {
  readonly nodeName: string
  readonly startTime: string
  /** `kubelet`, `runtime`, `pods`: cgroups of the system. */
  readonly systemContainers?: ReadonlyArray<ContainerStats>
  readonly cpu?: CpuStats
  readonly memory?: MemoryStats
  readonly swap?: SwapStats
  readonly io?: IoStats
  readonly network?: NetworkStats
  /** nodefs: what holds the data directory. */
  readonly fs?: FsStats
  readonly runtime?: RuntimeStats
  readonly rlimit?: RlimitStats
}

export interface Summary {
  readonly node: NodeStats
  readonly pods: ReadonlyArray<PodStats>
}
