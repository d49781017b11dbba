/**
 * A private containerd for tests and the demo: root, state, socket, network and images of its own below one directory,
 * beside whatever else runs on the machine. Needs root. Labs whose owner died are swept when the next one starts.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { mkdir, open, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { unmountBelow } from "../test/scratch.ts"
import { buildImageTar, type OtherImage, pauseImage } from "./image.ts"
import { findPlugins, type LabNetwork, tagOf, writeNetwork } from "./network.ts"
import { killProcesses, sweep } from "./sweep.ts"

export interface LabContainerd {
  /** `unix:///…`, as `--cri` takes it. */
  readonly endpoint: string
  /** Path of the socket. */
  readonly socket: string
  readonly dir: string
  /** Of the running daemon; changes with a restart. */
  readonly pid: number
  readonly network: LabNetwork
  /** Ends the daemon and every container, and cleans up. Repeatable. The directory itself, with the log, stays. */
  readonly stop: () => Promise<void>
  /** SIGKILL to the daemon alone: containers run on. */
  readonly kill: () => Promise<void>
  /** As when the machine loses power: the daemon and all containers are gone at once, with what is kept in memory only. */
  readonly cutPower: () => Promise<void>
  /** SIGSTOP and SIGCONT to the daemon: a runtime that accepts calls and answers nothing. */
  readonly freeze: () => void
  readonly thaw: () => void
  /** Starts the daemon again over the same state, after a SIGKILL if it runs. */
  readonly restart: () => Promise<void>
  /** `ctr` in the namespace of Kubernetes; answers its standard output. */
  readonly ctr: (args: ReadonlyArray<string>) => Promise<string>
}

export interface LabOptions {
  /** A folder with `containerd`, `containerd-shim-runc-v2` and `ctr` of another version; default: those in PATH. */
  readonly binaries?: string
  /** Another program to run containers with; default: `runc` in PATH. */
  readonly runc?: string
  /** Further handlers of the runtime by name, with their programs; undefined: the same program. */
  readonly handlers?: Readonly<Record<string, string | undefined>>
  /** Goes on after this process ends, until it is swept by hand: for demos. */
  readonly outlivesOwner?: boolean
  /** Images beside the lab's own, with the same files, by name. */
  readonly images?: Readonly<Record<string, OtherImage>>
}

const run = promisify(execFile)
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
/** How long the daemon may take to serve, and to end by itself, milliseconds. */
const startMilliseconds = 60_000
const stopMilliseconds = 10_000
const registry = join(tmpdir(), "chronode-lab")

/** Why no private containerd can run here, or undefined when it can: for `it(…, { skip })`. */
export const whyNoContainerd = (): string | undefined => {
  if (process.getuid?.() !== 0) return "needs root"
  const has = (name: string) => (process.env.PATH ?? "").split(":").some((dir) => existsSync(join(dir, name)))
  const lacking = ["containerd", "ctr", "runc", "ip", "iptables"].filter((name) => !has(name))
  return lacking.length === 0 ? undefined : `needs ${lacking.join(", ")} (scripts/lab/packages.sh installs them)`
}

const hasAppArmor = (): boolean => {
  try {
    return readFileSync("/sys/module/apparmor/parameters/enabled", "latin1").startsWith("Y")
  } catch {
    return false
  }
}

/** overlayfs where a mount of it works below `dir` (it does not on some container file systems), else native copies. */
const chooseSnapshotter = async (dir: string): Promise<"overlayfs" | "native"> => {
  const trial = join(dir, "overlay-trial")
  const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((name) => join(trial, name))
  try {
    for (const path of [lower, upper, work, merged]) await mkdir(path!, { recursive: true })
    await run("mount", [
      "-t",
      "overlay",
      "-o",
      `lowerdir=${lower},upperdir=${upper},workdir=${work}`,
      "overlay",
      merged!
    ])
    await run("umount", [merged!])
    return "overlayfs"
  } catch {
    return "native"
  } finally {
    await rm(trial, { recursive: true, force: true })
  }
}

const handler = (dir: string, name: string, program: string | undefined): string => {
  const place = `plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}`
  return `    [${place}]
      runtime_type = "io.containerd.runc.v2"
      [${place}.options]
        Root = "${dir}/${name}"
${program === undefined ? "" : `        BinaryName = "${program}"\n`}`
}

const configuration = (dir: string, snapshotter: string, { runc, handlers = {} }: LabOptions): string => `version = 2
root = "${dir}/root"
state = "${dir}/state"
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.erofs"
]
[grpc]
  address = "${dir}/containerd.sock"
[plugins."io.containerd.nri.v1.nri"]
  disable = true
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  disable_apparmor = ${!hasAppArmor()}
  tolerate_missing_hugetlb_controller = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshotter}"
    default_runtime_name = "runc"
${handler(dir, "runc", runc)}${Object.entries(handlers)
  .map(([name, program]) => handler(dir, name, program ?? runc))
  .join("")}  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${findPlugins()}"
    conf_dir = "${dir}/cni"
`

/** When a process began, in clock ticks since boot: tells it from a later one with the same number. proc(5), field 22. */
const startTime = async (pid: number): Promise<string> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
}

const register = async (dir: string, outlivesOwner: boolean) => {
  await mkdir(registry, { recursive: true, mode: 0o700 })
  const owner = outlivesOwner ? undefined : { pid: process.pid, startTime: await startTime(process.pid) }
  await writeFile(join(registry, tagOf(dir)), JSON.stringify({ dir, owner }))
}

/** Sweeps the labs of processes that ended without cleaning up. */
export const sweepAbandoned = async (): Promise<void> => {
  for (const tag of await readdir(registry).catch(() => [])) {
    const entry = await readFile(join(registry, tag), "utf8").catch(() => "")
    if (entry === "") continue
    const { dir, owner } = JSON.parse(entry) as { dir: string; owner?: { pid: number; startTime: string } }
    if (owner === undefined || (await startTime(owner.pid)) === owner.startTime) continue
    await sweep(dir)
    await rm(join(registry, tag), { force: true })
  }
}

/** By number: Deno's `child.kill` does nothing after its first signal. */
const signal = (child: ChildProcess, name: NodeJS.Signals) => {
  if (child.pid !== undefined && !exited(child)) process.kill(child.pid, name)
}
const exited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null
const untilExited = async (child: ChildProcess, milliseconds: number): Promise<boolean> => {
  const deadline = Date.now() + milliseconds
  while (!exited(child)) {
    if (Date.now() > deadline) return false
    await pause(10)
  }
  return true
}

/** Starts a daemon and waits until its CRI service is up, which it says in its log. */
const launch = async (dir: string, binaries: string | undefined): Promise<ChildProcess> => {
  const path = join(dir, "containerd.log")
  const log = await open(path, "a")
  const { size } = await log.stat()
  const program = binaries === undefined ? "containerd" : join(binaries, "containerd")
  const search = binaries === undefined ? process.env.PATH : `${binaries}:${process.env.PATH}`
  const child = spawn(program, ["--config", join(dir, "config.toml")], {
    stdio: ["ignore", log.fd, log.fd],
    // Its own process group: Ctrl-C reaches the owner, which ends it in order.
    detached: true,
    env: { ...process.env, PATH: search }
  })
  let failure: Error | undefined
  child.on("error", (error) => {
    failure = error
  })
  await log.close()
  const deadline = Date.now() + startMilliseconds
  while (true) {
    const said = (await readFile(path)).subarray(size).toString("utf8")
    if (said.includes("containerd successfully booted") && said.includes("Start streaming server")) return child
    if (failure !== undefined || exited(child) || Date.now() > deadline) {
      signal(child, "SIGKILL")
      const why = failure?.message ?? (exited(child) ? "it ended" : "it does not serve")
      throw new Error(`cannot start containerd in ${dir}: ${why}\n${said.split("\n").slice(-15).join("\n")}`)
    }
    await pause(20)
  }
}

/**
 * Starts a containerd that lives below `dir` (made if absent), with the lab's images in it. What earlier runs left in
 * `dir` is swept first.
 */
export const startContainerd = async (directory: string, options: LabOptions = {}): Promise<LabContainerd> => {
  await mkdir(directory, { recursive: true })
  const dir = await realpath(directory)
  // sun_path holds 108 bytes; containerd adds `.ttrpc`.
  if (Buffer.byteLength(dir) > 80) throw new Error(`path too long for a socket: ${dir}`)
  await sweepAbandoned()
  await sweep(dir)
  await register(dir, options.outlivesOwner === true)
  const network = await writeNetwork(dir)
  const snapshotter = await chooseSnapshotter(dir)
  await writeFile(join(dir, "config.toml"), configuration(dir, snapshotter, options))
  const socket = join(dir, "containerd.sock")

  let child: ChildProcess
  const ctr = async (args: ReadonlyArray<string>): Promise<string> => {
    const program = options.binaries === undefined ? "ctr" : join(options.binaries, "ctr")
    const { stdout } = await run(program, ["--address", socket, "--namespace", "k8s.io", ...args])
    return stdout
  }
  const kill = async () => {
    signal(child, "SIGKILL")
    await untilExited(child, stopMilliseconds)
  }
  const stop = async () => {
    if (child !== undefined && !exited(child)) {
      signal(child, "SIGCONT") // a frozen one could not end
      signal(child, "SIGTERM")
      if (!(await untilExited(child, stopMilliseconds))) await kill()
    }
    await sweep(dir)
    await rm(join(registry, tagOf(dir)), { force: true })
  }

  try {
    child = await launch(dir, options.binaries)
    const archive = join(dir, "images.tar")
    const ids = await buildImageTar(archive, options.images)
    await ctr(["images", "import", "--snapshotter", snapshotter, archive])
    // The CRI service learns of an import by an event; then it keeps each image under its id too.
    const deadline = Date.now() + startMilliseconds
    while (true) {
      const names = new Set((await ctr(["images", "list", "--quiet"])).split("\n"))
      if (Object.values(ids).every((id) => names.has(id))) break
      if (Date.now() > deadline) throw new Error(`containerd does not take the images of ${archive}`)
      await pause(20)
    }
  } catch (error) {
    await stop().catch(() => undefined)
    throw error
  }
  return {
    endpoint: `unix://${socket}`,
    socket,
    dir,
    network,
    get pid() {
      return child.pid ?? -1
    },
    stop,
    kill,
    cutPower: async () => {
      await kill()
      await killProcesses(dir)
      // A tmpfs where it is not a lab's.
      await unmountBelow(join(dir, "state"))
      await rm(join(dir, "state"), { recursive: true, force: true })
    },
    freeze: () => signal(child, "SIGSTOP"),
    thaw: () => signal(child, "SIGCONT"),
    restart: async () => {
      if (!exited(child)) await kill()
      child = await launch(dir, options.binaries)
    },
    ctr
  }
}
