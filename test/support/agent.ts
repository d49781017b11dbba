/**
 * A node under test: its directories, its manifests, the agent (`bin/chronode run`) as a child process, and what can be
 * seen of it from outside. Several nodes may share one runtime and one NATS.
 */
import assert from "node:assert/strict"
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { cgroupRootOf } from "../../scripts/lab/network.ts"
import { type Happened, JournalTail } from "./journal-tail.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
export const chronode = join(root, "bin", "chronode")

/** How many times slower than a machine the place of this test is: the runner says so in a virtual machine. */
const slowness = Number(process.env.CHRONODE_SLOWNESS ?? 1)
/** Milliseconds: between looks, until what is waited for must have happened, until a process must have ended. */
const lookPause = 40
const waitLimit = 30_000 * slowness
const endLimit = 15_000 * slowness
/** What a failed wait shows. */
const shownEvents = 25
const shownLogCharacters = 3_000

export const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds))

/** Looks again and again until `look` answers something, and answers that. */
export const eventually = async <A>(
  what: string,
  look: () => Promise<A | undefined> | A | undefined,
  limit: number = waitLimit
): Promise<A> => {
  const end = Date.now() + limit
  while (true) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > end) throw new Error(`waited ${limit / 1000} s in vain for: ${what}`)
    await pause(lookPause)
  }
}

export interface NodeOptions {
  /** Of the node's own; made if absent. */
  readonly dir: string
  readonly name: string
  /** `unix:///…`; absent: a node without pods. */
  readonly cri?: string
  /** Absent: `--no-nats`. */
  readonly nats?: string | undefined
  /** Default: `data` in the node's directory. */
  readonly dataDir?: string
  /** Below which it makes the cgroups of its pods. Default: of the runtime's lab and the node, swept with the lab. */
  readonly cgroupRoot?: string
  /** Fields of its KubeletConfiguration, over those of `calm`. */
  readonly configuration?: Readonly<Record<string, unknown>>
  readonly flags?: ReadonlyArray<string>
}

/**
 * The state of the machine that tests run on is none of theirs: a disk that is nearly full, or little memory, evicts no pod and removes no
 * image. And many agents run on it at one time: none of them takes kubelet's ports.
 */
export const calm = {
  enableServer: false,
  evictionHard: {
    "memory.available": "0%",
    "nodefs.available": "0%",
    "nodefs.inodesFree": "0%",
    "imagefs.available": "0%",
    "imagefs.inodesFree": "0%"
  },
  imageGCHighThresholdPercent: 100
} as const

export interface StartOptions {
  /** `cri.startContainer.after:2`, see src/failpoints.ts */
  readonly failpoint?: string
  readonly flags?: ReadonlyArray<string>
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** One life of the agent. */
export interface Life {
  readonly pid: number
  /** Resolves when the process is gone. */
  readonly ended: Promise<Ended>
  readonly end: () => Ended | undefined
}

export interface WaitOptions {
  /** Only events after this position in the journal. */
  readonly after?: number
  /** Milliseconds. */
  readonly limit?: number
}

/** Asks whether an event has this tag, this actor (`pod/default/web`) and, among its data, these. */
export const isEvent =
  (tag: string, actor?: string, data: Readonly<Record<string, unknown>> = {}) =>
  (event: Happened): boolean =>
    event.tag === tag &&
    (actor === undefined || event.actor === actor) &&
    Object.entries(data).every(([key, value]) =>
      value instanceof RegExp ? value.test(String(event.data[key])) : event.data[key] === value
    )

export class NodeUnderTest {
  readonly options: NodeOptions
  readonly manifests: string
  readonly dataDir: string
  readonly podLogs: string
  readonly logFile: string
  readonly cgroupRoot: string
  readonly journal: JournalTail
  /** Called when the agent has died while something was waited for; absent: that is an error. */
  onDeath: ((ended: Ended) => Promise<void>) | undefined
  private life: Life | undefined

  constructor(options: NodeOptions) {
    this.options = options
    this.manifests = join(options.dir, "manifests")
    this.dataDir = options.dataDir ?? join(options.dir, "data")
    this.podLogs = join(options.dir, "logs")
    this.logFile = join(options.dir, "agent.log")
    this.cgroupRoot =
      options.cgroupRoot ?? cgroupRootOf(dirname(options.cri?.replace("unix://", "") ?? options.dir), options.name)
    this.journal = new JournalTail(this.dataDir)
    for (const dir of [this.manifests, this.podLogs]) mkdirSync(dir, { recursive: true })
    const typeMeta = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" }
    writeFileSync(this.configFile, JSON.stringify({ ...typeMeta, ...calm, ...options.configuration }))
  }

  /** What the agent is configured with where no flag names another file. */
  get configFile(): string {
    return join(this.options.dir, "kubelet.json")
  }

  // --- manifests -----------------------------------------------------------------------------------------------------

  /** Appears whole, as a careful editor writes. An object is written as JSON. */
  put(file: string, manifest: object | string): string {
    const path = join(this.manifests, file)
    writeFileSync(`${path}.part`, typeof manifest === "string" ? manifest : JSON.stringify(manifest))
    renameSync(`${path}.part`, path)
    return path
  }

  remove(file: string): void {
    rmSync(join(this.manifests, file), { force: true })
  }

  // --- the agent -----------------------------------------------------------------------------------------------------

  private flags(more: ReadonlyArray<string>): ReadonlyArray<string> {
    const { cri, name, nats, flags = [] } = this.options
    const pods = ["--manifests", this.manifests, "--pod-logs-dir", this.podLogs, "--cgroup-root", this.cgroupRoot]
    return [
      ...(cri === undefined ? [] : ["--cri", cri, ...pods]),
      ...["--data-dir", this.dataDir, "--node-name", name, "--log-level", "debug"],
      ...(nats === undefined ? ["--no-nats"] : ["--nats", nats]),
      ...([...flags, ...more].includes("--config") ? [] : ["--config", this.configFile]),
      ...flags,
      ...more
    ]
  }

  /** Starts the program without waiting for anything. */
  launch(options: StartOptions = {}): Life {
    const log = openSync(this.logFile, "a")
    const { CHRONODE_FAILPOINT: _, ...env } = process.env
    const child: ChildProcess = spawn(chronode, ["run", ...this.flags(options.flags ?? [])], {
      stdio: ["ignore", log, log],
      cwd: this.options.dir,
      env: { ...env, ...(options.failpoint === undefined ? {} : { CHRONODE_FAILPOINT: options.failpoint }) }
    })
    closeSync(log)
    let end: Ended | undefined
    const ended = new Promise<Ended>((done, failed) => {
      child.once("error", failed)
      child.once("exit", (code, signal) => {
        end = { code, signal }
        done(end)
      })
    })
    assert.ok(child.pid !== undefined, `${chronode} cannot be started`)
    const life = { pid: child.pid, ended, end: () => end }
    this.life = life
    return life
  }

  /** Answers when the agent has written that it started. */
  async start(options: StartOptions = {}): Promise<Life> {
    this.launch(options)
    return await this.until("the start of the agent", (events) => {
      const life = this.life
      const started = life !== undefined && events.some(isEvent("NodeStarted", undefined, { pid: life.pid }))
      return started ? life : undefined
    })
  }

  get running(): Life | undefined {
    return this.life?.end() === undefined ? this.life : undefined
  }

  /** Sends a signal and waits for the end; SIGKILL where it takes too long. Answers how it ended; repeatable. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ended | undefined> {
    const life = this.life
    if (life === undefined) return undefined
    // By number: Deno's `child.kill` does nothing after its first signal.
    if (life.end() === undefined) process.kill(life.pid, signal)
    const late = setTimeout(() => life.end() === undefined && process.kill(life.pid, "SIGKILL"), endLimit)
    const ended = await life.ended
    clearTimeout(late)
    return ended
  }

  kill(): Promise<Ended | undefined> {
    return this.stop("SIGKILL")
  }

  log(): string {
    return readFileSync(this.logFile, "utf8")
  }

  // --- what happens --------------------------------------------------------------------------------------------------

  /** Waits until `find` answers something of all events so far. */
  async until<A>(
    what: string,
    find: (events: ReadonlyArray<Happened>) => A | undefined,
    limit: number = waitLimit
  ): Promise<A> {
    const end = Date.now() + limit
    while (true) {
      const over = this.life?.end()
      const events = await this.journal.events()
      const found = find(events)
      if (found !== undefined) return found
      // No test has a reason to wait for an agent that is broken.
      if (events.some(({ tag }) => tag === "ActorEscalated"))
        throw new Error(await this.report(`an actor failed before: ${what}`))
      if (over !== undefined) {
        if (this.onDeath === undefined)
          throw new Error(await this.report(`the agent ended (${JSON.stringify(over)}) before: ${what}`))
        await this.onDeath(over)
      } else if (Date.now() > end) throw new Error(await this.report(`waited ${limit / 1000} s in vain for: ${what}`))
      await pause(lookPause)
    }
  }

  /** Waits for one event. A RegExp among `data` is tried on the field's text. */
  waitFor(
    tag: string,
    actor?: string,
    data: Readonly<Record<string, unknown>> = {},
    { after = 0, limit }: WaitOptions = {}
  ): Promise<Happened> {
    const wanted = isEvent(tag, actor, data)
    const words = Object.entries(data).map(
      ([key, value]) => `${key}=${value instanceof RegExp ? value : JSON.stringify(value)}`
    )
    const what = [tag, actor ?? "", ...words, ...(after > 0 ? [`after ${after}`] : [])].join(" ")
    return this.until(what, (events) => events.find((event) => event.sequence > after && wanted(event)), limit)
  }

  /** Events of the journal that meet a condition, in order, now. */
  async seen(
    tag: string,
    actor?: string,
    data: Readonly<Record<string, unknown>> = {}
  ): Promise<ReadonlyArray<Happened>> {
    return (await this.journal.events()).filter(isEvent(tag, actor, data))
  }

  async head(): Promise<number> {
    return (await this.journal.events()).at(-1)?.sequence ?? 0
  }

  private async report(problem: string): Promise<string> {
    const events = (await this.journal.events()).slice(-shownEvents)
    const lines = events.map(
      (e) => `  ${e.sequence} ${e.time.slice(11, 23)} ${e.actor} ${e.tag} ${JSON.stringify(e.data).slice(0, 200)}`
    )
    return [problem, "last events:", ...lines, "end of the agent's log:", this.log().slice(-shownLogCharacters)].join(
      "\n"
    )
  }

  // --- the command line ----------------------------------------------------------------------------------------------

  /** `chronode WORDS`, with this node's data directory in the environment. */
  command(...words: ReadonlyArray<string>): Promise<CommandResult> {
    const env = { ...process.env, CHRONODE_DATA_DIR: this.dataDir, NO_COLOR: "1" }
    return new Promise((done) => {
      execFile(
        chronode,
        words,
        { env, cwd: this.options.dir, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
          done({ code, stdout, stderr })
        }
      )
    })
  }

  /** What a command prints as JSON; it has to succeed. */
  async json(...words: ReadonlyArray<string>): Promise<unknown> {
    const { code, stdout, stderr } = await this.command(...words, "-o", "json")
    assert.equal(code, 0, `chronode ${words.join(" ")}: ${stderr}`)
    return JSON.parse(stdout)
  }
}

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}
