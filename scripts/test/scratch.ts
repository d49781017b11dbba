/** Removing the directory of a test run: never through a mount that a killed test left in it. */
import { execFile } from "node:child_process"
import { readFile, rm } from "node:fs/promises"
import { promisify } from "node:util"

const run = promisify(execFile)

/** Mount points below `dir`, the deepest last. proc_pid_mountinfo(5): field 5, with octal escapes. */
const mountsBelow = async (dir: string): Promise<ReadonlyArray<string>> =>
  (await readFile("/proc/self/mountinfo", "utf8").catch(() => ""))
    .split("\n")
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))
    )
    .filter((point) => point.startsWith(`${dir}/`))

/** Takes down all mounts below `dir`, the deepest first; one that stays is told of by nobody. */
export const unmountBelow = async (dir: string): Promise<void> => {
  for (const point of [...(await mountsBelow(dir))].reverse()) await run("umount", ["-l", point]).catch(() => undefined)
}

/** A bind mount of the host's own files may lie in there: unmounted first, and left alone when that fails. */
export const removeScratch = async (dir: string): Promise<void> => {
  await unmountBelow(dir)
  const left = await mountsBelow(dir)
  if (left.length > 0) {
    process.stderr.write(`test: left in place, since ${left.join(", ")} is mounted there: ${dir}\n`)
    return
  }
  await rm(dir, { recursive: true, force: true })
}
