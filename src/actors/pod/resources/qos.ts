/** QoS class of a pod (`pkg/apis/core/v1/helper/qos/qos.go`). Only cpu and memory count; ephemeral containers do not. */
import type { QosClass as QosClassSchema } from "../../../events/kinds/pod.ts"
import type { ResourceRequirements } from "../../../events/pod-spec.ts"
import { allContainers, type PolicyPodSpec } from "../spec-extension.ts"
import { add, compare, type Quantity, quantityOf } from "./quantity.ts"
import { hasPodLevelResources } from "./resource-list.ts"

export type QosClass = typeof QosClassSchema.Type

const computeResources = ["cpu", "memory"] as const

/** Positive amounts of cpu and memory. */
const positive = (texts: Readonly<Record<string, string>> | undefined): Map<string, Quantity> => {
  const amounts = new Map<string, Quantity>()
  for (const name of computeResources) {
    const quantity = quantityOf(texts?.[name])
    if (quantity.nano > 0n) amounts.set(name, quantity)
  }
  return amounts
}

/** Worked out once for each spec, which never changes: the cgroups above the pods ask for all pods whenever one comes. */
const known = new WeakMap<PolicyPodSpec, QosClass>()

/**
 * `BestEffort`: nobody asks for anything. `Guaranteed`: every container, init ones included, has a limit on cpu and memory
 * and the sums of requests and limits are equal. Pod-level resources stand for those of the containers.
 */
export const qosClass = (spec: PolicyPodSpec): QosClass => {
  const found = known.get(spec) ?? classOf(spec)
  known.set(spec, found)
  return found
}

const classOf = (spec: PolicyPodSpec): QosClass => {
  const parts: ReadonlyArray<ResourceRequirements | undefined> = hasPodLevelResources(spec)
    ? [spec.resources]
    : allContainers(spec).map((container) => container.resources)
  const requests = new Map<string, Quantity>()
  const limits = new Map<string, Quantity>()
  const sum = (into: Map<string, Quantity>, amounts: ReadonlyMap<string, Quantity>) => {
    for (const [name, quantity] of amounts)
      into.set(name, add(into.get(name) ?? { nano: 0n, format: quantity.format }, quantity))
  }
  let limitedThroughout = true
  for (const part of parts) {
    const own = positive(part?.limits)
    sum(requests, positive(part?.requests))
    sum(limits, own)
    if (own.size < computeResources.length) limitedThroughout = false
  }
  if (requests.size === 0 && limits.size === 0) return "BestEffort"
  const equal =
    requests.size === limits.size &&
    [...requests].every(([name, quantity]) => {
      const limit = limits.get(name)
      return limit !== undefined && compare(limit, quantity) === 0
    })
  return limitedThroughout && equal ? "Guaranteed" : "Burstable"
}
