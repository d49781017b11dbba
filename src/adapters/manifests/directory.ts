/** Reading a directory of manifests from disk, as kubelet does (`pkg/kubelet/config/file_linux.go`, `file.go`). */
import { createHash } from "node:crypto"
import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { maxFileBytes, maxFiles } from "./limits.ts"
import { type ParsedFile, parseManifest } from "./parse.ts"
import type { ReadFile } from "./snapshot.ts"

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const broken = (message: string): ParsedFile => ({ pods: [], objects: [], problems: [{ message }], ignoredFields: [] })

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

const decodeText = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** What was parsed before, by file; kept by whoever reads again and again. */
export type ParseCache = Map<string, { readonly hash: string; readonly parsed: ParsedFile }>

/** `undefined`: the file is not there any more, or is a directory. Symbolic links are followed. */
const readOne = async (file: string, node: string, cache: ParseCache): Promise<ReadFile | undefined> => {
  try {
    const info = await stat(file)
    if (info.isDirectory()) return undefined
    if (!info.isFile()) return { file, hash: "", parsed: broken("is no regular file") }
    if (info.size > maxFileBytes) {
      return { file, hash: "", parsed: broken(`is larger than ${maxFileBytes / 1024 / 1024} MiB: ${info.size} bytes`) }
    }
    const bytes = await readFile(file)
    const hash = sha256(bytes)
    const known = cache.get(file)
    if (known?.hash === hash) return { file, hash, parsed: known.parsed }
    const text = decodeText(bytes)
    const parsed = text === undefined ? broken("is not UTF-8 text") : parseManifest(text, file, node)
    cache.set(file, { hash, parsed })
    return { file, hash, parsed }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    return { file, hash: "", parsed: broken(`cannot be read: ${errorText(error)}`) }
  }
}

/** All files but hidden ones, whatever their suffix, sorted by name. Fails as the directory's reading fails. */
export const readDirectory = async (
  directory: string,
  node: string,
  cache: ParseCache
): Promise<ReadonlyArray<ReadFile>> => {
  const names = (await readdir(directory)).filter((name) => !name.startsWith(".")).sort()
  const files: Array<ReadFile> = []
  for (const name of names) {
    const file = join(directory, name)
    if (files.length >= maxFiles) {
      files.push({
        file,
        hash: "",
        parsed: broken(`more than ${maxFiles} files: this one and those after it are not read`)
      })
      break
    }
    const read = await readOne(file, node, cache)
    if (read !== undefined) files.push(read)
  }
  const present = new Set(files.map((f) => f.file))
  for (const file of cache.keys()) if (!present.has(file)) cache.delete(file)
  return files
}
