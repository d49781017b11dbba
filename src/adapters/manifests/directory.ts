/** Reading a directory of manifests from disk, as kubelet does (`pkg/kubelet/config/file_linux.go`, `file.go`). */
import { createHash } from "node:crypto"
import type { BigIntStats } from "node:fs"
import { readdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

const decodeText = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

export interface ReadFile<Parsed> {
  /** Full path. */
  readonly file: string
  /** SHA-256 of the content, hex; empty where it was not read. */
  readonly hash: string
  readonly parsed: Parsed
}

/** What was parsed before, by file; kept by whoever reads again and again. */
export type ParseCache<Parsed> = Map<
  string,
  { readonly hash: string; readonly parsed: Parsed; readonly stamp: string; readonly readAt: number }
>

export interface FileReader<Parsed> {
  readonly maxFiles: number
  /** Bytes of one file. */
  readonly maxFileBytes: number
  readonly parse: (text: string, file: string) => Parsed | Promise<Parsed>
  /** What a file is that cannot be read. */
  readonly broken: (message: string) => Parsed
  /** A file whose stat(2) is as it was is not read again: for directories of thousands of files. */
  readonly trustsStat: boolean
}

/** Milliseconds: a file that was changed less than this before it was read may change again within one tick of its clock. */
const racyMillis = 2_000

const stampOf = ({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string => `${ino} ${size} ${mtimeNs} ${ctimeNs}`

/** `undefined`: the file is not there any more, or is a directory. Symbolic links are followed. */
const readOne = async <Parsed>(
  file: string,
  reader: FileReader<Parsed>,
  cache: ParseCache<Parsed>
): Promise<ReadFile<Parsed> | undefined> => {
  const { maxFileBytes, broken } = reader
  try {
    const info = await stat(file, { bigint: true })
    if (info.isDirectory()) return undefined
    if (!info.isFile()) return { file, hash: "", parsed: broken("is no regular file") }
    if (info.size > maxFileBytes) {
      return { file, hash: "", parsed: broken(`is larger than ${maxFileBytes / 1024 / 1024} MiB: ${info.size} bytes`) }
    }
    const known = cache.get(file)
    const stamp = stampOf(info)
    const isSettled = known?.stamp === stamp && Number(info.ctimeMs) < known.readAt - racyMillis
    if (reader.trustsStat && known !== undefined && isSettled) return { file, hash: known.hash, parsed: known.parsed }
    const readAt = Date.now()
    const bytes = await readFile(file)
    const hash = sha256(bytes)
    if (known?.hash === hash) {
      cache.set(file, { ...known, stamp, readAt })
      return { file, hash, parsed: known.parsed }
    }
    const text = decodeText(bytes)
    const parsed = text === undefined ? broken("is not UTF-8 text") : await reader.parse(text, file)
    cache.set(file, { hash, parsed, stamp, readAt })
    return { file, hash, parsed }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined
    return { file, hash: "", parsed: broken(`cannot be read: ${errorText(error)}`) }
  }
}

/** All files but hidden ones, whatever their suffix, sorted by name. Fails as the directory's reading fails. */
export const readDirectory = async <Parsed>(
  directory: string,
  reader: FileReader<Parsed>,
  cache: ParseCache<Parsed>
): Promise<ReadonlyArray<ReadFile<Parsed>>> => {
  const names = (await readdir(directory)).filter((name) => !name.startsWith(".")).sort()
  const files: Array<ReadFile<Parsed>> = []
  for (const name of names) {
    const file = join(directory, name)
    if (files.length >= reader.maxFiles) {
      const message = `more than ${reader.maxFiles} files: this one and those after it are not read`
      files.push({ file, hash: "", parsed: reader.broken(message) })
      break
    }
    const read = await readOne(file, reader, cache)
    if (read !== undefined) files.push(read)
  }
  const present = new Set(files.map((f) => f.file))
  for (const file of cache.keys()) if (!present.has(file)) cache.delete(file)
  return files
}
