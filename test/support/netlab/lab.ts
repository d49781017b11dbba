/** The lab as tests use it: a small cluster's network (topology.ts), servers in its pods, clients anywhere. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Answer, Call, LoopOutcome, Protocol, Reply } from "./protocol.ts"
import { buildTopology, type Place, type PodName } from "./topology.ts"

export type { Answer, LoopOutcome, Protocol } from "./protocol.ts"
export { type Place, type PodName, plan, podNames } from "./topology.ts"

const slowness = Number(process.env.CHRONODE_SLOWNESS ?? 1)
/** Milliseconds until an answer does not come any more, and until one is found not to come where none is expected. */
export const answerLimit = 2_000 * slowness
export const silenceLimit = 300 * slowness
const clientsAtOnce = 32
/** Ports of the servers in each pod. */
export const serverPorts = [8080, 8081] as const
const bun = fileURLToPath(new URL("../../../node_modules/.bin/bun", import.meta.url))
const program = join(import.meta.dirname, "sockets.ts")

export interface Ask {
  readonly from: Place
  readonly to: string
  readonly port: number
  /** Default: TCP. */
  readonly protocol?: Protocol
  readonly source?: string
  readonly sourcePort?: number
  /** Milliseconds; default: `answerLimit`. */
  readonly timeout?: number
}

export interface Held {
  /** What came of the first question. */
  readonly first: Answer
  readonly say: () => Promise<Answer>
  readonly release: () => Promise<void>
}

export interface Loop {
  readonly stop: () => Promise<LoopOutcome>
}

const targetOf = ({ from, to, port, protocol = "TCP", timeout = answerLimit, ...rest }: Ask) => ({
  ...{ from: from === "node" ? "" : from, to, port, protocol, timeout },
  ...rest
})

export class Lab {
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  private last = 0
  private readonly child: ChildProcess
  /** Protocols that the kernel has sockets for. */
  readonly protocols: ReadonlySet<Protocol>

  private constructor(child: ChildProcess, protocols: Set<Protocol>) {
    this.child = child
    this.protocols = protocols
    createInterface({ input: child.stdout! }).on("line", (line) => {
      const { id, value, error } = JSON.parse(line) as Reply
      const { resolve, reject } = this.waiting.get(id)!
      this.waiting.delete(id)
      if (error === undefined) resolve(value)
      else reject(new Error(error))
    })
    child.on("exit", (code, signal) => {
      for (const { reject } of this.waiting.values()) reject(new Error(`the lab's sockets ended: ${signal ?? code}`))
      this.waiting.clear()
    })
  }

  /** Builds the network in this process's namespace, and starts the servers. */
  static async make(): Promise<Lab> {
    await buildTopology()
    const child = spawn(bun, ["--no-install", program], { stdio: ["pipe", "pipe", "inherit"] })
    const protocols = new Set<Protocol>()
    const lab = new Lab(child, protocols)
    for (const name of ["pod1", "pod2", "pod3", "remote"] as const satisfies ReadonlyArray<PodName>) {
      for (const protocol of ["TCP", "UDP", "SCTP"] as const) {
        for (const port of serverPorts) {
          if (await lab.serve(name, port, protocol)) protocols.add(protocol)
        }
      }
    }
    return lab
  }

  private call<A>(call: Call): Promise<A> {
    const id = ++this.last
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.child.stdin!.write(`${JSON.stringify({ id, ...call })}\n`)
    })
  }

  /** Another server; it answers the name of its place. `false`: the kernel lacks the protocol. */
  serve(place: Place, port: number, protocol: Protocol): Promise<boolean> {
    return this.call({ op: "serve", namespace: place === "node" ? "" : place, name: place, port, protocol })
  }

  /** So many clients, each on a connection of its own. */
  ask(count: number, ask: Ask): Promise<ReadonlyArray<Answer>> {
    return this.call({ op: "ask", count, atOnce: clientsAtOnce, ...targetOf(ask) })
  }

  async askOnce(ask: Ask): Promise<Answer> {
    return (await this.ask(1, ask))[0]!
  }

  /** A connection that stays (for UDP: a socket that stays), after a first question on it. */
  async hold(ask: Ask): Promise<Held> {
    const target = targetOf(ask)
    const { held, answer } = await this.call<{ held: number; answer: Answer }>({ op: "hold", ...target })
    return {
      first: answer,
      say: () => this.call({ op: "say", held, timeout: target.timeout }),
      release: () => this.call({ op: "release", held })
    }
  }

  /** A client that asks every `every` milliseconds, each time on a new connection, until it is stopped. */
  async loop(every: number, ask: Ask): Promise<Loop> {
    const loop = await this.call<number>({ op: "loop", every: every * slowness, ...targetOf(ask) })
    return { stop: () => this.call({ op: "stop", loop }) }
  }

  /** Ends the servers and clients; the network goes with the test's process. */
  close(): void {
    this.child.stdin!.end()
  }
}
