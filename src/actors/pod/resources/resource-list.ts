/**
 * What a pod asks for as a whole (`k8s.io/component-helpers/resource/helpers.go`): its containers summed, sidecars counted
 * beside what runs with them, init containers by the largest moment, pod-level resources over all, overhead on top.
 */

import { initContainersOf, isSidecar, type PolicyContainer, type PolicyPodSpec } from "../spec-extension.ts"
import { add, maximum, type Quantity, quantityOf } from "./quantity.ts"

/** Amounts by resource name: `cpu`, `memory`, `hugepages-2Mi`, … */
export type ResourceList = ReadonlyMap<string, Quantity>
type Texts = Readonly<Record<string, string>> | undefined

export const resourceList = (texts: Texts): ResourceList =>
  new Map(Object.entries(texts ?? {}).map(([name, text]) => [name, quantityOf(text)]))

const merge = (a: ResourceList, b: ResourceList, combine: (x: Quantity, y: Quantity) => Quantity): ResourceList => {
  const sum = new Map(a)
  for (const [name, quantity] of b) {
    const there = sum.get(name)
    sum.set(name, there === undefined ? quantity : combine(there, quantity))
  }
  return sum
}
const plus = (a: ResourceList, b: ResourceList): ResourceList => merge(a, b, add)
const largest = (a: ResourceList, b: ResourceList): ResourceList => merge(a, b, maximum)

const aggregate = (spec: PolicyPodSpec, side: "requests" | "limits"): ResourceList => {
  const of = (container: PolicyContainer) => resourceList(container.resources?.[side])
  let running = spec.containers.map(of).reduce(plus, new Map())
  let sidecars: ResourceList = new Map()
  let peak: ResourceList = new Map()
  for (const container of initContainersOf(spec)) {
    if (isSidecar(container)) {
      running = plus(running, of(container))
      sidecars = plus(sidecars, of(container))
      peak = largest(peak, sidecars)
    } else peak = largest(peak, plus(of(container), sidecars))
  }
  return largest(running, peak)
}

export const hugePagePrefix = "hugepages-"
/** Only these count at pod level (KEP-2837). */
export const isPodLevelResource = (name: string): boolean =>
  name === "cpu" || name === "memory" || name.startsWith(hugePagePrefix)

const podLevel = (spec: PolicyPodSpec, side: "requests" | "limits"): ResourceList =>
  new Map([...resourceList(spec.resources?.[side])].filter(([name]) => isPodLevelResource(name)))

export const hasPodLevelResources = (spec: PolicyPodSpec): boolean =>
  podLevel(spec, "requests").size + podLevel(spec, "limits").size > 0
export const hasPodLevelLimits = (spec: PolicyPodSpec): boolean => podLevel(spec, "limits").size > 0

export interface AggregationOptions {
  readonly excludeOverhead?: boolean
  /** The containers alone. */
  readonly skipPodLevelResources?: boolean
}

const withPodLevel = (spec: PolicyPodSpec, side: "requests" | "limits", options: AggregationOptions): ResourceList => {
  const containers = aggregate(spec, side)
  return options.skipPodLevelResources === true ? containers : new Map([...containers, ...podLevel(spec, side)])
}

export const podRequests = (spec: PolicyPodSpec, options: AggregationOptions = {}): ResourceList => {
  const requests = withPodLevel(spec, "requests", options)
  return options.excludeOverhead === true ? requests : plus(requests, resourceList(spec.overhead))
}

/** Overhead adds only to limits that are set: what is unlimited stays so. */
export const podLimits = (spec: PolicyPodSpec, options: AggregationOptions = {}): ResourceList => {
  const limits = withPodLevel(spec, "limits", options)
  if (options.excludeOverhead === true) return limits
  return plus(limits, new Map([...resourceList(spec.overhead)].filter(([name]) => limits.has(name))))
}
