/** Checks of this machine: rights, cgroups, limits of the kernel, clock. Each reads files of the kernel only. */
import { readFileSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { localTime } from "../times.ts"
import { type Check, fail, ok, textOf, warn } from "./check.ts"

/** Text of a file of the kernel; undefined where there is none. */
const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** Bits of capabilities(7), include/uapi/linux/capability.h. */
const capabilities = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_KILL: 5,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_RESOURCE: 24
} as const

export const checkRights = (): ReadonlyArray<Check> => {
  const uid = process.geteuid?.() ?? -1
  if (uid !== 0)
    return [
      fail("rights", `runs as user ${uid}`, "run it as root: sandboxes, mounts, cgroups and pods' directories need it")
    ]
  const held = /^CapEff:\s*([0-9a-f]+)$/mu.exec(read("/proc/self/status") ?? "")?.[1]
  if (held === undefined) return [warn("rights", "root; its capabilities cannot be read", "mount /proc")]
  const mask = BigInt(`0x${held}`)
  const missing = Object.entries(capabilities).filter(([, bit]) => (mask & (1n << BigInt(bit))) === 0n)
  const essential = missing.filter(([name]) => name !== "CAP_SYS_RESOURCE").map(([name]) => name)
  const checks: Array<Check> = []
  if (essential.length > 0)
    checks.push(fail("rights", `root without ${essential.join(", ")}`, "start it with these capabilities"))
  else checks.push(ok("rights", "root with the capabilities that it needs"))
  if (missing.some(([name]) => name === "CAP_SYS_RESOURCE"))
    checks.push(
      warn(
        "oom-score",
        "no CAP_SYS_RESOURCE: a process may not lower its oom_score_adj here",
        "if containers fail with \"can't get final child's PID from pipe\", set restrict_oom_score_adj = true in containerd's configuration"
      )
    )
  return checks
}

/** Controllers that limits of pods are made of. */
const neededControllers = ["cpu", "cpuset", "memory", "pids"]

export const checkCgroups = (): Check => {
  const unified = read("/sys/fs/cgroup/cgroup.controllers")
  const enableV2 =
    "enable them for the root: kernel command line without cgroup_disable=, and systemd's Delegate= where it runs in a slice"
  if (unified !== undefined) {
    const missing = neededControllers.filter((c) => !unified.trim().split(" ").includes(c))
    return missing.length === 0
      ? ok("cgroups", `version 2 with ${unified.trim()}`)
      : fail("cgroups", `version 2 without ${missing.join(", ")}`, enableV2)
  }
  const mounted = (read("/proc/self/mounts") ?? "")
    .split("\n")
    .map((line) => line.split(" "))
    .filter((fields) => fields[2] === "cgroup")
    .flatMap((fields) => fields[3]?.split(",") ?? [])
  if (mounted.length === 0)
    return fail("cgroups", "no cgroup file system is mounted", "mount -t cgroup2 none /sys/fs/cgroup")
  const missing = neededControllers.filter((c) => !mounted.includes(c))
  const found = `version 1${missing.length === 0 ? "" : ` without ${missing.join(", ")}`}`
  return missing.length === 0
    ? ok("cgroups", `${found} with ${neededControllers.join(", ")}`)
    : fail(
        "cgroups",
        found,
        `mount the missing ones: mount -t cgroup -o ${missing[0]} none /sys/fs/cgroup/${missing[0]}`
      )
}

/** The manifest directory takes one instance and one watch; container runtimes and other agents take theirs. */
const leastInstances = 128
const leastWatches = 8192

export const checkInotify = (): Check => {
  const instances = Number(read("/proc/sys/fs/inotify/max_user_instances") ?? Number.NaN)
  const watches = Number(read("/proc/sys/fs/inotify/max_user_watches") ?? Number.NaN)
  if (Number.isNaN(instances) || Number.isNaN(watches))
    return warn("inotify", "its limits cannot be read", "mount /proc; without watches manifests are read every 20 s")
  const found = `${instances} instances and ${watches} watches a user`
  return instances >= leastInstances && watches >= leastWatches
    ? ok("inotify", found)
    : warn(
        "inotify",
        found,
        `sysctl -w fs.inotify.max_user_instances=${Math.max(instances, 512)} fs.inotify.max_user_watches=${Math.max(watches, 65536)}`
      )
}

/** @param now milliseconds since the epoch */
export const checkClock = (now: number): Check => {
  try {
    // This program cannot be younger than the clock.
    const installed = statSync(fileURLToPath(new URL("../../../package.json", import.meta.url))).mtimeMs
    if (now < installed)
      return fail(
        "clock",
        `${localTime(now)} is before this program was installed (${localTime(installed)})`,
        "set the clock (timedatectl set-ntp true): times in the log would lie"
      )
  } catch (error) {
    return warn("clock", `cannot be judged: ${textOf(error)}`, "see that a time service runs (timedatectl)")
  }
  return ok("clock", localTime(now))
}
