/** File systems through the kernel: `statfs` for whole ones, a paced walk for directories. */
import { lstat, readdir, stat, statfs } from "node:fs/promises"
import { Effect, Layer } from "effect"
import { type DirectoryUsage, FileSystemError, FileSystems, type FileSystemUsage } from "./port.ts"
import { bytesPerBlock, type WalkLimits, walkLimits } from "./walk.ts"
import { makeWalker } from "./walker.ts"

const codeOf = (error: unknown): string | undefined => (error as { readonly code?: string }).code

const attempt = <A>(path: string, run: () => Promise<A>): Effect.Effect<A, FileSystemError> =>
  Effect.tryPromise({
    try: run,
    catch: (error) =>
      new FileSystemError({
        reason: codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR" ? "NotFound" : "Failed",
        path,
        message: error instanceof Error ? error.message : String(error)
      })
  })

/** What asking a file system may take, milliseconds: one whose server is away answers never. */
const usageTimeout = 2_000

const timely = <A>(path: string, asked: Effect.Effect<A, FileSystemError>): Effect.Effect<A, FileSystemError> =>
  Effect.timeoutOrElse(asked, {
    duration: usageTimeout,
    orElse: () => {
      const message = `${path}: its file system did not answer in ${usageTimeout / 1000} s`
      return Effect.fail(new FileSystemError({ reason: "Failed", path, message }))
    }
  })

/** Major and minor number as glibc packs them into a `dev_t`. */
export const deviceName = (dev: number): string => {
  const number = BigInt(dev)
  const major = ((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)
  const minor = (number & 0xffn) | ((number >> 12n) & 0xffffff00n)
  return `${major}:${minor}`
}

const usage = async (path: string): Promise<FileSystemUsage> => {
  const [{ dev }, whole] = await Promise.all([stat(path), statfs(path)])
  return {
    device: deviceName(dev),
    capacity: whole.blocks * whole.bsize,
    free: whole.bfree * whole.bsize,
    available: whole.bavail * whole.bsize,
    inodes: whole.files,
    inodesFree: whole.ffree
  }
}

/** Files right in a directory whose names begin so; a rotation meanwhile is none's fault. */
const files = async (directory: string, prefix: string, at: number): Promise<DirectoryUsage> => {
  let bytes = 0
  let inodes = 0
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue
    const found = await lstat(`${directory}/${name}`).catch(() => undefined)
    if (found === undefined || found.isDirectory()) continue
    bytes += found.blocks * bytesPerBlock
    inodes++
  }
  return { bytes, inodes, at }
}

export const makeFileSystems = (limits: WalkLimits = walkLimits): FileSystems["Service"] => {
  const walk = makeWalker(limits)
  return FileSystems.of({
    usage: (path) =>
      timely(
        path,
        attempt(path, () => usage(path))
      ),
    directory: (path) => attempt(path, () => walk(path)),
    files: (directory, prefix) => attempt(directory, () => files(directory, prefix, Date.now()))
  })
}

export const layer: Layer.Layer<FileSystems> = Layer.sync(FileSystems, makeFileSystems)
