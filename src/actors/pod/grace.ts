/** How long a container may take to stop (`pkg/kubelet/kuberuntime/kuberuntime_container.go` setTerminationGracePeriod). */
import type { PolicyContainer, PolicyPod } from "./spec-extension.ts"

/** Seconds; every container gets this much, even when the pod's time is over (`minimumGracePeriodInSeconds`). */
export const minimumGracePeriod = 2

export type KillCause = "LivenessProbe" | "StartupProbe" | "PodTerminating" | "SandboxLost" | "Unknown"

/** Seconds, as it is written: the deletion's own, else the failed probe's, else the pod's. Zero leaves no time for hooks. */
export const writtenGracePeriod = (pod: PolicyPod, container: PolicyContainer, cause: KillCause): number => {
  const probe =
    cause === "LivenessProbe" ? container.livenessProbe : cause === "StartupProbe" ? container.startupProbe : undefined
  return (
    pod.metadata.deletionGracePeriodSeconds ??
    probe?.terminationGracePeriodSeconds ??
    pod.spec.terminationGracePeriodSeconds ??
    minimumGracePeriod
  )
}

/** The same, as much as every container gets at least. */
export const gracePeriod = (pod: PolicyPod, container: PolicyContainer, cause: KillCause): number =>
  Math.max(writtenGracePeriod(pod, container, cause), minimumGracePeriod)
