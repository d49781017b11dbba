/** Whether a new pod is let in while the node is under pressure (`pkg/kubelet/eviction/eviction_manager.go` Admit). */
import { isCriticalPod } from "../../pod/admission/critical.ts"
import type { Refusal } from "../../pod/admission/refusal.ts"
import { qosClass } from "../../pod/resources/qos.ts"
import type { PolicyPod } from "../../pod/spec-extension.ts"
import { evictedReason } from "./message.ts"

const memoryPressureTaint = "node.kubernetes.io/memory-pressure"

/** `component-helpers/scheduling/corev1` TolerationsTolerateTaint, of the taint's key and the effect NoSchedule. */
const toleratesMemoryPressure = ({ spec }: PolicyPod): boolean =>
  (spec.tolerations ?? []).some(
    ({ key = "", operator = "Equal", value = "", effect = "" }) =>
      (effect === "" || effect === "NoSchedule") &&
      (key === "" ? operator === "Exists" : key === memoryPressureTaint) &&
      (operator === "Exists" || value === "")
  )

/** `conditions`: those of the node that hold, MemoryPressure first. */
export const pressureRefusal = (pod: PolicyPod, conditions: ReadonlyArray<string>): Refusal | undefined => {
  if (conditions.length === 0 || isCriticalPod(pod)) return undefined
  if (conditions.length === 1 && conditions[0] === "MemoryPressure") {
    if (qosClass(pod.spec) !== "BestEffort" || toleratesMemoryPressure(pod)) return undefined
  }
  return { reason: evictedReason, message: `The node had condition: [${conditions.join(" ")}]. ` }
}
