/** Checks of the agent's configuration: what is wrong with the file, what of it is not acted on, and whether this machine has what it reserves. */
import { existsSync, readFileSync, statfsSync } from "node:fs"
import { arch, cpus, totalmem } from "node:os"
import { dirname } from "node:path"
import { readConfiguration } from "../configuration/configuration.ts"
import { CommandFailed } from "../exit.ts"
import type { Written } from "../kubelet-configuration/codec.ts"
import { withDefaults } from "../kubelet-configuration/defaults.ts"
import { notHonoured } from "../kubelet-configuration/support.ts"
import { hostProblem, type Machine, reservationProblem } from "../run/node-offer.ts"
import { type Check, fail, ok, warn } from "./check.ts"

const name = "config"
const page = "see docs/kubelet-configuration.md"

/** Of the file system that holds a directory, or would hold it; bytes. */
const storageOf = (directory: string): Pick<Machine, "storage"> => {
  try {
    const { blocks, bsize } = statfsSync(directory)
    return { storage: blocks * bsize }
  } catch {
    return dirname(directory) === directory ? {} : storageOf(dirname(directory))
  }
}

const textOf = (file: string): string => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}

/** What of this machine does not go with it, as at the agent's start. */
const machineChecks = (kubelet: Written, dataDir: string): ReadonlyArray<Check> => {
  const told = withDefaults(kubelet)
  const machine: Machine = {
    cpus: cpus().length,
    memoryCapacity: totalmem(),
    architecture: arch(),
    hugePages: {},
    maxPids: Number(textOf("/proc/sys/kernel/pid_max")) || Number.MAX_SAFE_INTEGER,
    ...storageOf(dataDir)
  }
  const isCgroup2 = textOf("/proc/self/mounts")
    .split("\n")
    .some((line) => line.split(" ")[1] === "/sys/fs/cgroup" && line.split(" ")[2] === "cgroup2")
  const problems = [
    hostProblem(told, isCgroup2 ? "v2" : "v1", textOf("/proc/swaps")),
    reservationProblem(told, machine)
  ].filter((problem) => problem !== undefined)
  const isLost = told.cgroupDriver === "systemd" && !existsSync("/run/systemd/system")
  return [
    ...problems.map((problem) => fail(name, problem, "change the file, or the machine")),
    ...(isLost
      ? [
          warn(
            name,
            "cgroupDriver: systemd is not the init system here",
            "a runtime that tells its own driver (containerd 2) has the last word; else write cgroupfs"
          )
        ]
      : [])
  ]
}

export const checkConfiguration = (file: string, dataDir: string): ReadonlyArray<Check> => {
  try {
    const { kubelet, remarks } = readConfiguration(file)
    const ignored = notHonoured(kubelet)
    // Those names are told one by one, with their reasons.
    const others = remarks.filter(
      ({ level, message }) => level === "warn" && !/: are not acted on yet: /u.test(message)
    )
    const later = ignored.filter(({ status }) => status === "later")
    const without = ignored.filter(({ status }) => status === "none")
    const checks = [
      ...others.map(({ message }) => warn(name, message, page)),
      ...later.map(({ path, how }) => warn(name, `${path} is not acted on yet: ${how}`, page)),
      ...machineChecks(kubelet, dataDir),
      ...(without.length === 0
        ? []
        : [ok(name, `without a meaning here: ${without.map(({ path, how }) => `${path} (${how})`).join(", ")}`)])
    ]
    return checks.some(({ status }) => status !== "ok") ? checks : [...checks, ok(name, `${file} is good`)]
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error
    return error.message.split("\n").map((line) => fail(name, line, error.advice ?? "mend what it names"))
  }
}
