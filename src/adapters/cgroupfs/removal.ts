/** Removing a cgroup in every hierarchy, v1 (one tree per controller) and v2 (one tree). */
import * as fs from "node:fs/promises"
import * as path from "node:path"
import process from "node:process"
import { checkPath, codeOf } from "./files.ts"

/** Attempts to end what is in a cgroup, and the pause after each (kubelet's tryKillingCgroupProcesses makes five). */
const killAttempts = 10
const killPauseMillis = 100

/** SIGKILL to what the runtime lost sight of: a daemon that dies while it makes a container leaves one without a record. */
const killMembers = async (directory: string): Promise<void> => {
  const members = await fs.readFile(path.join(directory, "cgroup.procs"), "utf8").catch(() => "")
  for (const pid of members.split("\n").map(Number)) {
    if (!Number.isInteger(pid) || pid <= 1) continue
    try {
      process.kill(pid, "SIGKILL")
    } catch (error) {
      if (codeOf(error) !== "ESRCH") throw error
    }
  }
}

const removeDirectory = async (directory: string): Promise<void> => {
  let entries: ReadonlyArray<import("node:fs").Dirent>
  try {
    entries = await fs.readdir(directory, { withFileTypes: true })
  } catch {
    return
  }
  for (const entry of entries) if (entry.isDirectory()) await removeDirectory(path.join(directory, entry.name))
  for (let attempt = 1; ; attempt++) {
    try {
      await fs.rmdir(directory)
      return
    } catch (error) {
      if (codeOf(error) === "ENOENT") return
      if (codeOf(error) !== "EBUSY" || attempt > killAttempts) throw error
    }
    await killMembers(directory)
    await new Promise((done) => setTimeout(done, killPauseMillis))
  }
}

/**
 * Removes `cgroup` (`/kubepods/besteffort/pod…`) everywhere; processes that are still in it are killed
 * (`pkg/kubelet/cm/pod_container_manager_linux.go` Destroy). Fails with EBUSY where they do not end.
 */
export const removeCgroupTree = async (mountPoints: ReadonlyArray<string>, cgroup: string): Promise<void> => {
  checkPath("remove", cgroup)
  for (const point of mountPoints) await removeDirectory(path.join(point, cgroup))
}
