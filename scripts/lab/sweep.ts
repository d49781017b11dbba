/**
 * Takes away what a private containerd leaves behind when it or its owner is killed: containers, shims, cgroups, mounts,
 * network. Everything is found through the lab's own directory and names; nothing else is touched. Safe to repeat.
 */
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { readdir, readFile, rm, rmdir } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { unmountBelow } from "../test/scratch.ts"
import { cgroupRootOf, tagOf } from "./network.ts"

const run = promisify(execFile)
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
/** How long killed processes may take to vanish, milliseconds. */
const deathMilliseconds = 10_000

/** libcni remembers what plugins answered here, for every network of the machine. */
const cniResults = "/var/lib/cni/results"

const entries = (dir: string): Promise<Array<string>> => readdir(dir).catch(() => [])
const text = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "")

const signal = (pid: number) => {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It is gone, which is what we want.
  }
}

/** A zombie counts as gone: its parent has yet to collect it. */
const isAlive = async (pid: number): Promise<boolean> => {
  const stat = await text(`/proc/${pid}/stat`)
  return stat !== "" && !/^\d+ \(.*\) [ZX] /s.test(stat)
}

const untilGone = async (pids: ReadonlyArray<number>) => {
  const deadline = Date.now() + deathMilliseconds
  for (const pid of pids) {
    while (await isAlive(pid)) {
      if (Date.now() > deadline) throw new Error(`process ${pid} survives SIGKILL`)
      await pause(10)
    }
  }
}

/** Processes whose command line is one of ours. */
const processesWith = async (isOurs: (words: ReadonlyArray<string>) => boolean): Promise<Array<number>> => {
  const found: Array<number> = []
  for (const name of await entries("/proc")) {
    if (!/^\d+$/.test(name)) continue
    const words = (await text(`/proc/${name}/cmdline`)).split("\0")
    if (isOurs(words)) found.push(Number(name))
  }
  return found
}

interface Bundle {
  readonly id: string
  readonly dir: string
  readonly cgroupsPath: string
}

const bundlesIn = async (dir: string): Promise<Array<Bundle>> => {
  const bundles: Array<Bundle> = []
  const tasks = join(dir, "state", "io.containerd.runtime.v2.task")
  for (const namespace of await entries(tasks)) {
    for (const id of await entries(join(tasks, namespace))) {
      const bundle = join(tasks, namespace, id)
      const spec = await text(join(bundle, "config.json"))
      const cgroupsPath = (spec === "" ? undefined : JSON.parse(spec)?.linux?.cgroupsPath) as string | undefined
      bundles.push({ id, dir: bundle, cgroupsPath: cgroupsPath ?? "" })
    }
  }
  return bundles
}

const hierarchies = async (): Promise<Array<string>> => {
  const root = "/sys/fs/cgroup"
  return existsSync(join(root, "cgroup.controllers")) ? [root] : (await entries(root)).map((name) => join(root, name))
}

/** The cgroup directories of one container, in every mounted hierarchy. */
const cgroupsOf = async (bundle: Bundle): Promise<Array<string>> => {
  if (!bundle.cgroupsPath.startsWith("/") || !bundle.cgroupsPath.includes(bundle.id)) return []
  return (await hierarchies())
    .map((hierarchy) => join(hierarchy, bundle.cgroupsPath))
    .filter((path) => existsSync(path))
}

/** Kills the daemon, its shims and what runs in its containers; answers these. */
export const killProcesses = async (dir: string): Promise<ReadonlyArray<Bundle>> => {
  const socket = join(dir, "containerd.sock")
  const daemons = await processesWith(
    (words) => words.includes(join(dir, "config.toml")) && /containerd$/.test(words[0] ?? "")
  )
  for (const pid of daemons) signal(pid)
  await untilGone(daemons)
  const shims = await processesWith((words) => words.includes(socket) && /containerd-shim/.test(words[0] ?? ""))
  const bundles = await bundlesIn(dir)
  const members: Array<number> = []
  for (const bundle of bundles) {
    const init = Number(await text(join(bundle.dir, "init.pid")))
    if (init > 1 && (await text(`/proc/${init}/cgroup`)).includes(bundle.id)) members.push(init)
    for (const cgroup of await cgroupsOf(bundle)) {
      members.push(...(await text(join(cgroup, "cgroup.procs"))).split("\n").filter(Boolean).map(Number))
    }
  }
  for (const pid of [...shims, ...members]) signal(pid)
  await untilGone([...shims, ...members])
  return bundles
}

const killContainers = async (dir: string) => {
  const bundles = await killProcesses(dir)
  const results = await entries(cniResults)
  for (const bundle of bundles) {
    for (const cgroup of await cgroupsOf(bundle)) {
      for (const child of await entries(cgroup)) await rmdir(join(cgroup, child)).catch(() => undefined)
      await rmdir(cgroup).catch(() => undefined)
    }
    // The loopback plugin's result is kept under the sandbox's id only.
    for (const name of results.filter((result) => result.includes(`-${bundle.id}-`))) {
      await rm(join(cniResults, name), { force: true })
    }
    // The shim's own socket stands in /run/containerd/s, whatever our state directory is.
    for (const name of ["address", "bootstrap.json"]) {
      const shimSocket = /unix:\/\/(\/run\/containerd\/s\/[0-9a-f]+)/.exec(await text(join(bundle.dir, name)))?.[1]
      if (shimSocket !== undefined) await rm(shimSocket, { force: true })
    }
  }
}

/** The portmap plugin names the network in each rule's comment; each such rule jumps to a chain of its own. */
const removePortMappings = async (network: string) => {
  for (const command of ["iptables", "ip6tables"]) {
    const saved = await run(`${command}-save`, ["-t", "nat"]).catch(() => ({ stdout: "" }))
    for (const line of saved.stdout.split("\n")) {
      if (!line.startsWith("-A ") || !line.includes(`name: \\"${network}\\"`)) continue
      const chain = / -j (CNI-\S+)/.exec(line)?.[1]
      // The comment is the only quoted word of these rules.
      const words = (line.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? []).map((word) =>
        word.startsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, "$1") : word
      )
      await run(command, ["-w", "10", "-t", "nat", "-D", ...words.slice(1)]).catch(() => undefined)
      if (chain === undefined) continue
      await run(command, ["-w", "10", "-t", "nat", "-F", chain]).catch(() => undefined)
      await run(command, ["-w", "10", "-t", "nat", "-X", chain]).catch(() => undefined)
    }
  }
}

const removeNetwork = async (dir: string) => {
  const network = `lab-${tagOf(dir)}`
  await removePortMappings(network)
  await run("ip", ["link", "del", network]).catch(() => undefined)
  for (const name of await entries(cniResults)) {
    if (name.startsWith(`${network}-`)) await rm(join(cniResults, name), { force: true })
  }
}

const removeDirectory = async (path: string): Promise<void> => {
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeDirectory(join(path, entry.name))
  }
  await rmdir(path).catch(() => undefined)
}

/** Of the lab's nodes: nothing runs in them any more. */
const removeCgroups = async (dir: string) => {
  const prefix = cgroupRootOf(dir, "").slice(1)
  for (const hierarchy of await hierarchies()) {
    for (const name of await entries(hierarchy)) {
      if (name.startsWith(prefix)) await removeDirectory(join(hierarchy, name))
    }
  }
}

/** Ends everything that runs for the lab in `dir` and removes its containers, mounts, cgroups, network and files of ours. */
export const sweep = async (dir: string): Promise<void> => {
  await killContainers(dir)
  await removeCgroups(dir)
  await unmountBelow(dir)
  await removeNetwork(dir)
  for (const name of ["root", "state", "runc", "ipam", "cni", "containerd.sock", "containerd.sock.ttrpc", "owner"]) {
    await rm(join(dir, name), { recursive: true, force: true })
  }
}
