/**
 * emptyDir (`pkg/volume/emptydir/empty_dir.go`): a directory of the pod's own, or a tmpfs on it. World writable, since any
 * user of the pod's containers may write. What is there is never made anew: it may hold data, and the mode that a
 * container gave it.
 */
import { randomUUID } from "node:crypto"
import { chmod, chown, mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { emptyDirPath, volumesDirectory } from "./layout.ts"
import { mountPoints, mountTmpfs, unmountPath } from "./mounts.ts"
import type { VolumeRequest } from "./port.ts"

const mode = 0o777
/** With a group: files made in it belong to the group too (`pkg/volume/volume_linux.go`). */
const groupMode = 0o2777
/** kubelet's for the directories around it. */
const parentMode = 0o750
/** Mounts on one path that are taken off, one over the other. */
const maxStacked = 8

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

const exists = async (path: string): Promise<boolean> => {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false
    throw error
  }
}

/** Appears under its name whole, with its mode and group, or not at all. */
const makeDirectory = async (path: string, fsGroup: number | undefined): Promise<void> => {
  if (await exists(path)) return
  await mkdir(dirname(path), { recursive: true, mode: parentMode })
  const draft = join(dirname(path), `.${randomUUID()}`)
  await mkdir(draft)
  if (fsGroup !== undefined) await chown(draft, (await stat(draft)).uid, fsGroup)
  await chmod(draft, fsGroup === undefined ? mode : groupMode)
  await rename(draft, path)
}

export const mountEmptyDir = async (
  rootDir: string,
  { podUid, name, fsGroup }: VolumeRequest,
  source: Extract<VolumeRequest["source"], { kind: "emptyDir" }>
): Promise<string> => {
  const path = emptyDirPath(rootDir, podUid, name)
  await makeDirectory(path, fsGroup)
  if (source.medium === "Memory" && !(await mountPoints()).includes(path)) {
    await mountTmpfs(path, [
      `mode=${(fsGroup === undefined ? mode : groupMode).toString(8)}`,
      ...(fsGroup === undefined ? [] : [`gid=${fsGroup}`]),
      ...(source.sizeLimitBytes === undefined ? [] : [`size=${source.sizeLimitBytes}`])
    ])
  }
  return path
}

/** Removes directories that have become empty; one that has not stays. */
const removeEmpty = async (path: string): Promise<void> => {
  try {
    await rmdir(path)
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST", "EBUSY"].includes(codeOf(error) ?? "")) throw error
  }
}

/** Drafts that a crash left behind. */
const removeDrafts = async (directory: string): Promise<void> => {
  if (!(await exists(directory))) return
  for (const entry of await readdir(directory)) {
    if (entry.startsWith(".")) await rm(join(directory, entry), { recursive: true, force: true })
  }
}

export const unmountEmptyDir = async (rootDir: string, podUid: string, name: string): Promise<void> => {
  const path = emptyDirPath(rootDir, podUid, name)
  for (let i = 0; i < maxStacked && (await mountPoints()).includes(path); i++) await unmountPath(path)
  // Removing must not reach into another file system, which may be anyone's.
  const foreign = (await mountPoints()).find((point) => point === path || point.startsWith(`${path}/`))
  if (foreign !== undefined) throw new Error(`${foreign} is still mounted`)
  await rm(path, { recursive: true, force: true })
  const directory = dirname(path)
  const others = (await exists(directory)) ? (await readdir(directory)).filter((entry) => !entry.startsWith(".")) : []
  if (others.length > 0) return
  await removeDrafts(directory)
  await removeEmpty(directory)
  await removeEmpty(volumesDirectory(rootDir, podUid))
}
