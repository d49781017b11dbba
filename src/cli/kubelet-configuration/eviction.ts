/** What eviction goes by, of a KubeletConfiguration. */
import type { EvictionSettings } from "../../actors/eviction/state.ts"
import type { KubeletConfiguration } from "./shape.ts"

export const evictionSettingsOf = (kubelet: KubeletConfiguration): EvictionSettings => ({
  evictionHard: kubelet.evictionHard,
  evictionSoft: kubelet.evictionSoft,
  evictionSoftGracePeriod: kubelet.evictionSoftGracePeriod,
  evictionMinimumReclaim: kubelet.evictionMinimumReclaim,
  enforceNodeAllocatable: kubelet.enforceNodeAllocatable,
  evictionPressureTransitionPeriodSeconds: kubelet.evictionPressureTransitionPeriod / 1000,
  evictionMaxPodGracePeriodSeconds: kubelet.evictionMaxPodGracePeriod,
  localStorageCapacityIsolation: kubelet.localStorageCapacityIsolation
})
