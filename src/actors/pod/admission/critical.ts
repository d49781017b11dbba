/**
 * Which pods matter most to a node (`pkg/kubelet/types/pod_update.go`, `pkg/apis/scheduling/types.go`): static pods, mirror
 * pods and those of a system priority. A critical pod that does not fit may take the place of others (preemption.ts).
 */
import { criticalPriority, nodeCriticalClass } from "../../../events/system-priorities.ts"
import { configSourceAnnotation } from "../labels.ts"
import { initContainersOf, isSidecar, type PolicyPodSpec } from "../spec-extension.ts"

/** Marks the copy of a static pod that an API server shows: no pod that a node runs. */
export const configMirrorAnnotation = "kubernetes.io/config.mirror"

/** As much of a pod as tells whether it is critical. */
export interface Ranked {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> }
  readonly spec: Pick<PolicyPodSpec, "priority" | "priorityClassName">
}

/** `file`, `http`, `api`; `undefined` where the pod does not say. */
export const podSource = ({ metadata }: Ranked): string | undefined => metadata.annotations?.[configSourceAnnotation]

export const isStaticPod = (pod: Ranked): boolean => {
  const source = podSource(pod)
  return source !== undefined && source !== "api"
}

export const isMirrorPod = ({ metadata }: Ranked): boolean =>
  metadata.annotations?.[configMirrorAnnotation] !== undefined

export const isCriticalPriority = (priority: number): boolean => priority >= criticalPriority

export const isCriticalPod = (pod: Ranked): boolean =>
  isStaticPod(pod) || isMirrorPod(pod) || (pod.spec.priority !== undefined && isCriticalPriority(pod.spec.priority))

export const isNodeCriticalPod = (pod: Ranked): boolean =>
  isCriticalPod(pod) && pod.spec.priorityClassName === nodeCriticalClass

/** Whether one pod may take the place of another: critical before not critical, then by priority where both have one. */
export const isPreemptable = (preemptor: Ranked, preemptee: Ranked): boolean => {
  if (isCriticalPod(preemptor) && !isCriticalPod(preemptee)) return true
  const [own, other] = [preemptor.spec.priority, preemptee.spec.priority]
  return own !== undefined && other !== undefined && own > other
}

export const hasSidecar = (spec: PolicyPodSpec): boolean => initContainersOf(spec).some(isSidecar)

/**
 * A pod of a manifest directory as these rules see it: static, and with the priority that the API server would give it
 * where it names none, which is 0.
 */
export const asStatic = <P extends Ranked>(pod: P): P => ({
  ...pod,
  metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, [configSourceAnnotation]: "file" } },
  spec: { ...pod.spec, priority: pod.spec.priority ?? 0 }
})
