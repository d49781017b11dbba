/**
 * The pod as the policies read it: `Pod` of src/events/pod-spec.ts, and beside it the fields that the policies already
 * understand while manifests and the log do not carry them yet. Every `Pod` is a `PolicyPod`. A field moves to
 * pod-spec.ts when
 * the whole runtime honours it; then it is deleted here.
 */
import type { Container, Pod, PodSpec, RestartRule } from "../../events/pod-spec.ts"

export type RestartPolicy = "Always" | "OnFailure" | "Never"

export type { RestartRule }

export type PolicyContainer = Container

export type PolicyPodSpec = Omit<PodSpec, "containers" | "initContainers"> & {
  readonly containers: ReadonlyArray<PolicyContainer>
  readonly initContainers?: ReadonlyArray<PolicyContainer>
}

export interface PolicyPod {
  readonly metadata: Pod["metadata"] & {
    /** Set once the pod is to end. */
    readonly deletionTimestamp?: string
    readonly deletionGracePeriodSeconds?: number
  }
  readonly spec: PolicyPodSpec
}

/** Whether an init container is a sidecar: it starts in its turn and runs on beside the regular ones. */
export const isSidecar = (container: PolicyContainer): boolean => container.restartPolicy === "Always"

export const initContainersOf = (spec: PolicyPodSpec): ReadonlyArray<PolicyContainer> => spec.initContainers ?? []

/** Init containers first, then the regular ones, in the order of the spec. */
export const allContainers = (spec: PolicyPodSpec): ReadonlyArray<PolicyContainer> => [
  ...initContainersOf(spec),
  ...spec.containers
]

export const ephemeralContainersOf = (spec: PolicyPodSpec): ReadonlyArray<PolicyContainer> =>
  spec.ephemeralContainers ?? []

/** Also the ephemeral ones, which count nowhere but where a container is looked at by itself. */
export const everyContainer = (spec: PolicyPodSpec): ReadonlyArray<PolicyContainer> => [
  ...allContainers(spec),
  ...ephemeralContainersOf(spec)
]

/** `name_namespace(uid)`, kubelet's way to name a pod in messages (`pkg/kubelet/util/format`). */
export const describePod = (pod: PolicyPod): string =>
  `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`
