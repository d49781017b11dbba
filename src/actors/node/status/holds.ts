/** Why a pod is not taken now: the node is cordoned, or shuts down. Pure. */
import type { PodHold } from "../../../events/kinds/pod.ts"
import type { Pod } from "../../../events/pod-spec.ts"
import { isCriticalPriority } from "../../pod/admission/critical.ts"
import type { NodeState } from "../state.ts"

/** kubelet's words (`pkg/kubelet/nodeshutdown/nodeshutdown_manager.go`). */
const shutdownMessage = "Pod was rejected as the node is shutting down."

/** A cordoned node takes critical pods all the same, as a cluster's does those of DaemonSets: a drain leaves them there. */
export const holdFor = (node: Pick<NodeState, "cordon" | "shutdown"> | undefined, pod: Pod): PodHold | undefined => {
  if (node?.shutdown !== undefined) return { reason: "NodeShutdown", message: shutdownMessage }
  if (node?.cordon === undefined || isCriticalPriority(pod.spec.priority ?? 0)) return undefined
  return { reason: "NodeCordoned", message: "the node is cordoned" }
}
