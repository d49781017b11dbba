/**
 * In which order the containers of a pod stop (`pkg/kubelet/kuberuntime/kuberuntime_termination_order.go`): regular ones
 * at once, sidecars when all of them have ended, the last declared first. Waiting is part of a container's grace period.
 */
import { initContainersOf, isSidecar, type PolicyPodSpec } from "../spec-extension.ts"

/** Names of the containers that end before this one is asked to; none for a regular or an init container. */
export const endingBefore = (spec: PolicyPodSpec, name: string): ReadonlyArray<string> => {
  const sidecars = initContainersOf(spec)
    .filter(isSidecar)
    .map((c) => c.name)
  const index = sidecars.indexOf(name)
  return index < 0 ? [] : [...spec.containers.map((c) => c.name), ...sidecars.slice(index + 1)]
}
