/** hostPath (`pkg/volume/hostpath/host_path.go`): the path itself, checked, and created where the type says so. Its words. */
import type { Stats } from "node:fs"
import { mkdir, open, stat } from "node:fs/promises"
import type { HostPathType } from "./port.ts"

const directoryMode = 0o755
const fileMode = 0o644

const checks: Readonly<
  Record<Exclude<HostPathType, "">, { readonly is: (info: Stats) => boolean; readonly what: string }>
> = {
  Directory: { is: (info) => info.isDirectory(), what: "a directory" },
  DirectoryOrCreate: { is: (info) => info.isDirectory(), what: "a directory" },
  File: { is: (info) => info.isFile(), what: "a file" },
  FileOrCreate: { is: (info) => info.isFile(), what: "a file" },
  Socket: { is: (info) => info.isSocket(), what: "a socket file" },
  CharDevice: { is: (info) => info.isCharacterDevice(), what: "a character device" },
  BlockDevice: { is: (info) => info.isBlockDevice(), what: "a block device" }
}

/** Follows symbolic links; `undefined` where nothing is. */
const look = async (path: string): Promise<Stats | undefined> => {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    throw error
  }
}

const create = async (path: string, type: HostPathType): Promise<void> => {
  if (type === "DirectoryOrCreate") await mkdir(path, { recursive: true, mode: directoryMode })
  // Its directory must be there; a file that appeared meanwhile is kept.
  if (type === "FileOrCreate") await (await open(path, "a", fileMode)).close()
}

export const mountHostPath = async (path: string, type: HostPathType): Promise<string> => {
  // Without a type nothing is asked: the runtime makes a directory where there is none.
  if (type === "") return path
  if ((await look(path)) === undefined) await create(path, type)
  const info = await look(path)
  const { is, what } = checks[type]
  if (info === undefined || !is(info)) throw new Error(`hostPath type check failed: ${path} is not ${what}`)
  return path
}
