/** What the node itself can give back before a pod has to go (`helpers.go` buildSignalToNodeReclaimFuncs). */
import type { FsLayout } from "./container-fs.ts"
import { resourceOf } from "./signals.ts"

export type Reclaim = "containers" | "images"

export const reclaimsFor = (
  signal: string,
  { dedicatedImageFs, separateContainerFs }: FsLayout
): ReadonlyArray<Reclaim> => {
  const resource = resourceOf(signal)
  if (resource !== "ephemeral-storage" && resource !== "inodes") return []
  if (!dedicatedImageFs) return ["containers", "images"]
  if (separateContainerFs) return signal.startsWith("imagefs.") ? ["images"] : ["containers"]
  return signal.startsWith("nodefs.") ? [] : ["containers", "images"]
}
