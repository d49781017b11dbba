/** `oom_score_adj` of containers (`pkg/kubelet/qos/policy.go`): whom the kernel kills first when memory runs out. */
import { nodeCriticalPriority } from "../../../events/system-priorities.ts"
import { initContainersOf, isSidecar, type PolicyContainer, type PolicyPod } from "../spec-extension.ts"
import { qosClass } from "./qos.ts"
import { quantityOf, value, zero } from "./quantity.ts"
import { hasPodLevelResources, podRequests } from "./resource-list.ts"

export const guaranteedOomScoreAdj = -997
export const bestEffortOomScoreAdj = 1000

/** Bytes. */
const memoryRequest = (container: PolicyContainer): number => value(quantityOf(container.resources?.requests?.memory))

/**
 * Memory that the pod asks for as a whole and no container of it: spread in equal parts over all that run together.
 */
const unclaimedShare = (pod: PolicyPod): number => {
  const { spec } = pod
  if (!hasPodLevelResources(spec)) return 0
  const running = [...spec.containers, ...initContainersOf(spec).filter(isSidecar)]
  const memory = (skipPodLevelResources: boolean) =>
    value(podRequests(spec, { skipPodLevelResources, excludeOverhead: true }).get("memory") ?? zero)
  const rest = memory(false) - memory(true)
  return rest > 0 && running.length > 0 ? Math.trunc(rest / running.length) : 0
}

const isSidecarOf = (pod: PolicyPod, { name }: PolicyContainer): boolean =>
  initContainersOf(pod.spec).some((init) => init.name === name && isSidecar(init))

/** `memoryCapacity`: bytes of the node, more than zero. */
export const oomScoreAdj = (pod: PolicyPod, container: PolicyContainer, memoryCapacity: number): number => {
  // A node-critical pod is spared like a Guaranteed one.
  if ((pod.spec.priority ?? 0) >= nodeCriticalPriority) return guaranteedOomScoreAdj
  const qos = qosClass(pod.spec)
  if (qos === "Guaranteed") return guaranteedOomScoreAdj
  if (qos === "BestEffort") return bestEffortOomScoreAdj
  const own = memoryRequest(container)
  // A sidecar is not killed before the least demanding of the containers that it serves.
  const served = isSidecarOf(pod, container) ? pod.spec.containers.map(memoryRequest) : []
  const least = served.length === 0 ? own : Math.min(...served)
  const counted = Math.max(own, least) + unclaimedShare(pod)
  const score = Number(1000n - (1000n * BigInt(counted)) / BigInt(memoryCapacity))
  // Burstable stays above every Guaranteed pod and below every BestEffort one.
  return Math.min(Math.max(score, 1000 + guaranteedOomScoreAdj), bestEffortOomScoreAdj - 1)
}
