/** What of the node bears on the configs that the runtime is given, and where a pod's files are (`pkg/kubelet/kubelet_getters.go`). */

import type { NodeDns } from "./network/dns.ts"
import type { CgroupDriver, CgroupName } from "./resources/cgroup.ts"
import { podsTier } from "./resources/cgroup.ts"
import type { ResourceEnvironment } from "./resources/resources.ts"
import type { PolicyPod } from "./spec-extension.ts"

export interface NodeFacts extends ResourceEnvironment, NodeDns {
  readonly nodeName: string
  /** `/var/log/pods` */
  readonly podLogsDir: string
  /** `/var/log/containers`: where a link to each container's log is made; absent: nowhere. */
  readonly containerLogsDir?: string
  /** Directory under which `pods/<uid>/` holds a pod's files; kubelet's is `/var/lib/kubelet`. */
  readonly rootDir: string
  readonly cgroupDriver: CgroupDriver
  /** kubelet's cgroupRoot: `/` or absent for the root of the hierarchy. */
  readonly cgroupRoot?: string
  /** kubelet's cgroupsPerQOS; on where absent. Off: the runtime has its own place for cgroups, and the agent makes none. */
  readonly cgroupsPerQos?: boolean
  /** kubelet's podPidsLimit; absent or not positive: no limit. */
  readonly podPidsLimit?: number
  /** kubelet's seccompDefault: a container that says nothing gets the runtime's profile, not none. */
  readonly seccompDefault?: boolean
  /** Kernel parameters that pods may set, as names and prefixes with `*`; absent: not limited here. */
  readonly sysctls?: ReadonlyArray<string>
  /** Whether the kernel enforces AppArmor; absent: not known. */
  readonly appArmor?: boolean
  /** Whether the kernel enforces SELinux: files made for a pod are then relabelled. */
  readonly selinux?: boolean
  /** Paths that exist on this node and are hidden too: `/sys/devices/system/cpu/cpu<n>/thermal_throttle`. */
  readonly maskedPaths?: ReadonlyArray<string>
}

/** Cgroup of all pods of the node. */
export const podsCgroup = (node: Pick<NodeFacts, "cgroupRoot">): CgroupName => [
  ...(node.cgroupRoot ?? "").split("/").filter((part) => part !== ""),
  podsTier
]

/** `<podLogsDir>/<namespace>_<name>_<uid>` */
export const podLogDirectory = (node: Pick<NodeFacts, "podLogsDir">, { metadata }: PolicyPod): string =>
  `${node.podLogsDir}/${metadata.namespace}_${metadata.name}_${metadata.uid}`

/** Longest name of a file, bytes (ext4). */
const maxFileName = 255
const linkSuffix = ".log"

/**
 * The link by which older log collectors find a container's log: `<containerLogsDir>/<pod>_<namespace>_<container>-<id>.log`
 * (`pkg/kubelet/kuberuntime/legacy.go`). Undefined where no links are made.
 */
export const containerLogLink = (
  node: Pick<NodeFacts, "containerLogsDir">,
  { metadata }: PolicyPod,
  container: string,
  containerId: string
): string | undefined => {
  if (node.containerLogsDir === undefined) return undefined
  const name = `${metadata.name}_${metadata.namespace}_${container}-${containerId}`
  return `${node.containerLogsDir}/${name.slice(0, maxFileName - linkSuffix.length)}${linkSuffix}`
}

/** Relative to the pod's log directory. */
export const containerLogPath = (container: string, attempt: number): string => `${container}/${attempt}.log`

export const podDirectory = (node: Pick<NodeFacts, "rootDir">, uid: string): string => `${node.rootDir}/pods/${uid}`

/** The hosts file that is mounted into the pod's containers. */
export const hostsFilePath = (node: Pick<NodeFacts, "rootDir">, uid: string): string =>
  `${podDirectory(node, uid)}/etc-hosts`

/**
 * File behind a container's termination message, one per attempt. kubelet draws a random name; ours is the attempt, so
 * that it can be found again.
 */
export const terminationLogPath = (
  node: Pick<NodeFacts, "rootDir">,
  uid: string,
  container: string,
  attempt: number
): string => `${podDirectory(node, uid)}/containers/${container}/${attempt.toString(16).padStart(8, "0")}`
