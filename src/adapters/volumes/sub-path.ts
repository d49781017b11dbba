/**
 * Sub paths of volumes (`pkg/volume/util/subpath/subpath_linux.go`). A runtime that is given a path inside of a volume could
 * be led anywhere, because the pod may swap a directory for a link meanwhile. So the path is opened here, and what was
 * opened is bound to a place that is out of the pod's reach; the runtime mounts that.
 */
import type { Stats } from "node:fs"
import { type FileHandle, lstat, mkdir, readdir, rmdir, stat, unlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import process from "node:process"
import { makeBeneath, openBeneath } from "./beneath.ts"
import { subPathsDirectory, subPathTarget } from "./layout.ts"
import { bindMount, mountPoints, unmountPath } from "./mounts.ts"
import type { SubPathRequest, SubPathStep } from "./port.ts"

/** kubelet's. */
const directoryMode = 0o750
const fileMode = 0o640
/** Mounts on one path that are taken off, one over the other. */
const maxStacked = 8

/** What failed; the message tells of the host's files, and is for the agent's own log. */
export class SubPathFailed extends Error {
  readonly step: SubPathStep
  constructor(step: SubPathStep, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause))
    this.step = step
  }
}

const during = async <A>(step: SubPathStep, run: () => Promise<A>): Promise<A> => {
  try {
    return await run()
  } catch (error) {
    throw new SubPathFailed(step, error)
  }
}

const ifThere = async <A>(run: () => Promise<A>): Promise<A | undefined> => {
  try {
    return await run()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

/** What is there in some other way (a file where a directory should be) is met when it is opened. */
const isAbsent = async (path: string): Promise<boolean> => {
  try {
    await stat(path)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT"
  }
}

/** Answers the place on the host that the runtime mounts. A directory that is missing in the volume is made. */
export const mountSubPath = async (rootDir: string, request: SubPathRequest): Promise<string> => {
  const { volumePath, subPath } = request
  if (await isAbsent(join(volumePath, subPath))) await during("create", () => makeBeneath(volumePath, subPath))
  return during("prepare", async () => {
    const handle = await openBeneath(volumePath, subPath)
    try {
      return await bind(handle, subPathTarget(rootDir, request))
    } finally {
      await handle.close()
    }
  })
}

const isSame = (a: Stats, b: Stats): boolean => a.ino === b.ino && a.dev === b.dev

const bind = async (handle: FileHandle, target: string): Promise<string> => {
  const source = await handle.stat()
  if ((await mountPoints()).includes(target)) {
    // Of the container's earlier instance, or from before a crash of the agent.
    if (isSame(source, await lstat(target))) return target
    await unmountAll(target)
  }
  await mkdir(dirname(target), { recursive: true, mode: directoryMode })
  await removePlaceholder(target)
  // A file is good for everything that is no directory.
  if (source.isDirectory()) await mkdir(target, { mode: directoryMode })
  else await writeFile(target, "", { mode: fileMode, flag: "wx" })
  try {
    await bindMount(`/proc/${process.pid}/fd/${handle.fd}`, target)
  } catch (error) {
    await removePlaceholder(target)
    throw error
  }
  return target
}

const unmountAll = async (path: string): Promise<void> => {
  for (let i = 0; i < maxStacked && (await mountPoints()).includes(path); i++) await unmountPath(path)
}

/** An empty file or directory of our own, with nothing mounted on it; a directory that has content stays, and is an error. */
const removePlaceholder = async (path: string): Promise<void> => {
  const info = await ifThere(() => lstat(path))
  if (info === undefined) return
  if (info.isDirectory()) await rmdir(path)
  else await unlink(path)
}

const entriesOf = async (directory: string): Promise<ReadonlyArray<string>> =>
  (await ifThere(() => readdir(directory))) ?? []

/** Takes down all sub paths of one volume of a pod. Nothing is removed through a mount: what is still bound fails. */
export const cleanSubPaths = async (rootDir: string, podUid: string, volume: string): Promise<void> => {
  const all = subPathsDirectory(rootDir, podUid)
  const own = join(all, volume)
  if ((await ifThere(() => lstat(own))) === undefined) return
  for (const container of await entriesOf(own)) {
    const directory = join(own, container)
    for (const index of await entriesOf(directory)) {
      const target = join(directory, index)
      await unmountAll(target)
      await removePlaceholder(target)
    }
    await rmdir(directory)
  }
  await rmdir(own)
  if ((await entriesOf(all)).length === 0) await rmdir(all)
}
