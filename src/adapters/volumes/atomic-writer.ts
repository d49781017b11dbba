/**
 * Files that are replaced all at once, as kubelet does (`pkg/volume/util/atomic_writer.go`): they are in a directory with
 * a time for its name, `..data` is a link to it, and what a container sees at the root are links through `..data`. An
 * update makes another directory and renames another link over `..data`.
 */

import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile
} from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { codeOf } from "./directories.ts"
import { dataLink, nextDataLink, stalePaths, visibleNames } from "./payload.ts"
import type { ProjectedFile } from "./port.ts"

const directoryMode = 0o755

/** `undefined` where nothing is. */
const linkOf = async (path: string): Promise<string | undefined> => {
  try {
    return await readlink(path)
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined
    throw error
  }
}

/** Everything below a directory, directories before what is in them; nothing where it is gone. */
const pathsBelow = async (directory: string, prefix = ""): Promise<ReadonlyArray<string>> => {
  try {
    const found: Array<string> = []
    for (const entry of await readdir(join(directory, prefix), { withFileTypes: true })) {
      const path = prefix === "" ? entry.name : `${prefix}/${entry.name}`
      found.push(path)
      if (entry.isDirectory()) found.push(...(await pathsBelow(directory, path)))
    }
    return found
  } catch (error) {
    if (codeOf(error) === "ENOENT") return []
    throw error
  }
}

const holds = async (path: string, data: Uint8Array): Promise<boolean> => {
  try {
    return (await readFile(path)).equals(data)
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes(codeOf(error) ?? "")) return false
    throw error
  }
}

const holdsAll = async (directory: string, payload: ReadonlyMap<string, ProjectedFile>): Promise<boolean> => {
  for (const [path, { data }] of payload) if (!(await holds(join(directory, path), data))) return false
  return true
}

/** `..2026_11_26_11_05_12.` and something that no other has. */
const makeVersion = async (target: string): Promise<string> => {
  const stamp = new Date().toISOString().slice(0, 19).replace(/[-T:]/gu, "_")
  const directory = await mkdtemp(join(target, `..${stamp}.`))
  await chmod(directory, directoryMode)
  return directory
}

const fill = async (directory: string, payload: ReadonlyMap<string, ProjectedFile>): Promise<void> => {
  for (const [path, { data, mode }] of payload) {
    const full = join(directory, path)
    if (path.includes("/")) await mkdir(dirname(full), { recursive: true, mode: directoryMode })
    await writeFile(full, data, { mode })
    // Whatever the umask is.
    await chmod(full, mode)
  }
}

/** Links of files that are not there any more. Directories on which something is mounted stay. */
const hideOthers = async (target: string, payload: ReadonlyMap<string, ProjectedFile>): Promise<void> => {
  const wanted = visibleNames(payload.keys())
  for (const entry of await readdir(target, { withFileTypes: true })) {
    if (!entry.isSymbolicLink() || entry.name === dataLink || wanted.has(entry.name)) continue
    await rm(join(target, entry.name), { force: true })
  }
}

const showAll = async (target: string, payload: ReadonlyMap<string, ProjectedFile>): Promise<void> => {
  for (const name of visibleNames(payload.keys())) {
    const visible = join(target, name)
    const there = await lstat(visible).catch((error) => {
      if (codeOf(error) === "ENOENT") return undefined
      throw error
    })
    if (there === undefined) await symlink(join(dataLink, name), visible)
  }
}

/** Versions that a crash left behind: nothing leads to them. */
const removeLeftovers = async (target: string, current: string | undefined): Promise<void> => {
  await rm(join(target, nextDataLink), { force: true })
  for (const name of await readdir(target)) {
    if (/^\.\.\d{4}_/u.test(name) && name !== current) await rm(join(target, name), { recursive: true, force: true })
  }
}

/**
 * Makes `target`, which exists, hold these files and no others. `prepare` runs before they become visible, and not where
 * nothing changes. Answers whether anything did.
 */
export const writeAtomically = async (
  target: string,
  payload: ReadonlyMap<string, ProjectedFile>,
  prepare: () => Promise<void>
): Promise<boolean> => {
  const before = await linkOf(join(target, dataLink))
  await removeLeftovers(target, before)
  const present = before === undefined ? [] : await pathsBelow(join(target, before))
  const stale = stalePaths(present, payload.keys())
  if (before !== undefined && stale.length === 0 && (await holdsAll(join(target, before), payload))) {
    await showAll(target, payload)
    await hideOthers(target, payload)
    return false
  }
  const version = await makeVersion(target)
  try {
    await fill(version, payload)
    await prepare()
    await symlink(basename(version), join(target, nextDataLink))
    await rename(join(target, nextDataLink), join(target, dataLink))
  } catch (error) {
    await removeLeftovers(target, before)
    throw error
  }
  await showAll(target, payload)
  await hideOthers(target, payload)
  if (before !== undefined) await rm(join(target, before), { recursive: true, force: true })
  return true
}
