/**
 * Runs one command in a process group of its own, with a time limit, and leaves nothing behind: when it is over its limit
 * the group is killed, and whatever escaped the group (daemons, shims) is found by a mark in its environment.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import process from "node:process"
import { killGrace, leftoverGrace, outputLimit } from "./limits.ts"

export interface Outcome {
  /** Exit code; undefined when a signal ended it or it could not be started. */
  readonly code: number | undefined
  readonly signal: string | undefined
  readonly timedOut: boolean
  /** Both streams, in the order of arrival; the last `outputLimit` characters. */
  readonly output: string
  readonly milliseconds: number
  /** Names of the processes that it left running; they are killed by now. */
  readonly leftovers: ReadonlyArray<string>
}

/** How long the output may come in after the command's end, milliseconds. */
const drainLimit = 1000
/** Holds the run's id, after those of the runs that it is part of (tests of this very runner). */
const mark = "CHRONODE_TEST_RUN"
const marks = new RegExp(`(?:^|\\0)${mark}=([^\\0]*)`)
const running = new Map<ChildProcess, string>()

const signalGroup = (child: ChildProcess, signal: NodeJS.Signals) => {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // ESRCH: the whole group is gone.
  }
}

/** `limit` in milliseconds. Never rejects: what goes wrong is in the outcome. */
export const runCommand = (
  command: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd: string; readonly limit: number; readonly env?: Readonly<Record<string, string | undefined>> }
): Promise<Outcome> =>
  new Promise((resolve) => {
    if (stopped) {
      resolve({
        ...{ code: undefined, signal: "the end of the run" },
        timedOut: false,
        output: "",
        milliseconds: 0,
        leftovers: []
      })
      return
    }
    const id = randomUUID()
    const began = performance.now()
    let output = ""
    let timedOut = false
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: {
        ...process.env,
        NO_COLOR: "1",
        FORCE_COLOR: undefined,
        ...options.env,
        [mark]: `${process.env[mark] ?? ""} ${id}`.trim()
      },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true
    })
    running.set(child, id)
    const keep = (chunk: string) => {
      output += chunk
      if (output.length > 2 * outputLimit) output = `[…]\n${output.slice(-outputLimit)}`
    }
    child.stdout.setEncoding("utf8").on("data", keep)
    child.stderr.setEncoding("utf8").on("data", keep)
    let kill: NodeJS.Timeout | undefined
    const limit = setTimeout(() => {
      timedOut = true
      signalGroup(child, "SIGTERM")
      kill = setTimeout(() => signalGroup(child, "SIGKILL"), killGrace)
    }, options.limit)
    let ended = false
    const end = async (code: number | null, signal: string | null) => {
      if (ended) return
      ended = true
      clearTimeout(limit)
      clearTimeout(kill)
      running.delete(child)
      const milliseconds = performance.now() - began
      const leftovers = await endLeftovers(id, timedOut ? 0 : leftoverGrace)
      // A process that still holds a pipe of ours would keep us waiting for "close".
      child.stdout.destroy()
      child.stderr.destroy()
      resolve({ code: code ?? undefined, signal: signal ?? undefined, timedOut, output, milliseconds, leftovers })
    }
    child.on("error", (error) => {
      keep(`${command}: ${error.message}\n`)
      void end(null, null)
    })
    child.on("close", (code, signal) => void end(code, signal))
    // A daemon that inherited the pipes keeps them open: "close" would never come.
    child.on("exit", (code, signal) => void setTimeout(() => void end(code, signal), drainLimit).unref())
  })

interface Process {
  readonly pid: number
  readonly parent: number
  readonly name: string
  readonly marked: boolean
}

const text = (path: string): string => {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return ""
  }
}

/** Processes of the run with this mark, and all their descendants (a container's process has an environment of its own). */
const processesOf = (id: string): ReadonlyArray<Process> => {
  const all: Array<Process> = []
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue
    // proc(5): pid (name) state ppid …; the name may hold anything, also parentheses.
    const stat = text(`/proc/${entry}/stat`)
    const close = stat.lastIndexOf(")")
    const [state, parent] = stat.slice(close + 2).split(" ")
    if (close === -1 || state === "Z" || state === "X") continue
    const marked = (marks.exec(text(`/proc/${entry}/environ`))?.[1] ?? "").split(" ").includes(id)
    all.push({ pid: Number(entry), parent: Number(parent), name: stat.slice(stat.indexOf("(") + 1, close), marked })
  }
  const ours = new Set(all.filter((p) => p.marked).map((p) => p.pid))
  for (let grown = true; grown; ) {
    const more = all.filter((p) => ours.has(p.parent) && !ours.has(p.pid))
    for (const { pid } of more) ours.add(pid)
    grown = more.length > 0
  }
  return all.filter((p) => ours.has(p.pid))
}

/** Waits up to `grace` milliseconds for them to end, then kills them. Answers the names of those that had to be killed. */
const endLeftovers = async (id: string, grace: number): Promise<ReadonlyArray<string>> => {
  if (process.platform !== "linux") return []
  const pause = (milliseconds: number) => new Promise((wake) => setTimeout(wake, milliseconds))
  let left = processesOf(id)
  for (const deadline = performance.now() + grace; left.length > 0 && performance.now() < deadline; ) {
    await pause(50)
    left = processesOf(id)
  }
  const names = new Set<string>()
  for (let attempt = 0; left.length > 0 && attempt < 20; attempt++) {
    for (const { pid, name } of left) {
      names.add(name)
      try {
        process.kill(pid, "SIGKILL")
      } catch {
        // It ended by itself meanwhile.
      }
    }
    await pause(50)
    left = processesOf(id)
  }
  return [...names].sort()
}

let stopped = false

/** Kills all that runs and lets nothing more start, for the case that the test run itself is stopped. */
export const stopAll = async (): Promise<void> => {
  stopped = true
  const ids = [...running].map(([child, id]) => {
    signalGroup(child, "SIGKILL")
    return id
  })
  await Promise.all(ids.map((id) => endLeftovers(id, 0)))
}
