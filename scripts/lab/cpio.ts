/** Writes cpio archives of the "new" format, as the kernel unpacks them (Documentation/driver-api/early-userspace). */
export interface CpioEntry {
  /** Relative, without a leading slash; parents come first. */
  readonly path: string
  /** Permissions. */
  readonly mode: number
  /** Absent: a directory. */
  readonly content?: Uint8Array
}

const directoryType = 0o040000
const fileType = 0o100000

const padding = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4)

const entry = (number: number, name: string, mode: number, content: Uint8Array): ReadonlyArray<Uint8Array> => {
  // inode, mode, uid, gid, links, mtime, size, 4 device numbers, size of the name with its final zero, checksum
  const fields = [number, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0]
  const head = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`)
  return [head, padding(head.length), content, padding(content.length)]
}

/** The whole archive in memory. */
export const cpio = (entries: ReadonlyArray<CpioEntry>): Buffer =>
  Buffer.concat([
    ...entries.flatMap(({ path, mode, content }, index) =>
      entry(index + 1, path, mode | (content === undefined ? directoryType : fileType), content ?? new Uint8Array(0))
    ),
    ...entry(0, "TRAILER!!!", 0, new Uint8Array(0))
  ])
