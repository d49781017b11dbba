/** Waiting for events: what the subscriber, a program of its own, printed. */
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

/** One event, as the subscriber printed it. */
export interface Seen {
  /** `05:53:47.123`, UTC */
  readonly time: string
  readonly severity: string
  /** `pod/default/web` */
  readonly who: string
  readonly type: string
  /** `container="httpd" attempt=1` */
  readonly facts: Readonly<Record<string, unknown>>
}

export interface Wanted {
  readonly type: string
  /** Absent: whoever it was. */
  readonly who?: string
  readonly having?: Readonly<Record<string, unknown>>
}

const program = fileURLToPath(new URL("subscriber.ts", import.meta.url))
/** How long an event may stay away, milliseconds. */
const patience = 60_000
/** How long the subscriber may take to say its last words, milliseconds. */
const endPatience = 5_000

const linePattern = /^(\S+) (\S+)\s+(\S+) (\S+) ?(.*)$/u
const factPattern = /(\w+)=("(?:[^"\\]|\\.)*"|\S+)/gu

/** A line of the subscriber; undefined for one that tells no event. */
export const parseSeen = (line: string): Seen | undefined => {
  const [, time, severity, who, type, text] = linePattern.exec(line) ?? []
  if (time === undefined || !/^\d\d:/u.test(time) || who === undefined || type === undefined) return undefined
  const facts: Record<string, unknown> = {}
  for (const [, key, value] of (text ?? "").matchAll(factPattern)) facts[key!] = JSON.parse(value!)
  return { time, severity: severity!, who, type, facts }
}

const meets = (seen: Seen, { who, type, having = {} }: Wanted): boolean =>
  (who === undefined || seen.who === who) &&
  seen.type === type &&
  Object.entries(having).every(([key, value]) => seen.facts[key] === value)

const describe = ({ who, type, having = {} }: Wanted): string =>
  [
    type,
    ...(who === undefined ? [] : ["of", who]),
    ...Object.entries(having).map(([key, value]) => `${key}=${value}`)
  ].join(" ")

export class Watch {
  readonly events: Array<Seen> = []
  /** The last line that told no event. */
  summary = ""
  private readonly child: ChildProcess
  private readonly listeners = new Set<() => void>()
  private failure: string | undefined
  private ended = false

  /** `onSeen` is told of every event as it arrives. */
  constructor(url: string, stream: string, onSeen: (seen: Seen) => void) {
    const words = ["--config=/dev/null", "--no-env-file", "--no-install", program, url, stream]
    this.child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"], detached: true })
    createInterface({ input: this.child.stdout! }).on("line", (line) => {
      const seen = parseSeen(line)
      if (seen === undefined) this.summary = line
      else {
        this.events.push(seen)
        onSeen(seen)
      }
      this.wake()
    })
    this.child.once("error", (error) => this.fail(`the subscriber does not start: ${error.message}`))
    this.child.once("close", (code) => {
      if (!this.ended) this.fail(`the subscriber ended with ${code}`)
      this.ended = true
      this.wake()
    })
  }

  private wake(): void {
    for (const listener of [...this.listeners]) listener()
  }

  /** Ends every wait, now and later: something died that no event will tell of. */
  fail(message: string): void {
    this.failure ??= message
    this.wake()
  }

  /** A place in the flow of events: `next` can be told to look only behind it. */
  get mark(): number {
    return this.events.length
  }

  private until<A>(look: () => A | undefined, milliseconds: number, what: string): Promise<A> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(late)
        this.listeners.delete(listener)
        act()
      }
      const listener = () => {
        const found = look()
        if (found !== undefined) settle(() => resolve(found))
        else if (this.failure !== undefined) settle(() => reject(new Error(this.failure)))
      }
      const late = setTimeout(
        () => settle(() => reject(new Error(`no ${what} within ${milliseconds / 1000} s`))),
        milliseconds
      )
      this.listeners.add(listener)
      listener()
    })
  }

  /** The first such event behind `from`, which may have come already. */
  next(wanted: Wanted, from = 0): Promise<Seen> {
    return this.until(
      () => this.events.slice(from).find((seen) => meets(seen, wanted)),
      patience,
      `event ${describe(wanted)}`
    )
  }

  /** The last such event up to now. */
  last(wanted: Wanted): Seen | undefined {
    return this.events.findLast((seen) => meets(seen, wanted))
  }

  /** Ends the subscriber; answers its last words. */
  async stop(): Promise<string> {
    if (!this.ended && this.child.pid !== undefined) {
      this.ended = true
      let closed: true | undefined
      this.child.once("close", () => {
        closed = true
        this.wake()
      })
      process.kill(this.child.pid, "SIGTERM")
      this.failure = undefined
      await this.until(() => closed, endPatience, "end of the subscriber").catch(() => {
        process.kill(this.child.pid!, "SIGKILL")
      })
    }
    return this.summary
  }
}
