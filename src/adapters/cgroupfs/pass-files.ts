/**
 * The kernel's small files, read one after another into one buffer: open, read and close as calls that block, since a file of
 * a cgroup is in memory and takes some microseconds, and a hundred times more as a promise.
 */
import { Buffer } from "node:buffer"
import * as fs from "node:fs"
import { codeOf } from "./files.ts"

/** Most bytes of a file that are taken. */
export const maxFileBytes = 256 * 1024
const firstBytes = 16 * 1024

/** That a cgroup went away in the middle is normal: ENODEV is of a file that was open while it went. */
const absent = new Set(["ENOENT", "ENODEV", "ENOTDIR", "EOPNOTSUPP", "ESRCH", "EINVAL"])

export class PassFiles {
  /** What was read last. */
  bytes: Buffer = Buffer.alloc(firstBytes)
  length = 0

  /**
   * Whether there is such a file; then `bytes` and `length` are its content. Other failures are thrown. Files of one record,
   * as those of cgroups with numbers are, come whole with one read; `whole` reads until nothing comes (/proc, lists).
   */
  read(file: string, whole = false): boolean {
    this.length = 0
    let fd: number
    try {
      fd = fs.openSync(file, fs.constants.O_RDONLY)
    } catch (error) {
      if (absent.has(codeOf(error) ?? "")) return false
      throw error
    }
    try {
      let got = fs.readSync(fd, this.bytes, 0, this.bytes.length, null)
      this.length = got
      while (got > 0 && (whole || this.length === this.bytes.length) && this.length < maxFileBytes) {
        if (this.length === this.bytes.length) this.#grow()
        got = fs.readSync(fd, this.bytes, this.length, this.bytes.length - this.length, null)
        this.length += got
      }
      return true
    } catch (error) {
      if (absent.has(codeOf(error) ?? "")) return false
      throw error
    } finally {
      fs.closeSync(fd)
    }
  }

  exists(path: string): boolean {
    return fs.existsSync(path)
  }

  #grow(): void {
    const larger = Buffer.alloc(Math.min(this.bytes.length * 4, maxFileBytes))
    this.bytes.copy(larger)
    this.bytes = larger
  }

  /** The text of a file; undefined where there is none. */
  text(file: string, whole = false): string | undefined {
    return this.read(file, whole) ? this.bytes.toString("latin1", 0, this.length) : undefined
  }
}
