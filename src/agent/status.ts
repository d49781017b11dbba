/** What the node's own actor needs: its settings, logind, and looks at other actors. Part of the agent's wiring. */
import process from "node:process"
import { Context } from "effect"
import type { ActorSystemShape } from "../actors/kernel/system.ts"
import { NodeLook, NodeSettings } from "../actors/node/settings.ts"
import { graceByPriority, type PriorityGrace } from "../actors/node/shutdown-groups.ts"
import type { NodeState } from "../actors/node/state.ts"
import { manifestSource } from "../actors/source/behavior.ts"
import { SourceLook } from "../actors/source/look.ts"
import type { SourceState } from "../actors/source/state.ts"
import { liveLogind } from "../adapters/logind/live.ts"
import { Logind } from "../adapters/logind/port.ts"
import { readMachine } from "../adapters/metrics/machine.ts"
import type { AgentOptions } from "../cli/run/agent-options.ts"
import { actorId } from "../events/actor-id.ts"

const graceOf = ({ kubelet }: AgentOptions): ReadonlyArray<PriorityGrace> =>
  kubelet.shutdownGracePeriodByPodPriority.length > 0
    ? kubelet.shutdownGracePeriodByPodPriority
    : graceByPriority(kubelet.shutdownGracePeriod / 1000, kubelet.shutdownGracePeriodCriticalPods / 1000)

/** `current`: the actors, once they are there. */
export const statusServices = (options: AgentOptions, current: { readonly system: ActorSystemShape | undefined }) => {
  const { machineId, systemUuid, os } = readMachine({ bootId: "", kernel: "", cpus: 0, memory: 0 })
  const node = actorId("node", "", options.nodeName)
  return Context.empty().pipe(
    Context.add(NodeSettings, {
      runsPods: options.manifests !== undefined,
      statusPeriod: options.kubelet.nodeStatusUpdateFrequency,
      machine: { machineId, systemUuid, osImage: os },
      shutdown: () => graceOf(options)
    }),
    Context.add(NodeLook, { state: () => current.system?.state(node) as NodeState | undefined }),
    Context.add(SourceLook, {
      files: () => (current.system?.state(manifestSource) as SourceState | undefined)?.files ?? {}
    }),
    Context.add(Logind, liveLogind(process.env.DBUS_SYSTEM_BUS_ADDRESS))
  )
}
