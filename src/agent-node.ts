/**
 * What the agent needs for the node as a whole, tied together: what it and its pods use. Part of the agent's wiring.
 */
import { Layer } from "effect"
import { layer as statisticsLayer } from "./actors/statistics/pass.ts"
import { layer as cgroupStatisticsLayer } from "./adapters/cgroupfs/statistics-live.ts"
import { layer as fileSystemsLayer } from "./adapters/filesystems/live.ts"
import type { AgentOptions } from "./cli/agent-options.ts"

/** Over what the agent has anyway; the runtime is asked where there is one. */
export const buildNodeServices = ({ nodeName, kubelet }: AgentOptions) =>
  Layer.build(
    statisticsLayer({
      nodeName,
      volumeAge: kubelet.volumeStatsAggPeriod,
      agentCgroup: kubelet.kubeletCgroups,
      runtimeCgroup: ""
    }).pipe(Layer.provideMerge(Layer.mergeAll(cgroupStatisticsLayer(), fileSystemsLayer)))
  )
