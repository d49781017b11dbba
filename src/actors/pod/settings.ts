/** What of the node and the agent's configuration bears on pods. */
import { Context } from "effect"
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
    /** What all pods together are limited to in the kernel, by resource (`cpu`, `memory`). */
    readonly podsAllocatable?: Readonly<Record<string, string>>
    /** Ids for user namespaces of pods; a text says why there are none. Absent: kubelet's default. */
    readonly userNamespaces?: IdRange | string
    /** The runtime's handler for pods without a RuntimeClass; empty: its default. */
    readonly runtimeHandler: string
  }
>()("chronode/PodSettings") {}
