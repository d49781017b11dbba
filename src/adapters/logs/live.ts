/** Containers' logs in the file system. */
import { createReadStream, createWriteStream } from "node:fs"
import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import { createGzip } from "node:zlib"
import { Effect, Layer } from "effect"
import { besides, draftSuffix, inUse, kept, nextName, packedSuffix } from "./names.ts"
import { ContainerLogs, LogError } from "./port.ts"

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | null)?.code

const attempt = <A>(operation: string, path: string, run: () => Promise<A>): Effect.Effect<A, LogError> =>
  Effect.tryPromise({
    try: run,
    catch: (error) => new LogError({ operation, path, message: error instanceof Error ? error.message : String(error) })
  })

const orMissing = async <A>(run: Promise<A>): Promise<A | undefined> => {
  try {
    return await run
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined
    throw error
  }
}

const listed = async (directory: string): Promise<ReadonlyArray<string>> =>
  (await orMissing(fs.readdir(directory))) ?? []

/** The packed file appears whole, and only then the other goes: a crash leaves one of them, or both with one of them in use. */
const pack = async (path: string): Promise<void> => {
  const draft = `${path}${draftSuffix}`
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(draft, { mode: 0o640 }))
    await fs.rename(draft, `${path}${packedSuffix}`)
    await fs.rm(path, { force: true })
  } catch (error) {
    await fs.rm(draft, { force: true })
    throw error
  }
}

const makeRoom = async (path: string, maxFiles: number): Promise<void> => {
  const directory = dirname(path)
  const all = besides(basename(path), await listed(directory))
  const used = new Set(inUse(all))
  const stay = new Set(kept([...used], maxFiles))
  for (const name of all) if (!stay.has(name)) await fs.rm(join(directory, name), { force: true })
  for (const name of stay) if (!name.endsWith(packedSuffix)) await pack(join(directory, name))
}

const setAside = async (path: string, at: number): Promise<string> => {
  const directory = dirname(path)
  const rotated = join(directory, nextName(basename(path), at, await listed(directory)))
  await fs.rename(path, rotated)
  return rotated
}

const link = async (at: string, target: string): Promise<void> => {
  if ((await orMissing(fs.lstat(target))) === undefined || (await orMissing(fs.readlink(at))) === target) return
  await fs.mkdir(dirname(at), { recursive: true, mode: 0o755 })
  await fs.rm(at, { force: true })
  await fs.symlink(target, at)
}

const unlink = async (directory: string, target: string): Promise<void> => {
  for (const name of await listed(directory)) {
    const at = join(directory, name)
    const to = await fs.readlink(at).catch(() => undefined)
    if (to === target || to?.startsWith(`${target}/`) === true) await fs.rm(at, { force: true })
  }
}

export const service: ContainerLogs["Service"] = ContainerLogs.of({
  size: (path) => attempt("look at", path, async () => (await orMissing(fs.stat(path)))?.size),
  makeRoom: (path, maxFiles) => attempt("make room for", path, () => makeRoom(path, maxFiles)),
  setAside: (path, at) => attempt("set aside", path, () => setAside(path, at)),
  putBack: (rotated, path) =>
    attempt("put back", path, async () => {
      if ((await orMissing(fs.lstat(path))) === undefined) await orMissing(fs.rename(rotated, path))
    }),
  directories: (path) =>
    attempt("list", path, async () => {
      const entries = (await orMissing(fs.readdir(path, { withFileTypes: true }))) ?? []
      return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort()
    }),
  removeDirectory: (path) => attempt("remove", path, () => fs.rm(path, { recursive: true, force: true })),
  remove: (path) =>
    attempt("remove", path, async () => {
      const directory = dirname(path)
      for (const name of besides(basename(path), await listed(directory)))
        await fs.rm(join(directory, name), { force: true })
      await fs.rm(path, { force: true })
    }),
  link: (at, target) => attempt("link", at, () => link(at, target)),
  unlink: (directory, target) => attempt("unlink in", directory, () => unlink(directory, target))
})

export const layer: Layer.Layer<ContainerLogs> = Layer.succeed(ContainerLogs, service)
