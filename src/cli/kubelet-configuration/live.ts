/**
 * The configuration while the agent runs: what counts now, and a new file of it. Fields whose readers look each time change at once;
 * all others stay as they were until the next start, and are named.
 */
import { changedFields } from "../../actors/node/configuration.ts"
import { encode } from "./codec.ts"
import type { KubeletConfiguration } from "./shape.ts"

/** Fields whose readers look each time they need them. */
export const liveFields: ReadonlySet<string> = new Set<keyof KubeletConfiguration>([
  "evictionHard",
  "evictionSoft",
  "evictionSoftGracePeriod",
  "evictionMinimumReclaim",
  "evictionPressureTransitionPeriod",
  "evictionMaxPodGracePeriod",
  "mergeDefaultEvictionSettings",
  "imageGCHighThresholdPercent",
  "imageGCLowThresholdPercent",
  "imageMinimumGCAge",
  "imageMaximumGCAge",
  "containerLogMaxSize",
  "containerLogMaxFiles",
  "containerLogMonitorInterval",
  "crashLoopBackOff"
])

/** What of `next` counts at once, over what runs; and which other fields are another there. */
export const takeLive = (
  running: KubeletConfiguration,
  next: KubeletConfiguration
): { readonly kubelet: KubeletConfiguration; readonly needsRestart: ReadonlyArray<string> } => {
  const taken: Record<string, unknown> = { ...running }
  for (const field of liveFields) taken[field] = next[field as keyof KubeletConfiguration]
  const kubelet = taken as unknown as KubeletConfiguration
  return { kubelet, needsRestart: changedFields(encode(kubelet), encode(next)) }
}

/**
 * The same fields, each as it is at the moment of the look: for readers that keep the object. What is taken out of it once stays as it
 * was.
 */
export const viewOf = (current: () => KubeletConfiguration): KubeletConfiguration => {
  const view = {}
  for (const field of Object.keys(current()))
    Object.defineProperty(view, field, {
      enumerable: true,
      get: () => current()[field as keyof KubeletConfiguration]
    })
  return view as KubeletConfiguration
}
