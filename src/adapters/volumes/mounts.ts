/** Mount points as the kernel lists them, and the two commands that change them. */
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { promisify } from "node:util"

/** Milliseconds that mount(8) and umount(8) may take. */
const commandMillis = 30_000
const run = promisify(execFile)

/** proc(5) writes blanks, tabs, newlines and backslashes as octal. */
const withoutOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/gu, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** Mount points of this process's namespace, in the order of mounting; one path may come several times. */
export const mountPoints = async (): Promise<ReadonlyArray<string>> =>
  (await readFile("/proc/self/mountinfo", "utf8"))
    .split("\n")
    .map((line) => line.split(" ")[4])
    .filter((field) => field !== undefined)
    .map(withoutOctal)

export const mountTmpfs = async (path: string, options: ReadonlyArray<string>): Promise<void> => {
  await run("mount", ["-t", "tmpfs", "-o", options.join(","), "tmpfs", path], { timeout: commandMillis })
}

/** @param pageSize bytes */
export const mountHugePages = async (path: string, pageSize: number): Promise<void> => {
  await run("mount", ["-t", "hugetlbfs", "-o", `pagesize=${pageSize}`, "nodev", path], { timeout: commandMillis })
}

/** `source` as it is: a link of /proc/<pid>/fd is not to be resolved into the path that was once opened. */
export const bindMount = async (source: string, path: string): Promise<void> => {
  await run("mount", ["--no-canonicalize", "--bind", source, path], { timeout: commandMillis })
}

export const unmountPath = async (path: string): Promise<void> => {
  await run("umount", [path], { timeout: commandMillis })
}
