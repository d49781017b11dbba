/**
 * What a resize asks for of a pod that runs (`pkg/kubelet/kuberuntime/kuberuntime_manager.go` computePodResizeAction,
 * validatePodResizeAction, IsPodResizeInProgress). Pure.
 */
import {
  type Amounts,
  amountsOf,
  isSameRequirements,
  type PodResources,
  resizableContainers,
  resizePolicyOf
} from "../resources/pod-resources.ts"
import type { PolicyPod } from "../spec-extension.ts"

export interface ContainerUpdate {
  readonly container: string
  readonly desired: Amounts
  readonly current: Amounts
}

export interface ResizeActions {
  /** Containers whose limits and requests are set while they run, those that shrink first. */
  readonly cpu: ReadonlyArray<ContainerUpdate>
  readonly memory: ReadonlyArray<ContainerUpdate>
  /** Containers that are stopped and started with their new resources. */
  readonly restart: ReadonlyArray<string>
  /** What the pod asks for as a whole changes. */
  readonly podLevel: boolean
}

/** `pod`: as it is to be. `runs`: whether a container runs; others get what they are to have when they start. */
export const resizeActions = (
  pod: PolicyPod,
  actuated: PodResources,
  runs: (container: string) => boolean
): ResizeActions => {
  const [cpu, memory, restart]: [Array<ContainerUpdate>, Array<ContainerUpdate>, Array<string>] = [[], [], []]
  for (const container of resizableContainers(pod)) {
    const { name } = container
    if (!runs(name)) continue
    const desired = amountsOf(container.resources, pod.spec.resources)
    const current = amountsOf(actuated.containers[name], actuated.pod)
    const differs = {
      cpu: desired.cpuLimit !== current.cpuLimit || desired.cpuRequest !== current.cpuRequest,
      memory: desired.memoryLimit !== current.memoryLimit || desired.memoryRequest !== current.memoryRequest
    }
    const restarts = (["cpu", "memory"] as const).some(
      (resource) => differs[resource] && resizePolicyOf(container, resource) === "RestartContainer"
    )
    if (restarts) {
      restart.push(name)
      continue
    }
    const update = { container: name, desired, current }
    // What shrinks makes room for what grows.
    const add = (list: Array<ContainerUpdate>, from: number, to: number): void => {
      if (to > from || from === 0) list.push(update)
      else list.unshift(update)
    }
    if (differs.memory) add(memory, current.memoryLimit, desired.memoryLimit)
    if (differs.cpu) add(cpu, current.cpuLimit, desired.cpuLimit)
  }
  return { cpu, memory, restart, podLevel: !isSameRequirements(actuated.pod, pod.spec.resources) }
}

/** What is not yet as allocated, of what runs. */
export const isResizeInProgress = (
  pod: PolicyPod,
  actuated: PodResources,
  runs: (container: string) => boolean
): boolean => {
  const { cpu, memory, restart, podLevel } = resizeActions(pod, actuated, runs)
  const isAnyRunning = resizableContainers(pod).some(({ name }) => runs(name))
  return cpu.length + memory.length + restart.length > 0 || (podLevel && isAnyRunning)
}

export interface MemoryUsage {
  /** Bytes; undefined: not known. */
  readonly pod: number | undefined
  readonly container: (name: string) => number | undefined
}

const refused = (why: string): string => `cannot decrease memory limits: ${why}`

const belowUsage = (what: string, limit: number, usage: number | undefined): string | undefined => {
  if (usage === undefined) return refused(`missing ${what} memory usage`)
  if (limit >= usage) return undefined
  return refused(`attempting to set ${what} memory limit (${limit}) below current usage (${usage})`)
}

/** A limit that comes in or shrinks. 0: none. */
const shrinks = (from: number, to: number): boolean => to !== 0 && (from === 0 || to < from)

/**
 * Whether the memory limits can be set now: none below what is in use, in kubelet's words. Pod limits are those of its
 * cgroup; undefined: none.
 */
export const memoryProblem = (
  updates: ReadonlyArray<ContainerUpdate>,
  podLimit: { readonly from: number | undefined; readonly to: number | undefined },
  usage: MemoryUsage
): string | undefined => {
  const from = podLimit.from ?? 0
  const to = podLimit.to ?? 0
  const ofPod = shrinks(from, to) ? belowUsage("pod", to, usage.pod) : undefined
  if (ofPod !== undefined) return ofPod
  for (const { container, desired, current } of updates) {
    if (!shrinks(current.memoryLimit, desired.memoryLimit)) continue
    const problem = belowUsage(
      `container ${JSON.stringify(container)}`,
      desired.memoryLimit,
      usage.container(container)
    )
    if (problem !== undefined) return problem
  }
  return undefined
}
