/** An agent that only serves Services, as a child process, and what can be seen of it from outside. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { closeSync, openSync, readFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { chronode, eventually, pause } from "../test/support/agent.ts"
import { type Happened, JournalTail } from "../test/support/journal-tail.ts"

/** Milliseconds: the first sync of all, a change, and without any event until it counts as quiet. */
const syncLimit = 300_000
const changeLimit = 30_000
const quietMillis = 2_000

export class ServicesAgent {
  readonly services: string
  private readonly child: ChildProcess
  private readonly journal: JournalTail
  private readonly log: string
  /** Milliseconds that the kernel took for all Services at the start. */
  firstSync = Number.NaN

  constructor(options: { readonly dir: string; readonly services: string; readonly runtime: string }) {
    this.services = options.services
    this.log = join(options.dir, "agent.log")
    const dataDir = join(options.dir, "data")
    const log = openSync(this.log, "a")
    const words = ["--services", options.services, "--data-dir", dataDir, "--node-name", "bench", "--no-nats"]
    const quietly = ["--healthz-bind-address", "", "--metrics-bind-address", "", "--log-level", "warn"]
    this.child = spawn(chronode, ["run", ...words, ...quietly], {
      stdio: ["ignore", log, log],
      env: { ...process.env, CHRONODE_RUNTIME: options.runtime }
    })
    closeSync(log)
    this.journal = new JournalTail(dataDir)
  }

  private assertAlive(): void {
    const { exitCode, signalCode } = this.child
    if (exitCode !== null || signalCode !== null)
      throw new Error(`the agent ended with ${exitCode ?? signalCode}: ${readFileSync(this.log, "utf8").slice(-2_000)}`)
  }

  private events(): Promise<ReadonlyArray<Happened>> {
    this.assertAlive()
    return this.journal.events().catch(() => [])
  }

  async head(): Promise<number> {
    return (await this.events()).at(-1)?.sequence ?? 0
  }

  /** Events of these types behind a position. */
  async seen(tags: ReadonlyArray<string>, after: number): Promise<ReadonlyArray<Happened>> {
    return (await this.events()).filter(({ tag, sequence }) => sequence > after && tags.includes(tag))
  }

  async until(after: number, tag: string): Promise<void> {
    await eventually(tag, async () => (await this.seen([tag], after))[0], changeLimit)
  }

  /** Everything that was declared at the start is in the kernel, and told. */
  async synced(): Promise<void> {
    const synced = await eventually(
      "the first sync",
      async () => (await this.seen(["DataplaneSynced"], 0))[0],
      syncLimit
    )
    this.firstSync = synced.data.duration
    await this.quiet()
  }

  /** Nothing more is written. Answers when the last event was seen, `performance.now()`. */
  async quiet(): Promise<number> {
    for (let [head, since] = [await this.head(), performance.now()]; ; ) {
      await pause(50)
      const now = await this.head()
      if (now !== head) [head, since] = [now, performance.now()]
      else if (performance.now() - since > quietMillis) return since
    }
  }

  /** Of the process that runs the program, not of a shell around it. */
  residentMiB(field: "VmRSS" | "RssAnon" = "VmRSS"): number {
    const text = readFileSync(`/proc/${this.child.pid}/status`, "utf8")
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) / 1024
  }

  /** Servers that get connections now, as the kernel has them. */
  kernelSlots(): number {
    const text = execFileSync("nft", ["-j", "list", "map", "ip", "chronode", "slots"], {
      encoding: "utf8",
      maxBuffer: 1024 * 1024 * 1024
    })
    const objects: ReadonlyArray<{ readonly map?: { readonly elem?: ReadonlyArray<unknown> } }> =
      JSON.parse(text).nftables
    return objects.reduce((sum, { map }) => sum + (map?.elem?.length ?? 0), 0)
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve))
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) return
    process.kill(this.child.pid, "SIGTERM")
    await ended
    execFileSync("nft", ["flush", "ruleset"])
  }
}
