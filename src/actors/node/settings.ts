/** What the node's own actor is told of its configuration; what it looks at of other actors. */
import { Context } from "effect"
import type { NodeDescription } from "../../events/kinds/node-health.ts"
import type { PriorityGrace } from "./shutdown-groups.ts"
import type { NodeState } from "./state.ts"

export interface NodeSettingsShape {
  /** False: a node without pods, whose status nobody asks for. */
  readonly runsPods: boolean
  /** kubelet's nodeStatusUpdateFrequency, milliseconds. */
  readonly statusPeriod: number
  /** What the status tells of the machine; empty texts: it does not say. */
  readonly machine: Pick<typeof NodeDescription.Type, "machineId" | "systemUuid" | "osImage">
  /** kubelet's shutdownGracePeriodByPodPriority, or what the two settings of the whole come to; empty: no graceful shutdown. */
  readonly shutdown: () => ReadonlyArray<PriorityGrace>
}

/** A node of which nothing is told. */
export const NodeSettings = Context.Reference<NodeSettingsShape>("chronode/NodeSettings", {
  defaultValue: () => ({
    runsPods: true,
    statusPeriod: 10_000,
    machine: { machineId: "", systemUuid: "", osImage: "" },
    shutdown: () => []
  })
})

/** A look at the node's actor: its committed state, now. */
export const NodeLook = Context.Reference<{ readonly state: () => NodeState | undefined }>("chronode/NodeLook", {
  defaultValue: () => ({ state: () => undefined })
})
