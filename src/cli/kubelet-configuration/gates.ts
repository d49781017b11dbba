/** Feature gates that a KubeletConfiguration is judged by (`pkg/features/kube_features.go` at 1.36). Chronode itself has none. */

interface Gate {
  readonly isOn: boolean
  /** It cannot be set to anything else. */
  readonly isLocked?: true
}

const gates: Readonly<Record<string, Gate>> = {
  CustomCPUCFSQuotaPeriod: { isOn: true },
  GracefulNodeShutdown: { isOn: true },
  GracefulNodeShutdownBasedOnPodPriority: { isOn: true },
  ImageMaximumGCAge: { isOn: true },
  ImageVolume: { isOn: true, isLocked: true },
  InPlacePodVerticalScaling: { isOn: true, isLocked: true },
  KubeletCrashLoopBackOffMax: { isOn: true },
  KubeletEnsureSecretPulledImages: { isOn: true },
  KubeletFineGrainedAuthz: { isOn: true, isLocked: true },
  KubeletTracing: { isOn: true },
  MemoryQoS: { isOn: false },
  NodeLogQuery: { isOn: true, isLocked: true },
  NodeSwap: { isOn: true },
  PreferSameTrafficDistribution: { isOn: true, isLocked: true },
  RotateKubeletServerCertificate: { isOn: true },
  SupplementalGroupsPolicy: { isOn: true, isLocked: true },
  UserNamespacesSupport: { isOn: true, isLocked: true }
}

export type GateName = keyof typeof gates

/** Whether a gate is on, under what the file sets. */
export const isGateOn = (set: Readonly<Record<string, boolean>>, name: GateName): boolean =>
  set[name] ?? gates[name]?.isOn ?? false

/** In kubelet's words; undefined: all of them can be set so. Gates that are not known here are let be. */
export const gateProblem = (
  set: Readonly<Record<string, boolean>>
): readonly [gate: string, message: string] | undefined => {
  for (const [name, value] of Object.entries(set)) {
    const gate = Object.hasOwn(gates, name) ? gates[name] : undefined
    if (gate?.isLocked === true && value !== gate.isOn)
      return [name, `cannot set feature gate ${name} to ${value}, feature is locked to ${gate.isOn}`]
  }
  return undefined
}
