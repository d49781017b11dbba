/**
 * emptyDir (`pkg/volume/emptydir/empty_dir.go`): a directory of the pod's own, or a file system in memory or of huge pages
 * on it. World writable, since any user of the pod's containers may write. What is there is never made anew: it may hold
 * data, and the mode that a container gave it.
 */
import { chmod } from "node:fs/promises"
import { makeDirectory, mountMemory } from "./directories.ts"
import { volumePath } from "./layout.ts"
import { mountHugePages, mountPoints } from "./mounts.ts"
import { giveToGroup } from "./ownership.ts"
import type { VolumeRequest } from "./port.ts"

const mode = 0o777

type EmptyDir = Extract<VolumeRequest["source"], { kind: "emptyDir" }>

export const mountEmptyDir = async (
  rootDir: string,
  { podUid, name, fsGroup }: VolumeRequest,
  source: EmptyDir
): Promise<string> => {
  const path = volumePath(rootDir, podUid, "empty-dir", name)
  const give = async (directory: string): Promise<void> => {
    if (fsGroup !== undefined) await giveToGroup(directory, fsGroup, false)
  }
  await makeDirectory(path, mode, give)
  if (source.medium === "" || (await mountPoints()).includes(path)) return path
  if (source.medium === "HugePages") {
    await mountHugePages(path, source.pageSizeBytes)
    await chmod(path, mode)
  } else await mountMemory(path, source.sizeLimitBytes)
  await give(path)
  return path
}
