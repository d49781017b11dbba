/**
 * The cgroups above those of pods: all pods of the node, the Burstable ones, the BestEffort ones
 * (`pkg/kubelet/cm/qos_container_manager_linux.go`, `node_container_manager_linux.go`). Guaranteed pods stand in the first
 * itself. Pure.
 */
import type { CgroupValues } from "../../events/cgroup-values.ts"
import { type NodeFacts, podsCgroup } from "../pod/node-facts.ts"
import { type CgroupName, cgroupPath, milliCpuToShares, tierShares } from "../pod/resources/cgroup.ts"
import { milliValue, quantityOf, value } from "../pod/resources/quantity.ts"
import type { PolicyPod } from "../pod/spec-extension.ts"
import type { PodState } from "../pod/state.ts"
import { isTerminalPhase } from "../pod/status/phase.ts"

export type TierName = "pods" | "burstable" | "besteffort"

export interface Tier {
  readonly tier: TierName
  readonly path: string
  readonly values: CgroupValues
}

/** What all pods together get of the node. Amounts as text: `cpu`, `memory`. */
export type Allocatable = Readonly<Record<string, string>>

/** A limit on the memory of all pods, and their share of the processors beside what else runs here. */
export const podsTierValues = (allocatable: Allocatable): CgroupValues => ({
  ...(allocatable.cpu === undefined ? {} : { cpuShares: milliCpuToShares(milliValue(quantityOf(allocatable.cpu))) }),
  ...(allocatable.memory === undefined ? {} : { memoryLimit: value(quantityOf(allocatable.memory)) })
})

/** Pods that count: those that may still run something. */
export const activePods = (states: ReadonlyArray<PodState>): ReadonlyArray<PolicyPod> =>
  states.flatMap(({ definition, phase }) => (definition === null || isTerminalPhase(phase) ? [] : [definition.pod]))

/** Outermost first. */
export const tiersOf = (
  pods: ReadonlyArray<PolicyPod>,
  facts: Pick<NodeFacts, "cgroupDriver" | "cgroupRoot">,
  allocatable: Allocatable
): ReadonlyArray<Tier> => {
  const root = podsCgroup(facts)
  const at = (...below: CgroupName): string => cgroupPath([...root, ...below], facts.cgroupDriver)
  const shares = tierShares(pods)
  return [
    { tier: "pods", path: at(), values: podsTierValues(allocatable) },
    { tier: "burstable", path: at("burstable"), values: { cpuShares: shares.burstable } },
    { tier: "besteffort", path: at("besteffort"), values: { cpuShares: shares.bestEffort } }
  ]
}
