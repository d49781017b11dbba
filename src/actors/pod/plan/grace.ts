/** How long a container may take to stop (`pkg/kubelet/kuberuntime/kuberuntime_container.go` setTerminationGracePeriod). */
import type { PolicyContainer, PolicyPod } from "../spec-extension.ts"

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

/** Seconds that a pod gets at least when it ends as a whole (`pod_workers.go` calculateEffectiveGracePeriod). */
const minimumPodGracePeriod = 1

/** Seconds within which the whole pod ends: `override`, whoever ends it; else its deletion's; else its own. */
export const podGracePeriod = (
  spec: { readonly terminationGracePeriodSeconds?: number },
  deletionGracePeriodSeconds?: number,
  override?: number
): number =>
  Math.max(
    override ?? deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? defaultGracePeriod,
    minimumPodGracePeriod
  )

/** The API's default of `terminationGracePeriodSeconds`. */
const defaultGracePeriod = 30

/** The same, as much as every container gets at least. */
export const gracePeriod = (pod: PolicyPod, container: PolicyContainer, cause: KillCause): number =>
  Math.max(writtenGracePeriod(pod, container, cause), minimumGracePeriod)
