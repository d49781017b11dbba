/**
 * Resources in the statuses of a pod and its containers: what was allocated, and what is in force of what runs (KEP-1287,
 * `kubelet_pods.go` convertContainerStatusResources). Pure.
 */
import type { ResourceRequirements } from "../../../events/pod-spec.ts"
import { leastCpuLimit, minShares } from "../resources/cgroup.ts"
import { type PodResources, resourcesOf, withResources } from "../resources/pod-resources.ts"
import { milliValue, quantityOf, quantityText } from "../resources/quantity.ts"
import { podLimits, podRequests, type ResourceList } from "../resources/resource-list.ts"
import type { PolicyPod } from "../spec-extension.ts"
import { type ContainerInState, containerIn, type PodState } from "../state.ts"

type Texts = Readonly<Record<string, string>>

/** Both as quantities by the name of the resource. */
export interface ResourceStatus {
  /** What is asked for and granted; absent where nothing is. */
  readonly allocatedResources?: Texts
  /** What is in force. */
  readonly resources: ResourceRequirements
}

/** Smallest cpu amounts that a cgroup can hold, thousandths of a core: all below are in force as these. */
const leastCpu = { requests: minShares, limits: leastCpuLimit } as const

const cpuOf = (texts: Texts | undefined): number => milliValue(quantityOf(texts?.cpu))

const sideInForce = (allocated: Texts, seen: Texts | undefined, least: number): Texts => {
  const isBoth = cpuOf(seen) <= least && cpuOf(allocated) <= least
  return {
    ...allocated,
    ...(seen?.cpu === undefined || isBoth ? {} : { cpu: seen.cpu }),
    ...(seen?.memory === undefined ? {} : { memory: seen.memory })
  }
}

/**
 * Of a container that does not run, what it will run with; of one that runs, cpu and memory as they were `seen` and the rest as
 * allocated. Sides that were not allocated are not shown.
 */
export const resourcesInForce = (
  allocated: ResourceRequirements,
  seen: ResourceRequirements | undefined,
  runs: boolean
): ResourceRequirements => {
  if (!runs || seen === undefined) return allocated
  const { requests, limits } = allocated
  return {
    ...(requests === undefined ? {} : { requests: sideInForce(requests, seen.requests, leastCpu.requests) }),
    ...(limits === undefined ? {} : { limits: sideInForce(limits, seen.limits, leastCpu.limits) })
  }
}

const statusOf = (allocated: ResourceRequirements, resources: ResourceRequirements): ResourceStatus => ({
  ...(allocated.requests === undefined ? {} : { allocatedResources: allocated.requests }),
  resources
})

const runs = ({ status }: ContainerInState): boolean => status === "running" || status === "killing"

/** What an ended, running or starting container has; one that was never made has none yet. */
export const containerResourceStatus = (state: PodState, name: string): ResourceStatus | undefined => {
  const c = containerIn(state, name)
  const pod = state.definition?.pod
  if (c === undefined || pod === undefined || (c.containerId === "" && c.lastExit === null)) return undefined
  const allocated = resourcesOf(pod).containers[name] ?? {}
  return statusOf(allocated, resourcesInForce(allocated, state.resize?.actuated?.containers[name], runs(c)))
}

const textsOf = (list: ResourceList): Texts =>
  Object.fromEntries([...list].map(([name, quantity]) => [name, quantityText(quantity)]))

/** Of the whole pod: its containers together, overlaid by what stands at pod level, without overhead. */
export const aggregatedResources = (pod: PolicyPod, inForce?: PodResources): ResourceRequirements => {
  const { spec } = inForce === undefined ? pod : withResources(pod, inForce)
  const [requests, limits] = [podRequests, podLimits].map((sum) => textsOf(sum(spec, { excludeOverhead: true })))
  const side = (name: string, texts: Texts = {}) => (Object.keys(texts).length === 0 ? {} : { [name]: texts })
  return { ...side("requests", requests), ...side("limits", limits) }
}

/** Undefined before admission. */
export const podResourceStatus = (state: PodState): ResourceStatus | undefined => {
  const pod = state.definition?.pod
  if (pod === undefined) return undefined
  const { actuated } = state.resize ?? {}
  const allocated = aggregatedResources(pod)
  if (actuated === undefined) return statusOf(allocated, allocated)
  const containers = Object.fromEntries(
    Object.entries(resourcesOf(pod).containers).map(([name, own]) => [
      name,
      containerResourceStatus(state, name)?.resources ?? own
    ])
  )
  const whole = actuated.pod === undefined ? {} : { pod: actuated.pod }
  return statusOf(allocated, aggregatedResources(pod, { ...whole, containers }))
}
