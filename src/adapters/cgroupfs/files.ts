/** Reading and writing the kernel's cgroup files. A file is never made: one that is missing is a controller that is. */
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { CgroupError } from "./port.ts"

export const codeOf = (error: unknown): string | undefined => (error as { readonly code?: string }).code

const reasons: Readonly<Record<string, CgroupError["reason"]>> = {
  EROFS: "ReadOnly",
  EACCES: "NoPermission",
  EPERM: "NoPermission",
  ENOENT: "NotFound",
  ENODEV: "NotFound",
  EBUSY: "Busy",
  EINVAL: "Invalid",
  ERANGE: "Invalid"
}

export const toCgroupError = (operation: string, at: string, error: unknown): CgroupError => {
  if (error instanceof CgroupError) return error
  const reason = reasons[codeOf(error) ?? ""] ?? "Failed"
  return new CgroupError({
    reason,
    operation,
    path: at,
    message: error instanceof Error ? error.message : String(error)
  })
}

/** The kernel takes a value in one write; a file that is missing is not made. */
export const writeValue = async (file: string, value: string | number): Promise<void> => {
  try {
    await fs.writeFile(file, String(value), { flag: "r+" })
  } catch (error) {
    const failure = toCgroupError("write", file, error)
    throw new CgroupError({ ...failure, message: `cannot write ${JSON.stringify(String(value))}: ${failure.message}` })
  }
}

/** Trimmed; `undefined` where there is no such file. */
export const readValue = async (file: string): Promise<string | undefined> => {
  try {
    return (await fs.readFile(file, "utf8")).trim()
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined
    throw toCgroupError("read", file, error)
  }
}

/** Whether it was made now; `undefined` where what it would lie in is not there. */
export const makeBelow = async (directory: string): Promise<boolean | undefined> => {
  try {
    await fs.mkdir(directory, { mode: 0o755 })
    return true
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false
    if (codeOf(error) === "ENOENT") return undefined
    throw toCgroupError("make", directory, error)
  }
}

/** Whether it was made now. */
export const makeDirectory = async (directory: string): Promise<boolean> => {
  const isNew = await makeBelow(directory)
  if (isNew !== undefined) return isNew
  const message = "what it would lie in is not there"
  throw new CgroupError({ reason: "NotFound", operation: "make", path: directory, message })
}

export const isDirectory = async (directory: string): Promise<boolean> => {
  try {
    return (await fs.stat(directory)).isDirectory()
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false
    throw toCgroupError("look at", directory, error)
  }
}

/** Its ancestors below the root and itself, outermost first: `/a/b` → `/a`, `/a/b`. */
export const lineage = (cgroup: string): ReadonlyArray<string> => {
  const parts = cgroup.split("/").filter((part) => part !== "")
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join("/")}`)
}

/** A path below the root, without steps up. */
export const checkPath = (operation: string, cgroup: string): void => {
  const parts = cgroup.split("/").slice(1)
  const isWhole = cgroup.startsWith("/") && parts.every((part) => part !== "" && part !== "." && part !== "..")
  if (isWhole && !cgroup.includes("\0")) return
  throw new CgroupError({
    reason: "Invalid",
    operation,
    path: cgroup,
    message: "is no path of a cgroup below the root"
  })
}

export const inside = (point: string, cgroup: string): string => path.join(point, cgroup)
