/**
 * Whose place a critical pod takes that does not fit (`pkg/kubelet/preemption/preemption.go`): as few pods as possible, those of
 * the lower QoS classes first, and among equals the one that asks for less.
 */
import { Result } from "effect"
import { type QosClass, qosClass } from "../resources/qos.ts"
import { zero } from "../resources/quantity.ts"
import { podRequests } from "../resources/resource-list.ts"
import type { PolicyPodSpec } from "../spec-extension.ts"
import { isPreemptable, type Ranked } from "./critical.ts"

/** So much of a resource is missing, in whole units: thousandths of a core, bytes, pods. */
export interface Requirement {
  readonly resource: string
  readonly quantity: number
}

export interface Candidate extends Ranked {
  readonly spec: PolicyPodSpec
}

const nanoPerUnit: ReadonlyMap<string, bigint> = new Map([["cpu", 10n ** 6n]])

/** What a pod asks for, in the units of a requirement; each pod is one of `pods`. */
export const requestOf = (spec: PolicyPodSpec, resource: string): number => {
  if (resource === "pods") return 1
  const { nano } = podRequests(spec).get(resource) ?? zero
  const unit = nanoPerUnit.get(resource) ?? 10n ** 9n
  return Number((nano + unit - 1n) / unit)
}

/** Sum of the squares of the shares by which a pod's end leaves the requirements unmet: 0, it meets them all. */
export const distance = (requirements: ReadonlyArray<Requirement>, { spec }: Candidate): number => {
  let sum = 0
  for (const { resource, quantity } of requirements) {
    const rest = quantity - requestOf(spec, resource)
    if (rest > 0) sum += (rest / quantity) ** 2
  }
  return sum
}

/** What is still missing when these pods are gone. */
export const subtract = (
  requirements: ReadonlyArray<Requirement>,
  pods: ReadonlyArray<Candidate>
): ReadonlyArray<Requirement> =>
  requirements.flatMap(({ resource, quantity }) => {
    const rest = pods.reduce((left, { spec }) => left - requestOf(spec, resource), quantity)
    return rest > 0 ? [{ resource, quantity: rest }] : []
  })

/** Whether the first asks for no more than the second: memory counts before cpu. */
export const asksForLess = (one: Candidate, other: Candidate): boolean => {
  for (const resource of ["memory", "cpu"]) {
    const [a, b] = [requestOf(one.spec, resource), requestOf(other.spec, resource)]
    if (a !== b) return a < b
  }
  return true
}

const describe = (requirements: ReadonlyArray<Requirement>): string =>
  `[${requirements.map(({ resource, quantity }) => `(res: ${resource}, q: ${quantity}), `).join("")}]`

const none = (requirements: ReadonlyArray<Requirement>): string =>
  `no set of running pods found to reclaim resources: ${describe(requirements)}`

/** One pod after another, always the nearest to what is still missing. */
const byDistance = <C extends Candidate>(
  pods: ReadonlyArray<C>,
  requirements: ReadonlyArray<Requirement>
): ReadonlyArray<C> => {
  const [left, chosen]: [Array<C>, Array<C>] = [[...pods], []]
  let missing = requirements
  while (missing.length > 0 && left.length > 0) {
    let best = 0
    let shortest = Number.POSITIVE_INFINITY
    for (const [i, pod] of left.entries()) {
      const own = distance(missing, pod)
      if (own < shortest || (own === shortest && asksForLess(pod, left[best]!))) [best, shortest] = [i, own]
    }
    const pod = left[best]!
    missing = subtract(missing, [pod])
    chosen.push(pod)
    // As upstream: the last one moves into the gap, so that equals are taken in the same order.
    left[best] = left.at(-1)!
    left.pop()
  }
  return chosen
}

/** The pods that are to go so that the preemptor has room; fails in kubelet's words where all of them would not do. */
export const podsToPreempt = <C extends Candidate>(
  preemptor: Ranked,
  pods: ReadonlyArray<C>,
  requirements: ReadonlyArray<Requirement>
): Result.Result<ReadonlyArray<C>, string> => {
  const preemptable = pods.filter((pod) => isPreemptable(preemptor, pod))
  const unmet = subtract(requirements, preemptable)
  if (unmet.length > 0) return Result.fail(none(unmet))
  const of = (qos: QosClass) => preemptable.filter(({ spec }) => qosClass(spec) === qos)
  const [bestEffort, burstable, guaranteed] = [of("BestEffort"), of("Burstable"), of("Guaranteed")]
  // Each class gives only what is missing when the lower ones have given all, and the higher ones what they must.
  const fromGuaranteed = byDistance(guaranteed, subtract(requirements, [...bestEffort, ...burstable]))
  const fromBurstable = byDistance(burstable, subtract(requirements, [...bestEffort, ...fromGuaranteed]))
  const fromBestEffort = byDistance(bestEffort, subtract(requirements, [...fromBurstable, ...fromGuaranteed]))
  return Result.succeed([...fromBestEffort, ...fromBurstable, ...fromGuaranteed])
}
