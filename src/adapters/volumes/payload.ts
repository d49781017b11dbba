/**
 * What a volume of files is to hold, and what changes for it: the pure half of kubelet's atomic writer
 * (`pkg/volume/util/atomic_writer.go`). Its words are kept.
 */
import { posix } from "node:path"
import { Result } from "effect"
import type { ProjectedFile } from "./port.ts"

/** The link to the directory that holds the files; it is replaced by a rename, and with it all files at once. */
export const dataLink = "..data"
/** What becomes the link. */
export const nextDataLink = "..data_tmp"

/** Characters of one name, and of a whole path. */
const maxNameLength = 255
const maxPathLength = 4096

const problemOf = (path: string): string | undefined => {
  if (path === "") return 'invalid path: must not be empty: ""'
  if (path.startsWith("/")) return `invalid path: must be relative path: ${path}`
  if (path.length > maxPathLength) return `invalid path: must be less than or equal to ${maxPathLength} characters`
  const items = path.split("/")
  if (items.includes("..")) return `invalid path: must not contain '..': ${path}`
  if (items.some((item) => Buffer.byteLength(item) > maxNameLength)) {
    return `invalid path: filenames must be less than or equal to ${maxNameLength} characters`
  }
  if (path.startsWith("..")) return `invalid path: must not start with '..': ${path}`
  // Not among kubelet's, which leave these to the file system.
  if (path.includes("\0") || cleaned(path) === ".") return `invalid path: names no file: ${JSON.stringify(path)}`
  return undefined
}

/** Go's filepath.Clean, of a relative path without `..`. */
const cleaned = (path: string): string => posix.normalize(path).replace(/(?<=.)\/+$/u, "")

/** Files by clean path; the last of two with one path counts. A path that would leave the volume is a failure. */
export const cleanPayload = (
  files: ReadonlyArray<ProjectedFile>
): Result.Result<ReadonlyMap<string, ProjectedFile>, string> => {
  const payload = new Map<string, ProjectedFile>()
  for (const file of files) {
    const problem = problemOf(file.path)
    if (problem !== undefined) return Result.fail(problem)
    payload.set(cleaned(file.path), file)
  }
  return Result.succeed(payload)
}

/** The first name of each path: what is seen at the volume's root. */
export const visibleNames = (payload: Iterable<string>): ReadonlySet<string> =>
  new Set([...payload].map((path) => path.split("/", 1)[0]!))

const withParents = (path: string): ReadonlyArray<string> => {
  const items = path.split("/")
  return items.map((_, i) => items.slice(0, i + 1).join("/"))
}

/** Paths of the present content, directories among them, that the payload does not have. */
export const stalePaths = (present: Iterable<string>, payload: Iterable<string>): ReadonlyArray<string> => {
  const wanted = new Set([...payload].flatMap(withParents))
  return [...present].filter((path) => !wanted.has(path))
}
