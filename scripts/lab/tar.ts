/** Writes ustar archives (POSIX.1-1988), reproducibly: owner root, time zero. As much of the format as an OCI image needs. */
export interface TarEntry {
  /** Relative, without a leading slash; at most 100 bytes. */
  readonly path: string
  readonly mode: number
  readonly content?: Uint8Array
  /** A symbolic link to here. */
  readonly link?: string
  readonly directory?: boolean
}

const blockBytes = 512

const typeOf = (entry: TarEntry): string => (entry.directory === true ? "5" : entry.link === undefined ? "0" : "2")

const header = (entry: TarEntry, size: number): Buffer => {
  if (Buffer.byteLength(entry.path) > 100) throw new Error(`path too long for ustar: ${entry.path}`)
  const block = Buffer.alloc(blockBytes)
  const octal = (value: number, offset: number, width: number) =>
    block.write(`${value.toString(8).padStart(width - 1, "0")}\0`, offset, "latin1")
  block.write(entry.path, 0)
  octal(entry.mode, 100, 8)
  octal(0, 108, 8) // uid
  octal(0, 116, 8) // gid
  octal(size, 124, 12)
  octal(0, 136, 12) // mtime
  block.write("        ", 148, "latin1") // the checksum counts as spaces
  block.write(typeOf(entry), 156, "latin1")
  block.write(entry.link ?? "", 157)
  block.write("ustar\x0000", 257, "latin1")
  let sum = 0
  for (const byte of block) sum += byte
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  return block
}

/** The whole archive in memory. */
export const tar = (entries: ReadonlyArray<TarEntry>): Buffer => {
  const parts: Array<Uint8Array> = []
  for (const entry of entries) {
    const content = entry.content ?? new Uint8Array(0)
    parts.push(header(entry, content.length), content)
    const over = content.length % blockBytes
    if (over > 0) parts.push(Buffer.alloc(blockBytes - over))
  }
  parts.push(Buffer.alloc(2 * blockBytes)) // end of archive
  return Buffer.concat(parts)
}

/** Files of an archive by path. */
export const untar = (archive: Buffer): ReadonlyMap<string, Buffer> => {
  const files = new Map<string, Buffer>()
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const text = (offset: number, length: number) =>
      archive.toString("latin1", at + offset, at + offset + length).replace(/\0.*$/s, "")
    const size = Number.parseInt(text(124, 12), 8)
    files.set(text(0, 100), archive.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}
