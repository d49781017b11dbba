/**
 * The two priority classes that every cluster has (`pkg/apis/scheduling/types.go`). Admission at an API server replaces their
 * names by these values (`plugin/pkg/admission/priority`); without one it is done where a manifest is read.
 */
export const nodeCriticalClass = "system-node-critical"
export const clusterCriticalClass = "system-cluster-critical"

/** From here on a pod is critical. */
export const criticalPriority = 2_000_000_000
/** Of `system-node-critical`. */
export const nodeCriticalPriority = 2_000_001_000

export const systemPriorities: ReadonlyMap<string, number> = new Map([
  [nodeCriticalClass, nodeCriticalPriority],
  [clusterCriticalClass, criticalPriority]
])
