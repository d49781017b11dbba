/** Everything that the demo starts, below one directory of its own: containerd, nats-server, the agent and its commands. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { totalmem } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type LabContainerd, startContainerd } from "../lab/containerd.ts"
import { type NatsServer, startNats } from "../lab/nats.ts"
import { cgroupRoot, dataplaneName, ownerFile, rootPrefix, serviceRange, startTime } from "./remove.ts"

export const checkout = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/u, "")
export const nodeName = "demo"
export const streamName = `CHRONODE_${nodeName}`

/** How long the agent may take to end by itself, milliseconds. */
const stopPatience = 10_000

/** What a container's process is to the runtime. */
export interface Task {
  /** 64 hexadecimal digits */
  readonly id: string
  readonly pid: number
}

export class Stage {
  readonly root: string
  readonly manifests: string
  readonly services: string
  readonly dataDir: string
  readonly podLogsDir: string
  readonly logs: string
  readonly agentLog: string
  /** What all pods may have together, bytes. */
  readonly podsMemory = 384 * 1024 ** 2
  containerd: LabContainerd | undefined
  nats: NatsServer | undefined
  private agent: ChildProcess | undefined
  /** What ends the programs that are not found by the directory in their command line. */
  readonly endings: Array<() => Promise<unknown>> = []
  private readonly starting: Array<Promise<unknown>> = []
  private closed = false

  constructor(keep: boolean) {
    this.root = mkdtempSync(rootPrefix)
    this.manifests = join(this.root, "manifests")
    this.services = join(this.manifests, "services")
    this.dataDir = join(this.root, "data")
    this.podLogsDir = join(this.root, "pod-logs")
    this.logs = join(this.root, "logs")
    this.agentLog = join(this.logs, "agent.log")
    if (!keep) writeFileSync(join(this.root, ownerFile), `${process.pid} ${startTime(process.pid)}`)
    cpSync(join(checkout, "examples"), this.manifests, { recursive: true })
    mkdirSync(this.logs)
    // Pods below a control group of their own: a kubelet on this machine ends what it finds in its own and does not know.
    writeFileSync(
      join(this.root, "config.yaml"),
      [
        "apiVersion: kubelet.config.k8s.io/v1beta1",
        "kind: KubeletConfiguration",
        `cgroupRoot: ${cgroupRoot(this.root)}`,
        // Also on a machine whose disk is nearly full the demo shows what it is to show.
        "evictionHard: { memory.available: 100Mi, nodefs.available: 0% }",
        "evictionPressureTransitionPeriod: 2s",
        `kubeReserved: { memory: "${totalmem() - this.podsMemory}" }`,
        "imageGCHighThresholdPercent: 100",
        // No port of the machine is taken: the command line asks over the agent's own socket.
        "enableServer: false",
        ""
      ].join("\n")
    )
    // This machine's limits of connections stay as they are, and no port of it is taken.
    writeFileSync(
      join(this.root, "proxy.yaml"),
      [
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1",
        "kind: KubeProxyConfiguration",
        "mode: nftables",
        'healthzBindAddress: ""',
        'metricsBindAddress: ""',
        "conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s }",
        ""
      ].join("\n")
    )
  }

  /** Keeps what is being started in mind, so that an end in the middle of it can wait for it. */
  private begin<A>(start: () => Promise<A>): Promise<A> {
    if (this.closed) throw new Error("the demo is ending")
    const started = start()
    this.starting.push(started.catch(() => undefined))
    return started
  }

  async startServers(keep: boolean): Promise<void> {
    const nats = this.begin(async () => {
      this.nats = await startNats(join(this.root, "nats"))
    })
    const containerd = this.begin(async () => {
      this.containerd = await startContainerd(join(this.root, "containerd"), { outlivesOwner: keep })
    })
    await Promise.all([nats, containerd])
  }

  /** The words after `chronode`. */
  get runWords(): ReadonlyArray<string> {
    return [
      "run",
      ...["--manifests", this.manifests],
      ...["--services", this.services],
      ...["--config", join(this.root, "config.yaml")],
      ...["--cri", this.containerd!.endpoint],
      ...["--nats", this.nats!.url],
      ...["--data-dir", this.dataDir],
      ...["--pod-logs-dir", this.podLogsDir],
      ...["--node-name", nodeName],
      ...["--service-cluster-ip-range", serviceRange(this.root)],
      ...["--dataplane-name", dataplaneName(this.root)],
      ...["--proxy-config", join(this.root, "proxy.yaml")]
    ]
  }

  /** Nothing of the user's NATS (credentials, context) is to be found. */
  private get environment(): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("NATS_"))
    return {
      ...Object.fromEntries(own),
      XDG_CONFIG_HOME: join(this.root, "no-config"),
      CHRONODE_DATA_DIR: this.dataDir
    }
  }

  /** Starts the agent; `onEnd` is told when it ends without having been asked to. Answers its process id. */
  startAgent(onEnd: (message: string) => void): number {
    if (this.closed) throw new Error("the demo is ending")
    const log = openSync(this.agentLog, "a")
    const child = spawn(join(checkout, "bin", "chronode"), this.runWords, {
      stdio: ["ignore", log, log],
      detached: true,
      env: this.environment
    })
    closeSync(log)
    this.agent = child
    const end = (why: string) => {
      if (this.agent === child) onEnd(`the agent ended (${why})`)
    }
    child.once("error", (error) => end(error.message))
    child.once("exit", (code, signal) => end(signal ?? `exit code ${code}`))
    if (child.pid === undefined) throw new Error(`cannot start ${join(checkout, "bin", "chronode")}`)
    return child.pid
  }

  /** Sends the agent a signal and waits for its end. */
  async endAgent(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const child = this.agent
    this.agent = undefined
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const { pid } = child
    const ended = new Promise<boolean>((resolve) => child.once("exit", () => resolve(true)))
    process.kill(pid, signal)
    const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), stopPatience).unref())
    if (await Promise.race([ended, late])) return
    process.kill(pid, "SIGKILL")
    await ended
    throw new Error(`the agent did not end within ${stopPatience / 1000} s of ${signal}`)
  }

  /** Runs `chronode` with these words; answers what it printed on stdout. Throws on another exit code than 0. */
  chronode(words: ReadonlyArray<string>, directory: string): string {
    try {
      return execFileSync(join(checkout, "bin", "chronode"), words, {
        cwd: directory,
        env: this.environment,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        maxBuffer: 64 * 1024 * 1024
      })
    } catch (error) {
      const { status, stdout, stderr } = error as { status?: number; stdout?: string; stderr?: string }
      throw new Error(`chronode ${words.join(" ")}: exit code ${status}\n${stdout ?? ""}${stderr ?? ""}`.trimEnd())
    }
  }

  /** What runs now, as containerd knows it. */
  async tasks(): Promise<ReadonlyArray<Task>> {
    const rows = (await this.containerd!.ctr(["tasks", "list"])).split("\n").map((row) => row.split(/\s+/u))
    return rows
      .filter(([id = "", , status]) => /^[0-9a-f]{64}$/u.test(id) && status === "RUNNING")
      .map(([id, pid]) => ({ id: id!, pid: Number(pid) }))
  }

  /** No start any more; answers when none is under way. */
  async close(): Promise<void> {
    this.closed = true
    this.agent = undefined // its end is no surprise from here on
    await Promise.all(this.endings.map((end) => end()))
    await Promise.all(this.starting)
  }

  /** The end of the agent's log, for a failure. */
  lastWords(lines: number): string {
    try {
      return readFileSync(this.agentLog, "utf8").trimEnd().split("\n").slice(-lines).join("\n")
    } catch {
      return ""
    }
  }
}
