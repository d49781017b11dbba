/** What of the node and the agent's configuration bears on pods. */
import { Context } from "effect"
import type { ReservedTier } from "../node/tiers.ts"
import type { NodeOffer } from "./admission/node-room.ts"
import type { NodeFacts } from "./node-facts.ts"
import type { IdRange } from "./security/user-namespace.ts"

export class PodSettings extends Context.Service<
  PodSettings,
  {
    readonly facts: NodeFacts
    /** kubelet's crashLoopBackOff.maxContainerRestartPeriod, seconds. Goes into the log with each pod's admission. */
    readonly maxContainerRestartPeriodSeconds: number
    /** What the node offers to its pods; absent: no limit. */
    readonly offer?: NodeOffer
    /** What the node has, as its status tells it: `cpu`, `memory`, `ephemeral-storage`, `hugepages-2Mi`, `pods`. */
    readonly capacity?: Readonly<Record<string, string>>
    /** What of that pods may ask for. */
    readonly allocatable?: Readonly<Record<string, string>>
    /** What all pods together are limited to in the kernel, by resource (`cpu`, `memory`, `pid`). */
    readonly podsAllocatable?: Readonly<Record<string, string>>
    /** Cgroups beside those of pods that are held to what is reserved for them. */
    readonly reservedTiers?: ReadonlyArray<ReservedTier>
    /** Ids for user namespaces of pods; a text says why there are none. Absent: kubelet's default. */
    readonly userNamespaces?: IdRange | string
    /** The runtime's handler for pods without a RuntimeClass; empty: its default. */
    readonly runtimeHandler: string
  }
>()("chronode/PodSettings") {}
