/** The cgroup of one pod: where it is and what stands in it (`pkg/kubelet/cm/pod_container_manager_linux.go`). Pure. */
import type { CgroupValues } from "../../../events/cgroup-values.ts"
import { type NodeFacts, podsCgroup } from "../node-facts.ts"
import type { PolicyPod } from "../spec-extension.ts"
import { type CgroupSettings, cgroupPath, podCgroupName, podCgroupSettings } from "./cgroup.ts"
import { pageSizeName } from "./resources.ts"

type Facts = Pick<NodeFacts, "cgroupDriver" | "cgroupRoot" | "cgroupsPerQos">

/** `/kubepods/burstable/pod…`; empty where the agent makes no cgroups: then the runtime has its own place for them. */
export const podCgroupPath = (pod: PolicyPod, node: Facts): string =>
  node.cgroupsPerQos === false ? "" : cgroupPath(podCgroupName(pod, podsCgroup(node)), node.cgroupDriver)

/** Settings as a cgroup is given them: every page size of the node is limited, to nothing where none are asked for. */
export const cgroupValues = (
  { hugePageLimits, ...settings }: CgroupSettings,
  pageSizes: ReadonlyArray<string>
): CgroupValues => {
  const limits = new Map([...(hugePageLimits ?? [])].map(([bytes, limit]) => [pageSizeName(bytes), limit]))
  return {
    ...settings,
    ...(pageSizes.length === 0 || hugePageLimits === undefined
      ? {}
      : { hugePages: Object.fromEntries(pageSizes.map((size) => [size, limits.get(size) ?? 0])) })
  }
}

export interface PodCgroup {
  readonly path: string
  readonly values: CgroupValues
}

/** `undefined` where the agent makes no cgroups. */
export const podCgroup = (pod: PolicyPod, node: NodeFacts): PodCgroup | undefined => {
  const path = podCgroupPath(pod, node)
  if (path === "") return undefined
  const settings = podCgroupSettings(pod, {
    ...(node.enforceCpuLimits === undefined ? {} : { enforceCpuLimits: node.enforceCpuLimits }),
    ...(node.quotaPeriod === undefined ? {} : { quotaPeriod: node.quotaPeriod })
  })
  const { podPidsLimit = 0 } = node
  return {
    path,
    values: {
      ...cgroupValues(settings, node.hugePageSizes),
      ...(podPidsLimit > 0 ? { pidsLimit: podPidsLimit } : {})
    }
  }
}
