/** What is said of an evicted pod (`helpers.go` evictionMessage), in kubelet's words. */
import { quantityText, scaledQuantity } from "../../pod/resources/quantity.ts"
import type { Candidate, StorageLimit } from "./candidate.ts"
import type { Observation } from "./observations.ts"
import { formatOf, type Resource, resourceOf } from "./signals.ts"
import { amountOf, type Threshold } from "./thresholds.ts"

/** kubelet's reason of a pod that was evicted, or is not let in for want of a resource. */
export const evictedReason = "Evicted"

/** Characters; it stands in several events. What is longer (a pod of very many containers) is cut off. */
export const maxEvictionMessage = 2048

const cut = (text: string): string =>
  text.length <= maxEvictionMessage ? text : `${text.slice(0, maxEvictionMessage - 1)}…`

const bytes = (amount: number): string => quantityText(scaledQuantity(BigInt(amount), 0, "BinarySI"))

/** `Threshold quantity: 2Gi, available: 1500Mi. ` of the first threshold of the resource that was observed. */
const thresholdText = (
  resource: Resource,
  thresholds: ReadonlyArray<Threshold>,
  observations: Readonly<Record<string, Observation | undefined>>
): string => {
  for (const { signal, value } of thresholds) {
    const observed = observations[signal]
    if (resourceOf(signal) !== resource || observed === undefined) continue
    const quantity = quantityText(amountOf(value, observed.capacity, signal))
    const available = quantityText(scaledQuantity(BigInt(observed.available), 0, formatOf(signal)))
    return `Threshold quantity: ${quantity}, available: ${available}. `
  }
  return ""
}

export interface EvictionMessage {
  readonly message: string
  /** offending_containers, offending_containers_usage, offending_pod, offending_pod_usage, starved_resource. */
  readonly annotations: Readonly<Record<string, string>>
}

export const evictionMessage = (
  resource: Resource,
  candidate: Candidate,
  thresholds: ReadonlyArray<Threshold>,
  observations: Readonly<Record<string, Observation | undefined>>
): EvictionMessage => {
  const low = `The node was low on resource: ${resource}. ${thresholdText(resource, thresholds, observations)}`
  const { name, usage, podMemoryRequest, containers = [] } = candidate
  if (usage === undefined) return { message: low, annotations: {} }
  const larger = (what: string, used: string, request: string): string =>
    `${what} was using ${used}, request is ${request}, has larger consumption of ${resource}. `
  const isWhole = resource === "memory" && podMemoryRequest !== undefined && usage.memory !== undefined
  const offending = containers.flatMap((c) => {
    const [used, request] =
      resource === "memory"
        ? [c.memory, c.memoryRequest]
        : resource === "ephemeral-storage"
          ? [c.disk, c.diskRequest]
          : []
    return used === undefined ? [] : [{ name: c.name, used: bytes(used), request: request ?? "0" }]
  })
  const message = [
    low,
    isWhole ? larger(`Pod ${name}`, bytes(usage.memory), podMemoryRequest) : "",
    ...offending.map((c) => larger(`Container ${c.name}`, c.used, c.request))
  ].join("")
  return {
    message: cut(message),
    annotations: {
      ...(isWhole ? { offending_pod: name, offending_pod_usage: bytes(usage.memory) } : {}),
      offending_containers: cut(offending.map((c) => c.name).join(",")),
      offending_containers_usage: cut(offending.map((c) => c.used).join(",")),
      starved_resource: resource
    }
  }
}

/** A limit of local storage that is passed. */
export const storageLimitMessage = ({ of, name, limit }: StorageLimit): string => {
  switch (of) {
    case "emptyDir":
      return `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(limit)}. `
    case "pod":
      return `Pod ephemeral local storage usage exceeds the total limit of containers ${limit}. `
    case "container":
      return `Container ${name} exceeded its local ephemeral storage limit ${JSON.stringify(limit)}. `
  }
}
