/**
 * The cgroups above those of pods: all pods of the node, the Burstable ones, the BestEffort ones
 * (`pkg/kubelet/cm/qos_container_manager_linux.go`, `node_container_manager_linux.go`). Guaranteed pods stand in the first
 * itself. Pure.
 */
import type { CgroupValues } from "../../events/cgroup-values.ts"
import type { TierName as TierNames } from "../../events/kinds/node.ts"
import { type NodeFacts, podsCgroup } from "../pod/node-facts.ts"
import { type CgroupName, cgroupPath, milliCpuToShares, tierShares } from "../pod/resources/cgroup.ts"
import { milliValue, quantityOf, value } from "../pod/resources/quantity.ts"
import type { PolicyPod } from "../pod/spec-extension.ts"
import type { PodState } from "../pod/state.ts"
import { isTerminalPhase } from "../pod/status/phase.ts"

export type TierName = typeof TierNames.Type

export interface Tier {
  readonly tier: TierName
  readonly path: string
  readonly values: CgroupValues
}

/** What all pods together get of the node. Amounts as text: `cpu`, `memory`, `pid`. */
export type Allocatable = Readonly<Record<string, string>>

/** A share of the processors, and limits of memory and processes (`node_container_manager_linux.go` getCgroupConfig). */
export const reservedTierValues = (amounts: Allocatable, isCompressibleOnly: boolean): CgroupValues => ({
  ...(amounts.cpu === undefined ? {} : { cpuShares: milliCpuToShares(milliValue(quantityOf(amounts.cpu))) }),
  ...(amounts.memory === undefined || isCompressibleOnly ? {} : { memoryLimit: value(quantityOf(amounts.memory)) }),
  ...(amounts.pid === undefined || isCompressibleOnly ? {} : { pidsLimit: value(quantityOf(amounts.pid)) })
})

/** A cgroup of the system or of what runs pods, which is there already: its limits are what is reserved for it. */
export interface ReservedTier extends Tier {
  readonly tier: "kube-reserved" | "system-reserved"
}

export const isReservedTier = (tier: TierName): tier is ReservedTier["tier"] =>
  tier === "kube-reserved" || tier === "system-reserved"

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
    { tier: "pods", path: at(), values: reservedTierValues(allocatable, false) },
    { tier: "burstable", path: at("burstable"), values: { cpuShares: shares.burstable } },
    { tier: "besteffort", path: at("besteffort"), values: { cpuShares: shares.bestEffort } }
  ]
}
