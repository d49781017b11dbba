/**
 * The resources of a pod's definition as a value of their own: what is asked for, what the pod was admitted with
 * (allocated) and what is in force (actuated) are three of them (KEP-1287, `pkg/kubelet/allocation`). Pure.
 */
import type { ContainerResizePolicy, Pod, ResourceRequirements } from "../../../events/pod-spec.ts"
import { isEqual } from "../../kernel/json.ts"
import { allContainers, isSidecar, type PolicyContainer, type PolicyPod } from "../spec-extension.ts"
import { compare, milliValue, quantityOf, value } from "./quantity.ts"

export interface PodResources {
  /** KEP-2837. */
  readonly pod?: ResourceRequirements
  readonly containers: Readonly<Record<string, ResourceRequirements>>
}

export const resourcesOf = (pod: PolicyPod): PodResources => ({
  ...(pod.spec.resources === undefined ? {} : { pod: pod.spec.resources }),
  containers: Object.fromEntries(allContainers(pod.spec).map((c) => [c.name, c.resources ?? {}]))
})

/** The pod with these resources instead of its own (`allocation_manager.go` updatePodFromAllocation). */
export const withResources = <P extends PolicyPod>(pod: P, { pod: whole, containers }: PodResources): P => {
  const set = <C extends PolicyContainer>(container: C): C => {
    const resources = containers[container.name]
    if (resources === undefined || isEqual(resources, container.resources ?? {})) return container
    return { ...container, resources }
  }
  const { initContainers } = pod.spec
  return {
    ...pod,
    spec: {
      ...pod.spec,
      ...(whole === undefined ? {} : { resources: whole }),
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(set) }),
      containers: pod.spec.containers.map(set)
    }
  }
}

const isSameAmount = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined ? a === b : compare(quantityOf(a), quantityOf(b)) === 0

/** By amounts: `1` and `1000m` are the same. */
export const isSameRequirements = (a: ResourceRequirements = {}, b: ResourceRequirements = {}): boolean =>
  (["requests", "limits"] as const).every((side) => {
    const names = new Set([...Object.keys(a[side] ?? {}), ...Object.keys(b[side] ?? {})])
    return [...names].every((name) => isSameAmount(a[side]?.[name], b[side]?.[name]))
  })

export const isSameResources = (a: PodResources, b: PodResources): boolean =>
  isSameRequirements(a.pod, b.pod) &&
  [...new Set([...Object.keys(a.containers), ...Object.keys(b.containers)])].every((name) =>
    isSameRequirements(a.containers[name], b.containers[name])
  )

/** What of `b` is otherwise than in `a`. */
export const changedResources = (a: PodResources, b: PodResources): PodResources => ({
  ...(isSameRequirements(a.pod, b.pod) ? {} : { pod: b.pod ?? {} }),
  containers: Object.fromEntries(
    Object.entries(b.containers).filter(([name, own]) => !isSameRequirements(a.containers[name], own))
  )
})

/** `changed` laid over `all`. */
export const overlaid = (all: PodResources, changed: PodResources): PodResources => ({
  ...all,
  ...(changed.pod === undefined ? {} : { pod: changed.pod }),
  containers: { ...all.containers, ...changed.containers }
})

/** Thousandths of a core and bytes; 0: not set. */
export interface Amounts {
  readonly cpuRequest: number
  readonly cpuLimit: number
  readonly memoryRequest: number
  readonly memoryLimit: number
}

/** What is in force for a container: limits of the pod as a whole stand in where it has none. */
export const amountsOf = (own: ResourceRequirements = {}, whole: ResourceRequirements = {}): Amounts => ({
  cpuRequest: milliValue(quantityOf(own.requests?.cpu)),
  cpuLimit: milliValue(quantityOf(own.limits?.cpu ?? whole.limits?.cpu)),
  memoryRequest: value(quantityOf(own.requests?.memory)),
  memoryLimit: value(quantityOf(own.limits?.memory ?? whole.limits?.memory))
})

/** Containers that can be resized: regular ones and sidecars. */
export const resizableContainers = (pod: PolicyPod): ReadonlyArray<PolicyContainer> => [
  ...(pod.spec.initContainers ?? []).filter(isSidecar),
  ...pod.spec.containers
]

export const resizePolicyOf = (
  container: PolicyContainer,
  resource: ContainerResizePolicy["resourceName"]
): ContainerResizePolicy["restartPolicy"] =>
  container.resizePolicy?.find(({ resourceName }) => resourceName === resource)?.restartPolicy ?? "NotRequired"

/** The definition without what a resize may change. */
export const withoutResources = ({ metadata, spec }: Pod): unknown => {
  const strip = <C extends { readonly resources?: unknown }>({ resources: _, ...container }: C) => container
  const { resources: _, ephemeralContainers: __, initContainers, containers, ...rest } = spec
  const { labels = {}, annotations = {}, ...identity } = metadata
  return {
    metadata: { ...identity, labels, annotations },
    spec: { ...rest, initContainers: (initContainers ?? []).map(strip), containers: containers.map(strip) }
  }
}
