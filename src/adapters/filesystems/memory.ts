/** File systems in memory, for tests and simulated nodes: what the test says of each path. */
import { Clock, Effect, Layer } from "effect"
import { FileSystemError, FileSystems, type FileSystemUsage, maxWalkEntries } from "./port.ts"

export interface MemoryFile {
  /** As taken on the disk. */
  readonly bytes: number
  /** Names of one file have the same; absent: it has no other name. */
  readonly inode?: number
}

export interface MemoryFileSystems {
  /** By mount point. */
  readonly mounts: Map<string, FileSystemUsage>
  /** By path. */
  readonly files: Map<string, MemoryFile>
  /** Directories that are there, empty or not; those above a file are so anyway. */
  readonly directories: Set<string>
  /** Paths of the walks so far. */
  readonly walks: ReadonlyArray<string>
  readonly service: FileSystems["Service"]
  readonly layer: Layer.Layer<FileSystems>
}

const isBelow = (path: string, directory: string): boolean => path.startsWith(directory === "/" ? "/" : `${directory}/`)
const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("/"), 1))

export const makeMemoryFileSystems = (root: FileSystemUsage): MemoryFileSystems => {
  const mounts = new Map<string, FileSystemUsage>([["/", root]])
  const files = new Map<string, MemoryFile>()
  const directories = new Set<string>(["/"])
  const walks: Array<string> = []
  const mountOf = (path: string): string =>
    [...mounts.keys()].filter((point) => point === path || isBelow(path, point)).sort((a, b) => b.length - a.length)[0]!
  /** All directories, with those above a file or another one. */
  const everyDirectory = (): ReadonlySet<string> => {
    const all = new Set(["/", ...mounts.keys()])
    for (const path of [...directories, ...[...files.keys()].map(parentOf)]) {
      for (let at = path; !all.has(at); at = parentOf(at)) all.add(at)
    }
    return all
  }
  const notFound = (path: string) => new FileSystemError({ reason: "NotFound", path, message: `no such path: ${path}` })
  const there = (path: string): Effect.Effect<void, FileSystemError> =>
    files.has(path) || everyDirectory().has(path) ? Effect.void : Effect.fail(notFound(path))
  /** Each inode once. */
  const sum = (found: ReadonlyArray<MemoryFile>) => {
    const counted = new Set<number>()
    const once = found.filter(({ inode }) => inode === undefined || (!counted.has(inode) && counted.add(inode)))
    return { bytes: once.reduce((total, { bytes }) => total + bytes, 0), inodes: once.length }
  }
  const service = FileSystems.of({
    usage: (path) => Effect.map(there(path), () => mounts.get(mountOf(path))!),
    directory: (path) =>
      Effect.gen(function* () {
        yield* there(path)
        walks.push(path)
        const isInside = (other: string) => isBelow(other, path) && mountOf(other) === mountOf(path)
        const below = [...files].filter(([file]) => isInside(file)).map(([, file]) => file)
        const { bytes, inodes } = sum(below.slice(0, maxWalkEntries))
        const own = files.get(path)
        const inside = [...everyDirectory()].filter(isInside).length
        const at = yield* Clock.currentTimeMillis
        return { bytes: bytes + (own?.bytes ?? 0), inodes: inodes + inside + 1, at }
      }),
    files: (directory, prefix) =>
      Effect.gen(function* () {
        yield* there(directory)
        const found = [...files].filter(([path]) => parentOf(path) === directory)
        const named = found.filter(([path]) => path.slice(path.lastIndexOf("/") + 1).startsWith(prefix))
        const at = yield* Clock.currentTimeMillis
        return { bytes: named.reduce((total, [, { bytes }]) => total + bytes, 0), inodes: named.length, at }
      })
  })
  return { mounts, files, directories, walks, service, layer: Layer.succeed(FileSystems, service) }
}
