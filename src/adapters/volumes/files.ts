/**
 * Volumes of files that are made of objects (`pkg/volume/{configmap,secret,downwardapi,projected}`): an emptyDir beneath,
 * in memory where they are not to reach a disk, filled by the atomic writer.
 */
import { lstat, mkdir } from "node:fs/promises"
import { join } from "node:path"
import { Result } from "effect"
import { writeAtomically } from "./atomic-writer.ts"
import { exists, makeDirectory, mountMemory, removeVolume } from "./directories.ts"
import { filesPlugins, volumePath } from "./layout.ts"
import { mountPoints } from "./mounts.ts"
import { giveToGroup } from "./ownership.ts"
import { cleanPayload, dataLink } from "./payload.ts"
import type { VolumeRequest } from "./port.ts"

const rootMode = 0o777
const nestedMode = 0o755

type Files = Extract<VolumeRequest["source"], { kind: "files" }>

export const mountFiles = async (
  rootDir: string,
  { podUid, name, fsGroup }: VolumeRequest,
  source: Files
): Promise<string> => {
  const payload = cleanPayload(source.files)
  if (Result.isFailure(payload)) throw new Error(payload.failure)
  const path = volumePath(rootDir, podUid, source.plugin, name)
  const wasThere = await isWhole(path)
  try {
    await makeDirectory(path, rootMode)
    if (source.memory && !(await mountPoints()).includes(path)) await mountMemory(path, source.sizeLimitBytes)
    // A container mounts other volumes there, and cannot make the directory itself: the volume is read-only to it.
    for (const nested of source.nested) await mkdir(join(path, nested), { recursive: true, mode: nestedMode })
    await writeAtomically(path, payload.success, async () => {
      if (fsGroup !== undefined) await giveToGroup(path, fsGroup, true)
    })
  } catch (error) {
    if (!wasThere) await removeVolume(rootDir, podUid, source.plugin, name)
    throw error
  }
  return path
}

/** Its content has become visible once. */
const isWhole = (path: string): Promise<boolean> =>
  lstat(join(path, dataLink)).then(
    () => true,
    (error) => {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false
      throw error
    }
  )

export const hasFiles = async (rootDir: string, podUid: string, name: string): Promise<boolean> => {
  for (const plugin of filesPlugins) {
    const path = volumePath(rootDir, podUid, plugin, name)
    if ((await exists(path)) && (await isWhole(path))) return true
  }
  return false
}
