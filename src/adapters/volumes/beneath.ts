/**
 * Reaching a path in a directory that others may write to, and never what is outside of it
 * (`pkg/volume/util/subpath/subpath_linux.go` doSafeOpen, doSafeMakeDir). Symbolic links are resolved once; what they lead
 * to is then opened component by component, following none, so that one that is swapped in between is met as an error.
 */
import { constants } from "node:fs"
import { type FileHandle, mkdir, open, readFile, realpath, stat } from "node:fs/promises"
import { join, relative } from "node:path"

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
/** A handle on the place alone (open(2)): nothing is read, and a FIFO or a device does not block or act. */
const O_PATH = 0o10000000
const permissionBits = 0o7777

/** The name by which the kernel finds an open file again, past every path. */
const placeOf = (handle: FileHandle): string => `/proc/self/fd/${handle.fd}`

export class OutsideError extends Error {}

/** Path of `target` in `base`, component by component; both free of symbolic links. */
const componentsOf = (base: string, target: string): ReadonlyArray<string> => {
  const path = relative(base, target)
  const parts = path.split("/").filter((part) => part !== "")
  if (path.startsWith("/") || parts.includes("..")) throw new OutsideError(`${target} is outside of ${base}`)
  return parts
}

/** A handle (O_PATH) on a path that has no symbolic link in it. The caller closes it. */
const openWithin = async (base: string, parts: ReadonlyArray<string>): Promise<FileHandle> => {
  let handle = await open(base, O_PATH | O_NOFOLLOW | O_DIRECTORY)
  for (const part of parts) {
    const parent = handle
    try {
      handle = await open(`${placeOf(parent)}/${part}`, O_PATH | O_NOFOLLOW)
    } finally {
      await parent.close()
    }
    if (!(await handle.stat()).isSymbolicLink()) continue
    await handle.close()
    throw new OutsideError(`${part} has become a symbolic link`)
  }
  return handle
}

/** A handle (O_PATH) on what `path` leads to within `base`; symbolic links that stay inside are followed. The caller closes it. */
export const openBeneath = async (base: string, path: string): Promise<FileHandle> => {
  const root = await realpath(base)
  return openWithin(root, componentsOf(root, await realpath(join(root, path))))
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT"

/** How far a path exists, links followed: the existing part, and the names that are missing. */
const existingPart = async (
  root: string,
  parts: ReadonlyArray<string>
): Promise<{ readonly existing: string; readonly missing: ReadonlyArray<string> }> => {
  let existing = root
  for (const [i, part] of parts.entries()) {
    try {
      await stat(join(existing, part))
    } catch (error) {
      if (isMissing(error)) return { existing, missing: parts.slice(i) }
      throw error
    }
    existing = join(existing, part)
  }
  return { existing, missing: [] }
}

/**
 * Makes the directories of `path` that are missing, with the mode of `base` itself, which lets in whom the volume lets in.
 * What exists already stays as it is, whatever it is.
 */
export const makeBeneath = async (base: string, path: string): Promise<void> => {
  const root = await realpath(base)
  const mode = (await stat(root)).mode & permissionBits
  const { existing, missing } = await existingPart(root, componentsOf(root, join(root, path)))
  if (missing.length === 0) return
  let parent = await openWithin(root, componentsOf(root, await realpath(existing)))
  try {
    for (const name of missing) {
      const made = `${placeOf(parent)}/${name}`
      await mkdir(made, { mode })
      // Whoever may write here may have put something else in its place already: no link, and no directory of others.
      const child = await open(made, O_RDONLY | O_NOFOLLOW | O_DIRECTORY)
      await parent.close()
      parent = child
      // mkdir's mode went through the umask.
      await child.chmod(mode)
    }
  } finally {
    await parent.close()
  }
}

/** Text of a regular file of at most `maxBytes` within `base`. */
export const readBeneath = async (base: string, path: string, maxBytes: number): Promise<string> => {
  const handle = await openBeneath(base, path)
  try {
    const info = await handle.stat()
    if (!info.isFile()) throw new Error("is no regular file")
    if (info.size > maxBytes) throw new Error(`is larger than ${maxBytes} bytes`)
    return await readFile(placeOf(handle), "utf8")
  } finally {
    await handle.close()
  }
}
