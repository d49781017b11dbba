/**
 * Takes away a demo: its processes, containers, network, mounts, control groups and directory, however far it got and
 * whoever asks (the demo itself, its `--stop`, or the next demo after one that was killed). Safe to repeat.
 */
import { execFile } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { readdir, readFile, rm, rmdir } from "node:fs/promises"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { promisify } from "node:util"
import { tagOf } from "../lab/network.ts"
import { sweep } from "../lab/sweep.ts"

const run = promisify(execFile)
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** `/tmp/chronode-demo-Ab12Cd` */
export const rootPrefix = join(tmpdir(), "chronode-demo-")
/** Who made the demo: `<pid> <start time>`. Without this file it was told to stay. */
export const ownerFile = "owner"

/** How long a killed process may take to vanish, and a control group to be free, milliseconds. */
const patience = 5_000
const step = 20

/** The control group below which this demo's pods are, in every hierarchy: a kubelet on this machine never looks there. */
export const cgroupRoot = (root: string): string => `/${basename(root).toLowerCase()}`

/** What the demo's Services are called in the kernel, `demo1a2b3`: an agent of this machine has another name. */
export const dataplaneName = (root: string): string => `demo${tagOf(root).slice(0, 5)}`

/** Cluster IPs of the demo: sixteen addresses of those set aside for documentation (RFC 5737), others for each demo. */
export const serviceRange = (root: string): string => {
  const blocks = ["192.0.2", "198.51.100", "203.0.113"].flatMap((net) =>
    Array.from({ length: 16 }, (_, n) => `${net}.${n * 16}/28`)
  )
  return blocks[Number.parseInt(tagOf(root), 16) % blocks.length]!
}

/** The nftables tables in which the kernel had its Services. */
const removeServices = async (root: string): Promise<void> => {
  for (const family of ["ip", "ip6"]) {
    const table = [family, dataplaneName(root)]
    const isThere = await run("nft", ["list", "table", ...table]).then(
      () => true,
      () => false
    )
    if (isThere) await run("nft", ["delete", "table", ...table])
  }
}

const text = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "")

/** When a process began, in clock ticks since boot; empty for none. proc(5), field 22. */
export const startTime = (pid: number | string): string => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  } catch {
    return ""
  }
}

const isAlive = async (pid: number): Promise<boolean> => {
  const stat = await text(`/proc/${pid}/stat`)
  return stat !== "" && !/^\d+ \(.*\) [ZX] /s.test(stat)
}

/** Ends the agent, commands of ours and nats-server, known by a word of their command line. */
const endProcesses = async (root: string): Promise<void> => {
  const words = [join(root, "data"), join(root, "nats", "nats-server.conf")]
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/u.test(name)).map(Number)
  for (const pid of pids) {
    const line = (await text(`/proc/${pid}/cmdline`)).split("\0")
    if (pid === process.pid || !words.some((word) => line.includes(word))) continue
    try {
      process.kill(pid, "SIGKILL")
    } catch {
      continue // it is gone
    }
    const deadline = Date.now() + patience
    while (await isAlive(pid)) {
      if (Date.now() > deadline) throw new Error(`process ${pid} survives SIGKILL`)
      await pause(step)
    }
  }
}

/** mountinfo(5): field 5 is the mount point, with octal escapes; the type follows a lone `-`. */
const mounts = async (): Promise<ReadonlyArray<{ readonly point: string; readonly type: string }>> =>
  (await text("/proc/self/mountinfo"))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const fields = line.split(" ")
      const character = (_: string, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))
      return {
        point: (fields[4] ?? "").replace(/\\(\d{3})/gu, character),
        type: fields[fields.indexOf("-") + 1] ?? ""
      }
    })

const unmountBelow = async (root: string): Promise<void> => {
  const points = (await mounts()).map(({ point }) => point).filter((point) => point.startsWith(`${root}/`))
  for (const point of points.reverse()) await run("umount", ["-l", point])
}

const removeCgroup = async (path: string): Promise<void> => {
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeCgroup(join(path, entry.name))
  }
  const deadline = Date.now() + patience
  while (existsSync(path)) {
    const failure = await rmdir(path).then(
      () => undefined,
      (error: Error) => error
    )
    if (failure !== undefined && Date.now() > deadline) throw failure
    if (failure !== undefined) await pause(step)
  }
}

const removeCgroups = async (root: string): Promise<void> => {
  const points = (await mounts()).filter(({ type }) => type === "cgroup" || type === "cgroup2")
  for (const { point } of points) await removeCgroup(join(point, cgroupRoot(root)))
}

/** `keep`: the name of a directory below `root` that stays (and then `root` with it). */
export const remove = async (root: string, keep?: string): Promise<void> => {
  if (!root.startsWith(rootPrefix)) throw new Error(`${root} is no directory of a demo (${rootPrefix}…)`)
  const containerd = join(root, "containerd")
  await endProcesses(root)
  await removeServices(root)
  await sweep(containerd)
  // Where the lab remembers its containerds: sweep.ts takes away all but this.
  await rm(join(tmpdir(), "chronode-lab", tagOf(containerd)), { force: true })
  await unmountBelow(root)
  await removeCgroups(root)
  for (const name of await readdir(root).catch(() => [])) {
    if (name !== keep) await rm(join(root, name), { recursive: true, force: true })
  }
  if (keep === undefined) await rm(root, { recursive: true, force: true })
}

/** Removes demos whose owner died without doing it. Answers their directories. */
export const removeAbandoned = async (): Promise<ReadonlyArray<string>> => {
  const removed: Array<string> = []
  for (const name of readdirSync(tmpdir())) {
    const root = join(tmpdir(), name)
    if (!root.startsWith(rootPrefix)) continue
    const [pid, began] = (await text(join(root, ownerFile))).split(" ")
    if (pid === undefined || began === undefined || startTime(pid) === began) continue
    await remove(root)
    removed.push(root)
  }
  return removed
}
