/**
 * Walks one after the other: small trees where the agent runs, large ones in a thread of their own, which is there only while
 * there are such.
 */
import { Worker } from "node:worker_threads"
import type { DirectoryUsage } from "./port.ts"
import { makePace, type WalkLimits, walk } from "./walk.ts"

export interface WalkRequest {
  readonly walk: number
  readonly path: string
  /** When it began, milliseconds since the epoch. */
  readonly at: number
}
export type WalkAnswer =
  | { readonly walk: number; readonly usage: DirectoryUsage }
  | { readonly walk: number; readonly failure: { readonly code: string; readonly message: string } }

/** What is walked without the thread: so many entries, and directories that are no larger themselves, in bytes. */
const small = { maxEntries: 2_000, maxDirectoryBytes: 128 * 1024 }
/** Milliseconds that the thread waits for the next walk. */
const idleTime = 15_000

interface Asked {
  readonly done: (usage: DirectoryUsage) => void
  readonly fail: (error: Error) => void
}

class WalkFailed extends Error {
  readonly code: string
  constructor({ code, message }: { readonly code: string; readonly message: string }) {
    super(message)
    this.code = code
  }
}

/** The thread, started when it is needed. */
class Thread {
  #worker: Worker | undefined
  #asked = new Map<number, Asked>()
  #last = 0
  #idle: NodeJS.Timeout | undefined
  readonly #limits: WalkLimits

  constructor(limits: WalkLimits) {
    this.#limits = limits
  }

  walk(path: string, at: number): Promise<DirectoryUsage> {
    clearTimeout(this.#idle)
    return new Promise((done, fail) => {
      const number = ++this.#last
      this.#asked.set(number, { done, fail })
      const worker = this.#start()
      worker.ref()
      worker.postMessage({ walk: number, path, at } satisfies WalkRequest)
    })
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(new URL("./walk-worker.ts", import.meta.url), { workerData: this.#limits })
    this.#worker = worker
    worker.on("message", (answer: WalkAnswer) => this.#answered(answer))
    const over = (why: string) => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const { fail } of this.#asked.values()) fail(new Error(`the thread of walks ended: ${why}`))
      this.#asked.clear()
    }
    worker.on("error", (error) => over(error instanceof Error ? error.message : String(error)))
    worker.on("exit", (code) => over(`exit code ${code}`))
    return worker
  }

  #answered(answer: WalkAnswer): void {
    const asked = this.#asked.get(answer.walk)
    this.#asked.delete(answer.walk)
    if ("usage" in answer) asked?.done(answer.usage)
    else asked?.fail(new WalkFailed(answer.failure))
    if (this.#asked.size > 0) return
    // With nothing to do it keeps no process alive.
    this.#worker?.unref()
    this.#idle = setTimeout(() => this.#stop(), idleTime)
    this.#idle.unref()
  }

  #stop(): void {
    const worker = this.#worker
    this.#worker = undefined
    void worker?.terminate()
  }
}

/** Answers a function that sizes a tree; it throws where the root cannot be looked at. */
export const makeWalker = (limits: WalkLimits): ((path: string) => Promise<DirectoryUsage>) => {
  const pace = makePace(limits.entriesPerSecond, () => performance.now())
  const thread = new Thread(limits)
  const first = { ...small, maxEntries: Math.min(small.maxEntries, limits.maxEntries) }
  const sizeOf = async (path: string): Promise<DirectoryUsage> => {
    const at = Date.now()
    const usage = await walk(path, pace, first, at)
    return usage.truncated === undefined || first.maxEntries === limits.maxEntries ? usage : thread.walk(path, at)
  }
  const underWay = new Map<string, Promise<DirectoryUsage>>()
  let before: Promise<unknown> = Promise.resolve()
  return (path) => {
    const known = underWay.get(path)
    if (known !== undefined) return known
    const begun = before.then(() => sizeOf(path))
    underWay.set(path, begun)
    const over = () => void underWay.delete(path)
    before = begun.then(over, over)
    return begun
  }
}
