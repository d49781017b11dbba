/**
 * What the agent needs for the node as a whole, tied together: what it and its pods use. Part of the agent's wiring.
 */
import { Effect, Layer } from "effect"
import type { ImageGcPolicy } from "../actors/image/garbage.ts"
import { ImageGc } from "../actors/runtime/image-survey.ts"
import { OomWitness } from "../actors/runtime/oom-witness.ts"
import { layer as statisticsLayer } from "../actors/statistics/pass.ts"
import { Statistics } from "../actors/statistics/statistics.ts"
import { layer as cgroupStatisticsLayer } from "../adapters/cgroupfs/statistics-live.ts"
import { layer as fileSystemsLayer } from "../adapters/filesystems/live.ts"
import type { AgentOptions } from "../cli/run/agent-options.ts"

const imagePolicy = ({ kubelet }: AgentOptions): ImageGcPolicy => ({
  highThresholdPercent: kubelet.imageGCHighThresholdPercent,
  lowThresholdPercent: kubelet.imageGCLowThresholdPercent,
  minAge: kubelet.imageMinimumGCAge,
  maxAge: kubelet.imageMaximumGCAge
})

/** The disk of images; undefined where the runtime does not tell it. */
const diskOfImages = ({ brief }: Statistics["Service"]) =>
  Effect.map(brief(), ({ summary }) => {
    const { capacityBytes, availableBytes } = summary.node.runtime?.imageFs ?? {}
    return capacityBytes === undefined || availableBytes === undefined
      ? undefined
      : { capacity: capacityBytes, available: availableBytes }
  })

const imageGcLayer = (options: AgentOptions) =>
  Layer.effect(
    ImageGc,
    Effect.map(Statistics, (statistics) => ImageGc.make(() => imagePolicy(options), diskOfImages(statistics)))
  )

/** Over what the agent has anyway; the runtime is asked where there is one. */
export const buildNodeServices = (options: AgentOptions) =>
  Layer.build(
    imageGcLayer(options).pipe(
      Layer.provideMerge(
        statisticsLayer({
          nodeName: options.nodeName,
          volumeAge: options.kubelet.volumeStatsAggPeriod,
          agentCgroup: options.kubelet.kubeletCgroups,
          runtimeCgroup: ""
        })
      ),
      Layer.provideMerge(OomWitness.layer),
      Layer.provideMerge(Layer.mergeAll(cgroupStatisticsLayer(), fileSystemsLayer))
    )
  )
