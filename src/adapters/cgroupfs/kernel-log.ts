/** The kernel's log, read as far as it goes when it is asked for: nothing is done while nobody asks. */
import { Buffer } from "node:buffer"
import * as fs from "node:fs"
import { codeOf } from "./files.ts"
import { logLine, OomLog } from "./oom-log.ts"
import type { OomKill } from "./port.ts"

/** Bytes of one record, and a little more than the kernel's CONSOLE_EXT_LOG_MAX. */
const maxRecordBytes = 9 * 1024
/** Records that are read at once; of a longer log the rest is read the next time. */
const maxRecords = 50_000

/** Milliseconds since the epoch at which the machine started, by /proc/uptime. */
const startOfMachine = (): number => {
  const uptime = Number.parseFloat(fs.readFileSync("/proc/uptime", "latin1"))
  return Date.now() - (Number.isFinite(uptime) ? uptime : 0) * 1000
}

export class KernelLog {
  readonly #path: string
  readonly #oom = new OomLog()
  readonly #record = Buffer.alloc(maxRecordBytes)
  #fd: number | undefined
  #isReadable = true

  constructor(path = "/dev/kmsg") {
    this.#path = path
  }

  /** Kills for want of memory, oldest first; undefined: the log cannot be read (it takes CAP_SYSLOG). */
  oomKills(): ReadonlyArray<OomKill> | undefined {
    if (!this.#isReadable) return undefined
    try {
      this.#fd ??= fs.openSync(this.#path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
      this.#drain(this.#fd, startOfMachine())
      return [...this.#oom.kills]
    } catch {
      this.#isReadable = false
      this.close()
      return undefined
    }
  }

  close(): void {
    if (this.#fd !== undefined) fs.closeSync(this.#fd)
    this.#fd = undefined
  }

  #drain(fd: number, started: number): void {
    for (let n = 0; n < maxRecords; n++) {
      let length: number
      try {
        length = fs.readSync(fd, this.#record, 0, maxRecordBytes, null)
      } catch (error) {
        const code = codeOf(error)
        if (code === "EAGAIN") return
        // Records that were overwritten meanwhile: reading goes on behind them.
        if (code === "EPIPE" || code === "EINTR") continue
        throw error
      }
      if (length === 0) return
      const line = logLine(this.#record.toString("latin1", 0, length))
      if (line !== undefined) this.#oom.take(line.text, Math.round(Math.min(started + line.since / 1000, Date.now())))
    }
  }
}
