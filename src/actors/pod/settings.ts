/** What of the node and the agent's configuration bears on pods. */
import { Context } from "effect"
import type { NodeFacts } from "./node-facts.ts"

export class PodSettings extends Context.Service<
  PodSettings,
  {
    readonly facts: NodeFacts
    /** kubelet's crashLoopBackOff.maxContainerRestartPeriod, seconds. Goes into the log with each pod's admission. */
    readonly maxContainerRestartPeriodSeconds: number
    /** The runtime's handler for pods without a RuntimeClass; empty: its default. */
    readonly runtimeHandler: string
  }
>()("chronode/PodSettings") {}
