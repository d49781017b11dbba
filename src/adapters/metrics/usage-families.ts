/** Families of `/metrics` that are told from statistics: volumes with a claim, and logs of containers. */
import type { FsStats, PodStats, VolumeStats } from "../../events/stats-summary.ts"
import type { Registry, Sample } from "./registry.ts"
import type { Usage } from "./usage.ts"

const claimed = ({ volume = [] }: PodStats): ReadonlyArray<VolumeStats & Required<Pick<VolumeStats, "pvcRef">>> =>
  volume.filter((v): v is VolumeStats & Required<Pick<VolumeStats, "pvcRef">> => v.pvcRef !== undefined)

/** (`pkg/kubelet/metrics/collectors/volume_stats.go`) */
const volumeFamilies: ReadonlyArray<readonly [name: string, help: string, field: keyof FsStats]> = [
  ["capacity_bytes", "Size of the claim's file system.", "capacityBytes"],
  ["available_bytes", "Bytes of it that are free.", "availableBytes"],
  ["used_bytes", "Bytes of it that are used.", "usedBytes"],
  ["inodes", "Inodes of the claim's file system.", "inodes"],
  ["inodes_free", "Inodes of it that are free.", "inodesFree"],
  ["inodes_used", "Inodes of it that are used.", "inodesUsed"]
]

export const addUsageFamilies = (registry: Registry, usage: () => Usage | undefined): void => {
  const pods = (): ReadonlyArray<PodStats> => usage()?.summary.pods ?? []
  for (const [name, help, field] of volumeFamilies)
    registry.lookedUp({ name: `kubelet_volume_stats_${name}`, help }, "gauge", () =>
      pods()
        .flatMap(claimed)
        .flatMap((volume): ReadonlyArray<Sample> => {
          const value = volume[field]
          const { namespace, name: claim } = volume.pvcRef
          return typeof value === "number" ? [{ labels: { namespace, persistentvolumeclaim: claim }, value }] : []
        })
    )
  registry.lookedUp(
    {
      name: "kubelet_container_log_filesystem_used_bytes",
      help: "Bytes that the logs of a container take, with those that were rotated."
    },
    "gauge",
    () =>
      pods().flatMap(({ podRef, containers }) =>
        containers.flatMap(({ name, logs }): ReadonlyArray<Sample> => {
          const { namespace, name: pod, uid } = podRef
          return logs?.usedBytes === undefined
            ? []
            : [{ labels: { container: name, namespace, pod, uid }, value: logs.usedBytes }]
        })
      )
  )
}
