/** The directory of a volume, what is mounted on it, and how both go. */
import { randomUUID } from "node:crypto"
import { chmod, mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises"
import { release } from "node:os"
import { dirname, join } from "node:path"
import {
  isName,
  type Plugin,
  pluginDirectory,
  plugins,
  podsDirectory,
  subPathsDirectory,
  volumePath,
  volumesDirectory
} from "./layout.ts"
import { mountPoints, mountTmpfs, unmountPath } from "./mounts.ts"

/** kubelet's for the directories around it. */
const parentMode = 0o750
/** A tmpfs as the kernel makes it: world writable, and nobody removes the files of others. */
const memoryMode = 0o1777
/** Mounts on one path that are taken off, one over the other. */
const maxStacked = 8

export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

export const exists = async (path: string): Promise<boolean> => {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false
    throw error
  }
}

/** Appears under its name whole, with its mode and what `prepare` does to it, or not at all; what is there stays. */
export const makeDirectory = async (
  path: string,
  mode: number,
  prepare: (draft: string) => Promise<void> = async () => {}
): Promise<void> => {
  if (await exists(path)) return
  await mkdir(dirname(path), { recursive: true, mode: parentMode })
  const draft = join(dirname(path), `.${randomUUID()}`)
  await mkdir(draft)
  await chmod(draft, mode)
  await prepare(draft)
  await rename(draft, path)
}

/** Linux 6.4 can keep a tmpfs off the swap (`pkg/kubelet/util/swap`). */
const noSwap = (): ReadonlyArray<string> => {
  const [major = 0, minor = 0] = release().split(".").map(Number)
  return major > 6 || (major === 6 && minor >= 4) ? ["noswap"] : []
}

export const mountMemory = async (path: string, sizeLimitBytes: number | undefined): Promise<void> => {
  const size = sizeLimitBytes === undefined ? [] : [`size=${sizeLimitBytes}`]
  await mountTmpfs(path, [`mode=${memoryMode.toString(8)}`, ...size, ...noSwap()])
}

/** Removes directories that have become empty; one that has not stays. */
const removeEmpty = async (path: string): Promise<void> => {
  try {
    await rmdir(path)
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST", "EBUSY"].includes(codeOf(error) ?? "")) throw error
  }
}

const namesIn = async (directory: string): Promise<ReadonlyArray<string>> => {
  try {
    return await readdir(directory)
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "")) return []
    throw error
  }
}

export const removeVolume = async (rootDir: string, podUid: string, plugin: Plugin, name: string): Promise<void> => {
  const path = volumePath(rootDir, podUid, plugin, name)
  for (let i = 0; i < maxStacked && (await mountPoints()).includes(path); i++) await unmountPath(path)
  // Removing must not reach into another file system, which may be anyone's.
  const foreign = (await mountPoints()).find((point) => point === path || point.startsWith(`${path}/`))
  if (foreign !== undefined) throw new Error(`${foreign} is still mounted`)
  await rm(path, { recursive: true, force: true })
  const directory = dirname(path)
  const entries = await namesIn(directory)
  if (entries.some((entry) => !entry.startsWith("."))) return
  // Drafts that a crash left behind.
  for (const entry of entries) await rm(join(directory, entry), { recursive: true, force: true })
  await removeEmpty(directory)
  await removeEmpty(volumesDirectory(rootDir, podUid))
}

/** The volume of that name, of whatever plugin it is. */
export const unmountVolume = async (rootDir: string, podUid: string, name: string): Promise<void> => {
  for (const plugin of plugins) {
    if (await exists(dirname(volumePath(rootDir, podUid, plugin, name)))) {
      await removeVolume(rootDir, podUid, plugin, name)
    }
  }
}

/** Volumes that have a directory here, or sub paths: a hostPath has nothing else. */
export const volumesOnNode = async (rootDir: string) => {
  const found: Array<{ readonly podUid: string; readonly name: string }> = []
  for (const podUid of (await namesIn(podsDirectory(rootDir))).filter(isName)) {
    const names = new Set(await namesIn(subPathsDirectory(rootDir, podUid)))
    for (const plugin of plugins) {
      for (const name of await namesIn(join(volumesDirectory(rootDir, podUid), pluginDirectory(plugin))))
        names.add(name)
    }
    found.push(...[...names].filter(isName).map((name) => ({ podUid, name })))
  }
  return found
}
