/** Checks of the data directory: its rights, its file system, the room in it, and who holds the journal. */
import { existsSync, readFileSync, statfsSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { journalPath } from "../event-log/journal-path.ts"
import { formatBytes } from "../sizes.ts"
import { type Check, fail, ok, textOf, warn } from "./check.ts"

/** statfs(2) magic numbers of file systems that a journal should not lie on. */
const nfsMagic = 0x6969
const tmpfsMagic = 0x01021994
const groupOrOtherWrite = 0o022

/** Less than this, and the reserve and a day's events may not fit. */
const littleRoom = 1024 ** 3
const tooLittleRoom = 128 * 1024 ** 2

const nearestExisting = (path: string): string => {
  let at = path
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  return at
}

export const checkDataDir = (dataDir: string): ReadonlyArray<Check> => {
  const checks: Array<Check> = []
  const at = nearestExisting(dataDir)
  try {
    const stat = statSync(at)
    if (!stat.isDirectory()) checks.push(fail("data-dir", `${at} is no directory`, "give another one with --data-dir"))
    else if (at !== dataDir) checks.push(ok("data-dir", `${dataDir} does not exist yet; the agent makes it`))
    else if ((stat.mode & groupOrOtherWrite) !== 0)
      checks.push(
        warn(
          "data-dir",
          `others may write to ${dataDir} (mode ${(stat.mode & 0o7777).toString(8)})`,
          `chmod 700 ${dataDir}`
        )
      )
    else checks.push(ok("data-dir", dataDir))
    checks.push(checkRoom(dataDir, at))
  } catch (error) {
    checks.push(fail("data-dir", textOf(error), "run it as root, or give another directory with --data-dir"))
  }
  return [...checks, checkOwner(dataDir)]
}

const checkRoom = (dataDir: string, at: string): Check => {
  const stat = statfsSync(at)
  const free = Number(stat.bavail) * Number(stat.bsize)
  const found = `${formatBytes(free)} free for ${dataDir}`
  if (Number(stat.type) === nfsMagic)
    return fail(
      "disk",
      `${dataDir} lies on NFS`,
      "put it on a local disk: the journal's locks and memory maps need one"
    )
  if (Number(stat.type) === tmpfsMagic)
    return warn("disk", `${found}, in memory (tmpfs)`, "put it on a disk: the journal would not outlive a power cut")
  if (free < tooLittleRoom) return fail("disk", found, "make room: the agent admits no pods on a full disk")
  return free < littleRoom ? warn("disk", found, "make room: a busy node writes some 100 MiB a day") : ok("disk", found)
}

/** Bytes of the database with what is not yet taken into it from its write-ahead log. */
const sizeOf = (path: string): number =>
  [path, `${path}-wal`].reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0)

const checkOwner = (dataDir: string): Check => {
  const path = journalPath(dataDir)
  if (!existsSync(path)) return ok("journal", `${path} does not exist yet`)
  const stat = statSync(path)
  if ((stat.mode & 0o077) !== 0)
    return warn("journal", `others may read ${path} (mode ${(stat.mode & 0o777).toString(8)})`, `chmod 600 ${path}`)
  const size = formatBytes(sizeOf(path))
  let owner: { readonly pid?: unknown }
  try {
    owner = JSON.parse(readFileSync(`${path}.owner`, "utf8")) as typeof owner
  } catch {
    // The file is a courtesy of the agent to others; without it nobody holds the journal.
    return ok("journal", `${path}, ${size}; no agent holds it`)
  }
  return existsSync(`/proc/${owner.pid}`)
    ? ok("journal", `${path}, ${size}; held by process ${owner.pid}`)
    : ok("journal", `${path}, ${size}; its agent (process ${owner.pid}) was killed, the next one takes over`)
}
